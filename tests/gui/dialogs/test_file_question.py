"""Files from elsewhere: the window asks, names them, and does without them where they are not allowed."""

from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, small_experiment

from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.tasks import NextValue
from rnnviz.gui.opening.question_dialog import QuestionDialog
from rnnviz.gui.shell.app import App
from rnnviz.runs.reading.reader import Run


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A table outside the folder of strange/named.toml, which names it."""
    (tmp_path / "strange").mkdir()
    data = tmp_path / "secret.csv"
    data.write_text("a\n" + "".join(f"{n * n % 13}\n" for n in range(60)))
    task = NextValue(file=str(data), length=7)
    write_experiment(replace(small_experiment(), name="Named", task=task), tmp_path / "strange" / "named.toml")
    return data


def question(app: App) -> QuestionDialog | None:
    dialog = app.contents.opening.dialog if app.contents is not None else None
    return dialog if isinstance(dialog, QuestionDialog) else None


def asked(app: App, qtbot: QtBot) -> QuestionDialog:
    qtbot.waitUntil(lambda: question(app) is not None)
    found = question(app)
    assert found is not None
    return found


def test_what_lies_elsewhere_is_read_for_a_strangers_experiment_or_run_only_when_it_is_allowed(
    open_app: OpenApp, run_file: Path, secret: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    experiment = tmp_path / "strange" / "named.toml"
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file)
    app.open_path(experiment)
    dialog = asked(app, qtbot)
    assert dialog.text() == f"named.toml wants to read a file outside its folder:\n{secret}"
    assert dialog.defaultButton() is dialog.cancel_button
    dialog.cancel_button.click()
    assert app.message_bar.sentence == f"named.toml was not trained: {secret} may not be read."
    assert app.store.state.run.path == run_file
    app.open_path(experiment)
    asked(app, qtbot).yes_button.click()
    qtbot.waitUntil(lambda: app.store.state.run.title == "Named" and bool(app.store.state.recorded.traces))
    own = app.store.state.run.path
    assert own is not None
    app.session.restart()  # its own run: nothing is asked
    qtbot.waitUntil(lambda: app.store.state.run.path not in (own, None))
    app.open_path(experiment)  # remembered
    assert question(app) is None
    stranger = tmp_path / "strange" / "named.rnnviz"
    with Run(app.store.state.run.path) as run:
        run.save_copy(stranger)
    secret.write_text(secret.read_text() + "5\n")  # no longer what was allowed
    app.open_path(stranger)
    qtbot.waitUntil(lambda: app.store.state.run.path == stranger and bool(app.store.state.recorded.traces))
    for wish in (app.session.restart, app.session.train_on):
        wish()
        dialog = asked(app, qtbot)
        assert str(secret) in dialog.text()
        dialog.cancel_button.click()
        assert question(app) is None
    assert app.store.state.run.path == stranger

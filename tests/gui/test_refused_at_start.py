"""A file that cannot be opened at the start: the first lesson is shown in its place, and the reason stays."""

from pathlib import Path

from pytestqt.qtbot import QtBot
from whole_program import PATIENCE, OpenApp


def test_why_a_file_is_not_opened_is_said_also_when_the_first_lesson_is_there(
    open_app: OpenApp, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('rnnviz = 1\nname = "Mine"\ncolour = 3\n')
    app = open_app(path)
    qtbot.waitUntil(lambda: bool(app.store.state.recorded.traces), timeout=PATIENCE)
    message = app.store.state.notices.message
    assert message is not None
    assert message.level == "error"
    assert message.sentence.startswith(f"{path}: unknown key colour")
    assert app.store.state.run.title.startswith("Who remembers?")

"""A trace saved from Python opens in the window and is what it was."""

from pathlib import Path

import numpy as np
from pytestqt.qtbot import QtBot
from whole_program import OpenApp

from rnnviz.runs.reading.reader import open_run


def test_a_saved_trace_opens_and_is_shown(open_app: OpenApp, qtbot: QtBot, trained_run: Path, tmp_path: Path) -> None:
    with open_run(trained_run) as run:
        step, model = int(run.captured()[-1]), run.models[1].name
        whole = run.trace(step, model)
    saved = whole.sample(2)
    saved.save(tmp_path / "mine.rnnviz")
    app = open_app(tmp_path / "mine.rnnviz")
    qtbot.waitUntil(lambda: any(app.store.state.recorded.traces))
    (shown,) = app.store.state.recorded.traces
    assert np.array_equal(shown.layers[0].h, whole.sample(2).layers[0].h)
    assert np.allclose(shown.layers[0].hidden_grad, saved.layers[0].hidden_grad, rtol=1e-6, atol=1e-9)
    assert np.array_equal(shown.head.losses, saved.head.losses)
    assert app.store.state.notices.message is None
    assert "mine" in app.window.windowTitle()

"""A given input travels to the child process as one record: nothing of it is lost on the way into the run."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, QProcess
from pytestqt.qtbot import QtBot
from safetensors.numpy import save_file

from rnnviz.core.source import Given, GivenInput
from rnnviz.gui.live import child
from rnnviz.gui.live.files import Files
from rnnviz.gui.live.marks_saving import MarksSaving
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.runs.reading.reader import Run


class Opened:
    """Files, and the runs they showed."""

    def __init__(self) -> None:
        self.owner = QObject()
        self.store = Store(State())
        self.runs: list[Path] = []
        marks = MarksSaving(self.store, self.owner)
        self.files = Files(self.store, marks, self.runs.append, lambda experiment: None, self.owner)


@pytest.fixture
def opened(qapp: object) -> Iterator[Opened]:
    made = Opened()
    yield made
    assert made.files.stop()


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    random = np.random.default_rng(5)
    shapes = {"weight_ih_l0": (4, 3), "weight_hh_l0": (4, 4), "bias_ih_l0": (4,), "bias_hh_l0": (4,)}
    weights = {f"encoder.{name}": random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    save_file(weights, tmp_path / "net, with a comma.safetensors")
    return tmp_path / "net, with a comma.safetensors"


def test_the_activation_a_person_gave_survives_the_trip(opened: Opened, qtbot: QtBot, checkpoint: Path) -> None:
    asked = GivenInput("text", text='ab"b', alphabet='ab"', loss_time_step=2)
    opened.files.record_given(Given(str(checkpoint), asked, "encoder", "relu", 6))
    qtbot.waitUntil(lambda: bool(opened.runs) or opened.store.state.notices.message is not None)
    assert opened.store.state.notices.message is None
    assert opened.store.state.notices.busy == ""
    with Run(opened.runs[0]) as run:
        assert run.source == Given(str(checkpoint), asked, "encoder", "relu", 6, "net, with a comma")
        assert run.models[0].structure.activation == "relu"
        hidden = run.trace(0).layers[0].h
        assert hidden.min() == 0 < hidden.max()
        assert run.trace(0).faithful
        assert run.task.input_labels == ("a", "b", '"')


@pytest.mark.usefixtures("warm")
def test_an_old_experiment_that_names_a_given_input_is_traced(opened: Opened, qtbot: QtBot, checkpoint: Path) -> None:
    old = checkpoint.with_name("old.toml")
    old.write_text(
        'rnnviz = 1\nname = "old"\nseed = 4\n[task]\nname = "given input"\nsource = "random"\nlength = 6\n'
        f'checkpoint = "{checkpoint.name}"\n[[models]]\nname = "encoder"\ncell = "vanilla"\nactivation = "sigmoid"\n',
        encoding="utf-8",
    )
    opened.files.open_path(old)
    qtbot.waitUntil(lambda: bool(opened.runs) or opened.store.state.notices.message is not None)
    assert opened.store.state.notices.message is None
    with Run(opened.runs[0]) as run:
        assert (run.source.title, run.source.seed) == ("old", 4)
        assert run.models[0].structure.activation == "sigmoid"
        assert run.probe is not None
        assert run.probe.inputs.shape == (6, 1, 3)


def test_a_child_that_answers_rubbish_is_a_sentence(
    opened: Opened, qtbot: QtBot, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rubbish(arguments: list[str], parent: QObject) -> QProcess:
        made = QProcess(parent)
        made.setProgram(sys.executable)
        made.setArguments(["-c", "print('[1, 2]')"])
        return made

    monkeypatch.setattr(child, "rnnviz_process", rubbish)
    opened.files.open_path(checkpoint)
    qtbot.waitUntil(lambda: opened.store.state.notices.message is not None)
    assert opened.store.state.notices.message.sentence == f"{checkpoint} could not be read."
    opened.store.change(run=setting(path=checkpoint), notices=setting(message=None))
    opened.files.check()
    qtbot.waitUntil(lambda: opened.store.state.notices.message is not None)
    assert opened.store.state.notices.message.sentence == "The check ended without a verdict."

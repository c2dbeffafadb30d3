"""Sizes matched by parameter count: the count of each card, the button, the sentence, and each size taken back."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from rnnviz.core.experiment.sizes import parameter_count
from rnnviz.core.source import Trained
from rnnviz.core.tasks import NextCharacter, Parity
from rnnviz.gui.experiment.experiment_panel import ExperimentPanel
from rnnviz.gui.state.store import Store, setting


@pytest.fixture
def panel(store: Store, qtbot: QtBot) -> ExperimentPanel:
    made = ExperimentPanel(store)
    qtbot.addWidget(made)
    made.resize(224, 900)
    made.show()
    for card in made.cards:
        card.header.setChecked(True)
    return made


def test_a_press_gives_the_others_as_many_parameters_and_says_how_many(
    panel: ExperimentPanel, store: Store, qtbot: QtBot
) -> None:
    run = store.state.run
    assert run.task is not None
    sizes = len(run.task.input_labels), len(run.task.output_labels)
    vanilla, lstm = run.experiment.models
    counts = [parameter_count(model, *sizes) for model in (vanilla, lstm)]
    assert [card.parameters.text() for card in panel.cards] == [f"{count:,}" for count in counts]
    qtbot.mouseClick(panel.cards[1].match, Qt.MouseButton.LeftButton)
    draft = store.state.run.draft
    assert draft is not None
    size = draft.models[0].hidden_size
    assert draft.models == (replace(vanilla, hidden_size=size), lstm)
    near = parameter_count(draft.models[0], *sizes)
    assert abs(near - counts[1]) <= min(
        abs(parameter_count(replace(vanilla, hidden_size=size + other), *sizes) - counts[1]) for other in (-1, 1)
    )
    assert panel.cards[0].parameters.text() == f"{near:,}"
    message = store.state.notices.message
    assert message is not None
    assert message.sentence == (
        f"Matched to LSTM (12 units, {counts[1]:,} parameters): Vanilla {size} units, {near:,}."
    )
    field = panel.cards[0].rows["hidden_size"].field
    qtbot.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert store.state.run.draft is None


def test_the_counts_follow_the_task_and_hide_where_only_its_file_tells(panel: ExperimentPanel, store: Store) -> None:
    experiment = store.state.run.experiment
    store.change(run=setting(draft=replace(experiment, task=Parity())))
    expected = [f"{parameter_count(model, 2, 2):,}" for model in experiment.models]
    assert [card.parameters.text() for card in panel.cards] == expected
    store.change(run=setting(draft=replace(experiment, task=NextCharacter())))
    assert [card.parameters.isVisible() or card.match.isVisible() for card in panel.cards] == [False, False]


def test_one_model_has_nothing_to_match(panel: ExperimentPanel, store: Store) -> None:
    experiment = store.state.run.experiment
    source = Trained(replace(experiment, models=experiment.models[:1]))
    store.change(run=setting(source=source, draft=None))
    assert panel.cards[0].parameters.isVisible()
    assert not panel.cards[0].match.isVisible()

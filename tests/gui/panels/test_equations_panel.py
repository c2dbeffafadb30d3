"""The equation at the cursor: which one it is, its numbers, and that the numbers in it come to its result."""

import gc
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from panels_state import make_capture, make_state, try_by_hand
from pytestqt.qtbot import QtBot
from several_calls import encoder_decoder

from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.formula import Equation, Term
from rnnviz.core.magnitude import l2
from rnnviz.core.numbers import short
from rnnviz.core.optimising.noise import deviation, drawn
from rnnviz.core.optimising.optimisers import Momentum
from rnnviz.core.optimising.schedules import StepDecay
from rnnviz.core.source import Trained
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.cursor.equation_lines import equation_lines
from rnnviz.gui.cursor.equation_words import substituted
from rnnviz.gui.cursor.equations import EquationsPanel
from rnnviz.gui.cursor.value_row import ValueSource
from rnnviz.gui.cursor.value_rows import value_rows
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.clipping import clip_changes, rate_changes
from rnnviz.gui.state.run import MetricCurve
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.updating import update_at
from rnnviz.runs.file.records import Event, Origin


@pytest.fixture
def store() -> Store:
    return Store(make_state())


@pytest.fixture
def panel(qtbot: QtBot, store: Store) -> EquationsPanel:
    panel = EquationsPanel(store)
    panel.resize(304, 300)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def test_forward_and_backward_forms_with_the_numbers_of_a_unit(panel: EquationsPanel, store: Store) -> None:
    lstm = store.state.recorded.traces[1].layers[0]
    store.change(place=setting(model=1, unit=6, cursor=Cursor(0, Phase.FORWARD, 41, "l0", "f")))
    symbols, numbers = panel.view.text.split("\n")
    assert symbols == "f_t = σ(a_f,t)"
    assert numbers.startswith(f"{short(float(lstm.gates['f'][40, 0, 6]))} = σ(")
    assert [word.markup for word in panel.view.lines[0].words if word.active] == ["f_t"]
    store.change(place=setting(cursor=Cursor(0, Phase.BACKWARD, 41, "l0", "c")))
    symbols, numbers = panel.view.text.split("\n")
    assert symbols == "∂L/∂c_t = ∂L/∂h_t ⊙ o_t ⊙ (1 − tanh²(c_t)) + f_t+1 ⊙ ∂L/∂c_t+1"
    assert numbers.startswith(f"{short(float(lstm.cell_grad[40, 0, 6]))} = ")
    assert numbers.count("·") > 3
    assert "⊙" not in numbers


def test_another_theme_dresses_the_same_equations(panel: EquationsPanel, store: Store) -> None:
    store.change(place=setting(model=1, unit=6, cursor=Cursor(0, Phase.BACKWARD, 41, "l0", "c")))
    for look, other in (("light", "dark"), ("dark", "light")):
        store.change(look=setting(theme=look))
        image = panel.view.grab().toImage()
        inks = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
        assert {theme(look).text, theme(look).muted} <= inks
        assert not {theme(other).text, theme(other).muted} & inks


def test_below_the_top_the_direct_part_is_what_the_layer_above_reads() -> None:
    capture = make_capture(Structure("gru", 8, 5, num_layers=3, bidirectional=True), 4)
    trace = rebuild(capture)

    def shown(trace: Trace, layer: str) -> tuple[str, str]:
        symbols, numbers, *_ = equation_lines(trace, Cursor(0, Phase.BACKWARD, 41, layer, "h"), None, None)
        return tuple("".join(word.markup for word in line.words).replace(" ", "") for line in (symbols, numbers))

    for layer, symbol in (("l0", "∂L/∂x_t^{(1)}"), ("l1_reverse", "∂L/∂x_t^{(2)}"), ("l2", "∂L_t/∂h_t")):
        symbols, numbers = shown(trace, layer)
        assert symbols.startswith(f"∂L/∂h_t={symbol}+")
        assert f"‖{symbol}‖{short(float(l2(trace.layer(layer).direct_grad[40, 0])))}," in numbers
    assert shown(rebuild(capture.with_call(head=None)), "l2")[0].startswith("∂L/∂h_t=∂L/∂output_t+")


@pytest.mark.parametrize("direction", ["l0", "l0_reverse"])
def test_where_the_gradient_is_cut_the_equations_and_the_values_say_so(direction: str) -> None:
    capture = make_capture(Structure("gru", 8, 5, bidirectional=True), 4)
    everywhere = np.full_like(capture.calls[0].grad_output, 0.7)
    trace = rebuild(capture.with_call(cut=np.isin(np.arange(64), (11, 63)), grad_output=everywhere, head=None))
    after, place = (12, 13) if direction.endswith("reverse") else (13, 12)
    words = f"cut here: no gradient is carried back from t = {after} to t = {place}"

    def said(t: int, phase: Phase = Phase.BACKWARD, operation: str = "h") -> list[str]:
        lines = equation_lines(trace, Cursor(0, phase, t, direction, operation), 3, None)
        texts = (" ".join(word.markup for word in line.words) for line in lines)
        return [text for text in texts if "cut" in text]

    assert said(place) == [words]
    assert not said(11) + said(after) + said(64) + said(place, Phase.FORWARD) + said(place, operation="z")
    (row,) = [row for row in value_rows([trace], direction, place) if row.key == "carried_grad"]
    source = ValueSource(trace, trace.layer(direction), place, None)
    assert (row.number(source), row.note(source)) == ("cut", words)


def test_what_attention_sends_to_an_encoder_is_called_so_as_in_the_values() -> None:
    trace = rebuild(encoder_decoder(depth=1)).sample(1)
    lines = equation_lines(trace, Cursor(0, Phase.BACKWARD, 2, "l0_reverse", "h"), None, None)
    symbols, numbers, *_ = ("".join(word.markup for word in line.words).replace(" ", "") for line in lines)
    assert symbols.startswith("∂L/∂h_t=(∂L/∂h_t)^{attention}+")
    sent = float(l2(trace.head.attention.read_grad[1, 0, 4:]))
    assert f"‖(∂L/∂h_t)^{{attention}}‖{short(sent)}," in numbers


def test_a_whole_time_step_is_summed_up_and_matrices_are_given_by_norms(panel: EquationsPanel, store: Store) -> None:
    store.change(place=setting(model=1, unit=2, cursor=Cursor(0, Phase.FORWARD, 3)))
    assert [line.split(" = ")[0] for line in panel.view.text.split("\n")[::2]] == ["c_t", "h_t"]
    store.change(place=setting(cursor=Cursor(0, Phase.FORWARD, 3, "l0", "W x")))
    assert "‖W_ih‖" in panel.view.text
    store.change(place=setting(cursor=Cursor(0, Phase.BACKWARD, 3, "l0", "U h")))
    assert "added up so far" in panel.view.text
    assert "‖∂L/∂a_t‖" in panel.view.text  # no single unit's value among norms


def test_model_and_unit_are_chosen_in_the_panel(panel: EquationsPanel, store: Store) -> None:
    store.change(place=setting(cursor=Cursor(0, Phase.FORWARD, 3, "l0", "h")))
    panel.model.setFocus()
    panel.model.setCurrentIndex(1)
    panel.model.activated.emit(1)
    assert (store.state.place.model, store.state.place.cursor.operation) == (1, "")
    panel.unit.activated.emit(4)
    assert store.state.place.unit == 3
    assert panel.unit.currentText() == "unit 4"
    panel.unit.activated.emit(0)
    assert store.state.place.unit == -1


def test_every_operation_of_every_phase_can_be_set(store: Store) -> None:
    for model, trace in enumerate(store.state.recorded.traces):
        one = trace.sample(0)
        for phase in Phase:
            having = store.state.walkable.operations(replace(store.state.place, model=model), phase)
            update = update_at(store.state, model)
            assert len(having) == (0 if phase is Phase.ACCUMULATE else len(having) or 1)
            for key in ("", *(each.key for each in having)):
                for unit in (None, 0):
                    lines = equation_lines(
                        one, Cursor(0, phase, 64, "l0", key), unit, TrainingSettings().rule, None, update
                    )
                    assert lines, (model, phase, key)
                    said = "".join(word.markup for line in lines for word in line.words)
                    assert "nan" not in said.lower()


def test_a_long_equation_is_broken_before_a_sign_and_nothing_is_cut(panel: EquationsPanel, store: Store) -> None:
    store.change(place=setting(model=1, unit=0, cursor=Cursor(0, Phase.BACKWARD, 41, "l0", "c")))
    view = panel.view
    assert view.height() > 4 * 19  # two lines each
    placed = view._placed
    assert all(word.x < view.width() - 12 for word in placed)
    assert {word.word.markup for word in placed if word.x == 28} <= {"+", "⊙", "·"}


def test_a_what_if_puts_its_own_numbers_in_and_says_so(panel: EquationsPanel, store: Store) -> None:
    store.change(place=setting(model=1, unit=6, cursor=Cursor(0, Phase.FORWARD, 41, "l0", "f")))
    history = panel.view.text
    changed = try_by_hand(store)
    assert panel.title.text() == "Equation, what-if"
    assert panel.view.text != history
    assert panel.view.text.split("\n")[1].startswith(short(float(changed.layers[0].gates["f"][40, 0, 6])))
    store.change(place=setting(model=0, cursor=Cursor(0, Phase.FORWARD, 41)))
    assert panel.title.text() == "Equation, history"  # the other model is as it was


def stand_on(store: Store, phase: Phase, operation: str, training_step: int = 0, time_step: int = 64) -> None:
    cursor = Cursor(training_step, phase, time_step, "l0", operation)
    store.change(place=setting(model=1, unit=-1, cursor=cursor))


def test_the_loss_is_that_of_the_time_step_and_says_where_nothing_is_asked(panel: EquationsPanel, store: Store) -> None:
    head = store.state.recorded.traces[1].head
    stand_on(store, Phase.LOSS, "prediction_grad")
    symbols, numbers, note = panel.view.text.split("\n")
    assert symbols == "∂L/∂y_t = w_t (p_t − e_k)"
    value, chance = (float(one[63, 0, 0]) for one in (head.prediction_grad, head.probabilities))
    assert numbers == f"{short(value)} = 1.00 · ({short(chance)} − 1.00)"
    assert note == "of output 1 of 4, the target"
    stand_on(store, Phase.LOSS, "loss", time_step=41)
    assert panel.view.text.split("\n")[1].startswith("0 = ")
    assert panel.view.text.endswith("nothing is asked at t = 41, so that L_t and its gradients are 0")
    stand_on(store, Phase.LOSS, "output_grad")
    assert panel.view.text.split("\n")[1].startswith(f"‖∂L_t/∂h_t‖ {short(float(l2(head.output_grad[63, 0])))}, ")
    store.change(place=setting(unit=6))
    assert panel.view.text.split("\n")[1].startswith(f"∂L_t/∂h_t {short(float(head.output_grad[63, 0, 6]))}, ")


def test_numbers_beside_one_another_are_multiplied_and_settings_keep_their_digits(
    panel: EquationsPanel, store: Store
) -> None:
    def numbers(operation: str) -> str:
        stand_on(store, Phase.UPDATE, operation)
        return str(panel.view.text.split("\n")[1])

    stand_on(store, Phase.UPDATE, "mean")
    update = update_at(store.state)
    assert update is not None
    gradient = np.asarray(update.find("weight_hh_l0", "gradient"))
    place = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)

    def at(name: str) -> str:
        value = short(float(np.asarray(update.find("weight_hh_l0", name))[place]))
        return f"({value})" if value.startswith("−") else value

    assert numbers("mean").endswith(f" = 0.9 · 0 + (1 − 0.9) · {at('clipped')}")
    assert numbers("mean square").endswith(f" = 0.999 · 0 + (1 − 0.999) · {at('clipped')}²")
    assert numbers("delta").endswith(f" = −0.01 · {at('m_hat')} / (√{at('v_hat')} + 10⁻⁸)")
    assert f"W_hh, row {place[0] + 1} column {place[1] + 1}: the largest gradient." in panel.view.text


def test_a_power_of_ten_stands_in_brackets_where_a_root_or_a_square_would_take_a_part_of_it() -> None:
    a, b = Term("a", "a"), Term("b", "b")
    equation = Equation(Term("r", "r"), "√{} + 2 {}² + {} ({} − {})", (a, b, a, a, b), lambda *_: np.zeros(()))
    numbers = equation.numbers({"a": np.array(2e-4), "b": np.array(-3e-5)}.get)
    said = "".join(" " * word.spaced + word.markup for word in substituted(equation, numbers, lambda _: "text"))
    assert said == "0 = √(2.0·10⁻⁴) + 2 · (−3.0·10⁻⁵)² + 2.0·10⁻⁴ · (2.0·10⁻⁴ − (−3.0·10⁻⁵))"


def test_the_update_is_that_of_the_what_if(panel: EquationsPanel, store: Store) -> None:
    stand_on(store, Phase.UPDATE, "gradient")
    history = panel.view.text
    changed = try_by_hand(store)
    gradient = changed.layers[0].weight_grads["weight_hh"]
    largest = gradient.flat[np.abs(gradient).argmax()]
    assert panel.view.text.split("\n")[1] == f"{short(float(largest))} = {short(float(largest))}"
    assert panel.view.text != history
    store.change(place=setting(parameter="head.weight"))
    assert "∂L/∂W_ho" in panel.view.text
    assert panel.parameter.currentText() == "W_ho"


def test_the_update_takes_the_rate_and_the_clip_norm_of_its_training_step(store: Store) -> None:
    events = [
        Event(1, 500, "setting", "…", {"learning_rate": [0.01, 0.004], "clip_norm": [1.0, 0.5]}),
        Event(2, 742, "setting", "…", {"learning_rate": [0.004, 0.25], "clip_norm": [0.5, 0.0]}),
    ]
    store.change(recorded=setting(rate_changes=rate_changes(events), clip_changes=clip_changes(events)))
    for step, rate, clip_norm in ((499, 0.01, 1.0), (500, 0.004, 0.5), (741, 0.004, 0.5), (742, 0.25, np.inf)):
        stand_on(store, Phase.UPDATE, "delta", step)
        found = update_at(store.state)
        assert found is not None
        assert (found.update.optimiser.learning_rate, found.update.clip_norm) == (rate, clip_norm)


def trained_with(store: Store, **settings: Any) -> None:
    training = TrainingSettings(learning_rate=0.2, **settings)
    store.change(run=setting(source=Trained(replace(first_lesson(), training=training, seed=8))))


def test_the_update_shows_value_clip_noise_decay_and_momentum_of_its_training_step(
    panel: EquationsPanel, store: Store
) -> None:
    own, schedule = Momentum(0.2, 0.7, 0.3), StepDecay(300, 0.5)
    trained_with(store, optimiser="momentum", own=own, clip_value=0.05, gradient_noise=0.4, schedule="step",
                 scheduled=schedule)  # fmt: skip
    store.change(run=setting(origin=Origin("parent.rnnviz", 742, anew=True)))
    having = store.state.walkable.operations(store.state.place, Phase.UPDATE)
    keys = ["gradient", "clip", "clip value", "noise", "decay", "momentum", "delta", "weights"]
    assert [one.key for one in having] == keys
    for model in range(2):
        store.change(place=setting(model=model))
        for key in keys:
            stand_on(store, Phase.UPDATE, key, 742)
            assert "–" not in panel.view.text.replace("rnnviz – ", ""), key
    found = update_at(store.state, 1)
    assert found is not None
    assert found.update.optimiser.learning_rate == 0.2 * 0.5**2
    noise = np.asarray(found.find("weight_hh_l0", "noise_drawn"))
    np.testing.assert_array_equal(noise, drawn(8, 743, 1, "weight_hh_l0", noise.shape))
    clipped, noisy = (np.asarray(found.find("weight_hh_l0", name)) for name in ("value_clipped", "noisy"))
    np.testing.assert_allclose(noisy, clipped + deviation(0.4, 743) * noise, rtol=1e-5, atol=1e-7)
    assert np.abs(clipped).max() <= 0.05
    stand_on(store, Phase.UPDATE, "noise", 742)
    assert "σ_s = √(ν / s^0.55)" in panel.view.text.replace("{", "").replace("}", "")
    assert panel.view.text.endswith("the same numbers that the training adds to the gradient of its batch")
    stand_on(store, Phase.UPDATE, "delta", 742)
    assert "η of training step 743, step: η γ^⌊s/every⌋ from η = 0.2" in panel.view.text
    assert " = −0.05 · " in panel.view.text


def test_a_rate_that_the_validation_makes_is_known_where_it_is_recorded(panel: EquationsPanel, store: Store) -> None:
    trained_with(store, optimiser="sgd", schedule="plateau")
    rates = MetricCurve(np.arange(1, 501), np.repeat([0.2, 0.02], 250))
    history = replace(store.state.recorded.history, curves={(1, "learning_rate"): rates})
    store.change(recorded=setting(history=history), place=setting(model=1))
    for step, rate in ((249, 0.2), (250, 0.02), (499, 0.02)):
        stand_on(store, Phase.UPDATE, "delta", step)
        found = update_at(store.state, 1)
        assert found is not None
        assert (found.update.optimiser.learning_rate, found.unknown) == (rate, "")
    stand_on(store, Phase.UPDATE, "delta", 500)
    sentence = "The learning rate of training step 501 is not recorded: it depends on the validation loss."
    assert panel.view.text.endswith(sentence)
    assert panel.view.text.split("\n")[1].startswith("– = −–")


def test_what_the_optimiser_had_gathered_is_known_where_it_began(panel: EquationsPanel, store: Store) -> None:
    stand_on(store, Phase.UPDATE, "delta", 742)
    assert panel.view.text.endswith("What the optimiser had gathered at training step 742 is not kept in this run.")
    store.change(run=setting(origin=Origin("parent.rnnviz", 742, anew=True)))
    found = update_at(store.state)
    assert found is not None
    assert found.unknown == ""
    store.change(run=setting(origin=Origin("parent.rnnviz", 742)), recorded=setting(gathered=("", "It is damaged.")))
    assert panel.view.text.endswith("It is damaged.")


def test_an_update_is_made_once_and_goes_with_its_trace(store: Store) -> None:
    stand_on(store, Phase.UPDATE, "delta")
    found = update_at(store.state)
    assert found is not None
    assert update_at(store.state) is found
    gone = weakref.ref(found)
    del found
    store.change(recorded=setting(traces=()), place=setting(cursor=Cursor(0, Phase.FORWARD, 1)))
    gc.collect()
    assert gone() is None

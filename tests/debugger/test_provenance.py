"""The parts of a gradient value sum to it, and each is what it is called."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from several_calls import encoder_decoder

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.heads.losses import LOSSES
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.what_if.changed_capture import changed_capture
from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed, recompute
from rnnviz.core.sweeps.what_if.interventions import CutGradient, SetValue
from rnnviz.debugger.head_provenance import HeadPlace, head_provenance
from rnnviz.debugger.provenance import GradientPlace, Part, cancellation, provenance

OF = {"vanilla": "ha", "lstm": "hcifgo", "gru": "hrzn", "mlp": "ha", "tdnn": "ha"}
TIME_STEPS = 6


@st.composite
def places(draw):
    cell = draw(st.sampled_from(list(OF)))
    structure = Structure(
        cell,
        input_size=2,
        hidden_size=3,
        num_layers=draw(st.integers(1, 3)),
        bidirectional=draw(st.booleans()),
        activation=draw(st.sampled_from(["tanh", "relu", "sigmoid"])) if cell == "vanilla" else "tanh",
        proj_size=draw(st.sampled_from([0, 2])) if cell == "lstm" else 0,
        window=3 if cell == "tdnn" else 1,
        residual=draw(st.booleans()),
    )
    of = draw(st.sampled_from(OF[cell]))
    unit = draw(st.integers(1, structure.output_size if of == "h" else 3))
    place = GradientPlace(of, draw(st.sampled_from(structure.layer_names)), draw(st.integers(1, TIME_STEPS)), unit)
    return structure, place


def value_at(trace, place):
    layer = trace.layer(place.layer)
    array = {"h": layer.hidden_grad, "c": layer.cell_grad}.get(place.of)
    array = layer.gate_grads[place.of] if array is None else array
    return array[place.time_step - 1, 0, place.unit - 1]


def assert_sums(found, value):
    assert found.value == value
    for parts in (found.losses, found.paths, found.units):
        sizes = [abs(part.value) for part in parts]
        assert sum(part.value for part in parts) == pytest.approx(value, rel=0, abs=1e-10 * max(1.0, sum(sizes)))
        assert sizes == sorted(sizes, reverse=True)
        assert sum(part.share for part in parts) == pytest.approx(1.0 if any(sizes) else 0.0)


@settings(max_examples=80)
@given(case=places(), seed=st.integers(0, 1000), dropout=st.sampled_from([0.0, 0.5]))
def test_parts_sum_to_the_value(random_capture, case, seed, dropout):
    structure, place = case
    capture = random_capture(structure, lengths=[TIME_STEPS, TIME_STEPS - 2], seed=seed, dropout=dropout)
    trace = rebuild(capture).sample(0)
    assert_sums(provenance(trace, place), value_at(trace, place))


@settings(max_examples=60)
@given(case=places(), seed=st.integers(0, 1000), data=st.data())
def test_parts_sum_to_the_value_in_a_changed_trace(random_capture, case, seed, data):
    structure, place = case
    changed = []
    for _ in range(2):
        letter = data.draw(st.sampled_from(OF[structure.cell]))
        time_step = data.draw(st.integers(1, TIME_STEPS))
        changed.append(SetValue(data.draw(st.sampled_from(structure.layer_names)), letter, time_step, 0.4, 1))
    if data.draw(st.booleans()):  # the very state the value passes through
        changed.append(SetValue(place.layer, "h", place.time_step, 0.4))
    changed.append(CutGradient(data.draw(st.integers(1, TIME_STEPS)), place.layer))
    trace = rebuild_changed(random_capture(structure, seed=seed), changed)
    assert_sums(provenance(trace, place), value_at(trace, place))


@pytest.mark.parametrize("cell", list(OF))
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_gradient_of_what_was_set_by_hand_is_its_parts(random_capture, cell, activation):
    structure = Structure(cell, 2, 3, num_layers=2, activation=activation if cell == "vanilla" else "tanh")
    for letter in OF[cell]:
        for layer in structure.layer_names:
            trace = rebuild_changed(random_capture(structure, seed=3), [SetValue(layer, letter, 5, 0.4, 2)])
            for unit in (1, 2, 3):
                place = GradientPlace(letter, layer, 5, unit)
                assert_sums(provenance(trace, place), value_at(trace, place))


@settings(max_examples=25)
@given(case=places(), seed=st.integers(0, 1000))
def test_each_loss_is_the_gradient_of_that_loss_alone(random_capture, case, seed):
    structure, place = case
    capture = changed_capture(random_capture(structure, seed=seed), ()).with_call(head=None)
    losses = provenance(rebuild(capture), place).losses
    for part in losses:
        grad_output = np.zeros_like(capture.grad_output)
        grad_output[part.time_step - 1] = capture.grad_output[part.time_step - 1]
        alone = rebuild(capture.with_call(grad_output=grad_output))
        assert part.value == pytest.approx(value_at(alone, place), rel=1e-9, abs=1e-13)
        assert part.words == f"L at t = {part.time_step}"


def test_the_paths_of_an_lstm_are_its_gates_and_its_cell(random_capture):
    trace = rebuild(random_capture(Structure("lstm", 2, 4))).sample(0)
    layer = trace.layers[0]
    hidden = {part.words: part for part in provenance(trace, GradientPlace("h", "l0", 3, 2)).paths}
    expected = layer.gate_grads["f"][3, 0] @ layer.weights["weight_hh"][4:8, 1]
    assert hidden["through the forget gate at t = 4"].value == pytest.approx(expected)
    assert hidden["directly from L at t = 3"].value == layer.direct_grad[2, 0, 1]
    assert len(hidden) == 5
    cell = {part.words: part for part in provenance(trace, GradientPlace("c", "l0", 3, 2)).paths}
    along = cell["along the cell state, f ⊙ ∂L/∂c at t = 4"]
    assert along.value == pytest.approx(layer.gates["f"][3, 0, 1] * layer.cell_grad[3, 0, 1])
    assert along.leads_to == GradientPlace("c", "l0", 4, 2)
    assert len(cell) == 6


def test_the_paths_of_a_gru_and_of_a_lower_layer(random_capture):
    trace = rebuild(random_capture(Structure("gru", 2, 3, num_layers=2))).sample(0)
    below, above = trace.layers
    found = provenance(trace, GradientPlace("h", "l0", 3, 2))
    paths = {part.words: part for part in found.paths}
    kept = below.gates["z"][3, 0, 1] * below.hidden_grad[3, 0, 1]
    assert paths["along z ⊙ h to t = 4"].value == pytest.approx(kept)
    through = above.gate_grads["n"][2, 0] @ above.weights["weight_ih"][6:9, 1]
    assert paths["through the new state of layer 1"].value == pytest.approx(through)
    assert paths["through the new state of layer 1"].leads_to.layer == "l1"
    units = {part.words: part for part in found.units}
    assert set(units) == {*(f"unit {u} at t = 4" for u in (1, 2, 3)), *(f"unit {u} of layer 1" for u in (1, 2, 3))}
    assert units["unit 1 at t = 4"].leads_to == GradientPlace("h", "l0", 4, 1)


def test_the_ways_around_layers_are_told_and_what_is_dropped(random_capture):
    structure = Structure("vanilla", 2, 3, num_layers=3, residual=True)
    trace = rebuild(random_capture(structure, dropout=0.5, seed=4)).sample(1)
    below, middle, top = trace.layers
    mask = below.mask[:, 0]
    t, unit = (int(one) for one in np.argwhere((mask != 0) & (np.arange(6) < 5)[:, None])[2])
    found = provenance(trace, GradientPlace("h", "l0", t + 1, unit + 1))
    paths = {part.words: part for part in found.paths}
    through = [mask[t, unit] * one.gate_grads["a"][t, 0] @ one.weights["weight_ih"][:, unit] for one in (middle, top)]
    assert paths["through the pre-activation of layer 1"].value == pytest.approx(through[0])
    around = paths["through the pre-activation of layer 2, around layer 1"]
    assert around.value == pytest.approx(through[1])
    assert around.leads_to.layer == "l2"
    straight = paths[f"directly from L at t = {t + 1}, around layer 1 and layer 2"]
    assert straight.value == pytest.approx(mask[t, unit] * top.direct_grad[t, 0, unit])
    assert "unit 2 of layer 2, around layer 1" in {part.words for part in found.units}
    t, unit = (int(one) for one in np.argwhere((mask == 0) & (np.arange(6) < 5)[:, None])[1])
    found = provenance(trace, GradientPlace("h", "l0", t + 1, unit + 1))
    for parts in (found.paths, found.units):
        (dropped,) = (part for part in parts if part.time_step == t + 1)
        assert (dropped.words, dropped.value) == (f"nothing from layer 1: dropped at t = {t + 1}", 0.0)


@pytest.mark.parametrize("cell", ["lstm", "gru", "vanilla"])
@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("both_ways", [True, False])
def test_parts_go_through_hand_over_and_attention(cell, attention, both_ways):
    capture = encoder_decoder(cell, attention=attention, both_ways=both_ways)
    capture = replace(
        capture, calls=tuple(replace(one, structure=replace(one.structure, residual=True)) for one in capture.calls)
    )
    trace = recompute(capture, (), 1)  # 4 and 2 time steps
    for layer in trace.layers:
        for t, of in product(layer.times(), OF[cell]):
            place = GradientPlace(of, layer.name, t + 1, 2)
            assert_sums(provenance(trace, place), value_at(trace, place))
    with pytest.raises(RnnvizError, match="the time step of decoder, layer 1 must be from 5 to 6, not 4"):
        provenance(trace, GradientPlace("h", "decoder.l1", 4, 1))


def test_what_is_handed_over_leads_to_the_decoder():
    trace = recompute(encoder_decoder("gru"), (), 0)  # the encoder has 2 time steps
    bridge, follower = trace.calls[1].bridge, trace.layer("decoder.l1")
    found = provenance(trace, GradientPlace("h", "l1", 2, 3))
    paths = {part.words: part for part in found.paths}
    kept = bridge.bridge.weight["h"][1, :, 2] @ (follower.gates["z"][2, 0] * follower.hidden_grad[2, 0])
    along = paths["along z ⊙ h to t = 3, handed over"]
    assert along.value == pytest.approx(kept)
    assert along.leads_to.layer == "decoder.l1"
    assert paths["through the new state at t = 3, handed over"].time_step == 3
    looked = trace.head.attention.read_grads(np.array([3]))[0, 1, 2]
    assert paths["through attention from L at t = 4"].value == pytest.approx(looked)
    assert not any("given" in words for words in paths)
    assert {part.words for part in found.losses} == {"L at t = 3", "L at t = 4", "L at t = 5"}
    assert "unit 2 at t = 3, handed over" in {part.words for part in found.units}


@pytest.mark.parametrize("seed", range(5))
def test_a_path_leads_to_the_unit_that_adds_most_whatever_its_sign(random_capture, seed):
    layer = (trace := rebuild(random_capture(Structure("lstm", 2, 4), seed=seed)).sample(1)).layers[0]
    paths = {part.words: part for part in provenance(trace, GradientPlace("h", "l0", 3, 2)).paths}
    for number, gate in enumerate("ifgo"):
        parts = layer.gate_grads[gate][3, 0] * layer.weights["weight_hh"][4 * number : 4 * number + 4, 1]
        leads_to = next(part.leads_to for part in paths.values() if part.leads_to and part.leads_to.of == gate)
        assert leads_to == GradientPlace(gate, "l0", 4, int(np.argmax(np.abs(parts))) + 1)


def test_how_much_cancels_on_the_way_to_the_value(random_capture):
    found = provenance(rebuild(random_capture(Structure("lstm", 2, 7))).sample(1), GradientPlace("h", "l0", 2, 5))
    for parts in (found.losses, found.paths, found.units, found.units[3:]):
        values = np.array([part.value for part in parts])
        assert cancellation(parts) == pytest.approx(np.abs(values).sum() / abs(values.sum()))
    assert cancellation(found.units) > 1.5
    assert cancellation([Part("", 2.0, 0, 1), Part("", -2.0, 0, 1)]) == np.inf
    for nothing in ((), (Part("", 0.0, 0, 1),), (Part("", 1.0, 0, 1), Part("", np.nan, 0, 1))):
        assert np.isnan(cancellation(nothing))


def test_every_click_leads_to_a_place_that_exists(random_capture):
    structure = Structure("lstm", 2, 4, num_layers=2, bidirectional=True, proj_size=3)
    trace = rebuild(random_capture(structure)).sample(1)
    for of in OF["lstm"]:
        for layer in structure.layer_names:
            found = provenance(trace, GradientPlace(of, layer, 3, 2))
            for part in (*found.paths, *found.units):
                if part.leads_to is not None:
                    assert np.isfinite(provenance(trace, part.leads_to).value)


@pytest.mark.parametrize("sample", [0, 1])
def test_it_is_asked_of_one_sequence(random_capture, sample):
    trace = rebuild(random_capture(Structure("gru", 2, 3), lengths=[6, 4], seed=3))
    place = GradientPlace("h", "l0", 3, 2)
    assert provenance(trace, place, sample) == provenance(trace.sample(sample), place)
    assert provenance(trace, place, sample).value == pytest.approx(trace.layers[0].hidden_grad[2, sample, 1])


def test_what_has_no_gradient_is_refused(random_capture):
    trace = rebuild(random_capture(Structure("gru", 2, 3)))
    for place, sentence in [
        (GradientPlace("c", "l0", 1, 1), "gru cell has a gradient of h, r, z, n, not 'c'"),
        (GradientPlace("h", "l1", 1, 1), "wanted one of l0"),
        (GradientPlace("h", "l0", 7, 1), "time step must be from 1 to 6, not 7"),
        (GradientPlace("h", "l0", 1, 0), "unit must be from 1 to 3, not 0"),
    ]:
        with pytest.raises(RnnvizError, match=sentence):
            provenance(trace, place)


def test_words_name_the_place_as_an_expression_does():
    assert GradientPlace("f", "l0", 12, 7).words == "∂L/∂a_f[12, 7] of l0"
    assert GradientPlace("h", "l1", 2, 1).words == "∂L/∂h[2, 1] of l1"


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("loss", ["cross entropy", "binary cross-entropy"])
def test_through_a_pooling_every_later_loss_comes_directly(random_capture, pooling, loss):
    structure = Structure("lstm", 2, 3, num_layers=2, bidirectional=True)
    capture = random_capture(structure, loss="cross entropy", lengths=[4, 6], seed=11)
    asked = np.where(np.arange(6)[:, None] < capture.lengths, capture.head.loss_weight, 0)
    head = replace(capture.head, pooling=pooling, loss=loss, loss_weight=asked)
    if loss != "cross entropy":
        head = replace(head, targets=np.eye(3)[head.targets])
    capture = capture.with_call(head=head)
    trace = rebuild(capture.with_call(grad_output=rebuild(capture).head.output_grad)).sample(0)
    words = "through the mean over time" if pooling == "mean" else "through the maximum over time"
    direct = set()
    for layer in ("l0", "l0_reverse", "l1", "l1_reverse"):
        for t, unit in product(range(1, 5), range(1, 4)):
            place = GradientPlace("h", layer, t, unit)
            found = provenance(trace, place)
            for parts in (found.losses, found.paths, found.units):
                assert sum(part.value for part in parts) == pytest.approx(found.value, abs=1e-14)
            mine = [part for part in found.paths if part.words.startswith("directly")]
            assert all(part.words == f"directly from L at t = {part.time_step}, {words}" for part in mine)
            assert all(part.time_step >= max(t, 2) for part in mine)  # nothing is asked at first
            direct |= {(layer, part.time_step - t) for part in mine}
    assert {layer for layer, _ in direct} == {"l1", "l1_reverse"}
    assert max(later for _, later in direct) > 0
    for output in range(3):
        found = head_provenance(trace, HeadPlace("W_ho", 4, output + 1, 2))
        assert sum(part.value for part in found.losses) == pytest.approx(found.value, abs=1e-14)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_head_without_weights_tells_of_its_prediction_alone(random_capture, pooling):
    capture = random_capture(Structure("gru", 2, 3), loss="cross entropy")
    head = replace(capture.head, weight=None, bias=None, pooling=pooling)
    trace = rebuild(capture.with_call(head=head)).sample(0)
    assert head_provenance(trace, HeadPlace("y", 3, 2)).value == trace.head.prediction_grad[2, 0, 1]
    with pytest.raises(RnnvizError, match="the head has a gradient of y, not 'W_ho'"):
        head_provenance(trace, HeadPlace("W_ho", 3, 2, 1))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("both", [False, True])
def test_the_heads_gradients_are_made_of_what_pulls_and_of_time_steps(random_capture, loss, both):
    trace = rebuild(random_capture(Structure("gru", 2, 3, bidirectional=both), loss=loss, lengths=[4, 6])).sample(0)
    head = trace.head
    for t in range(4):
        for output in range(3):
            found = head_provenance(trace, HeadPlace("y", t + 1, output + 1))
            assert found.value == head.prediction_grad[t, 0, output]
            for parts in (found.losses, found.paths):
                assert sum(part.value for part in parts) == pytest.approx(found.value, abs=1e-14)
            assert [part.time_step for part in found.paths] == ([t + 1] * 2 if t else [])  # nothing is asked at first
    width = head.pooled.shape[-1]
    for unit in range(width):
        found = head_provenance(trace, HeadPlace("W_ho", 4, 2, unit + 1))
        assert found.value == head.weight_grads["weight"][1, unit]
        assert {part.time_step for part in found.losses} == {2, 3, 4}
        assert sum(part.value for part in found.losses) == pytest.approx(found.value, abs=1e-14)
        size = {part.time_step: abs(head.prediction_grad[part.time_step - 1, 0, 1]) for part in found.losses}
        for part in found.losses:
            wanted = size[part.time_step] * abs(head.output[part.time_step - 1, 0, unit])
            assert abs(part.value) == pytest.approx(wanted)
    assert HeadPlace("W_ho", 4, 2, 3).words == "∂L/∂W_ho[2, 3]"
    for place in (HeadPlace("y", 5, 1), HeadPlace("y", 1, 4), HeadPlace("W_ho", 1, 1, width + 1), HeadPlace("z", 1, 1)):
        with pytest.raises(RnnvizError, match="provenance: the"):
            head_provenance(trace, place)
    with pytest.raises(RnnvizError, match="no head"):
        head_provenance(rebuild(random_capture(Structure("gru", 2, 3)).with_call(head=None)), HeadPlace("y", 1, 1))

"""The ways back: each alone is what its formula says, together they are all that came."""

import numpy as np
import pytest
from every_cell import CHOICES
from several_calls import encoder_decoder

from rnnviz.core.equations.ways import ways_back
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild

SYMBOLS = {
    "vanilla-tanh": ["W_{hh}ᵀ ∂L/∂a_{t+1}"],
    "lstm": ["W_{hh}ᵀ ∂L/∂a_{t+1}", "f_{t+1} ⊙ ∂L/∂c_{t+1}"],
    "gru": ["z_{t+1} ⊙ ∂L/∂h_{t+1}", "W_{hh}ᵀ ∂L/∂a_{t+1}"],
    "peephole_lstm": [
        "W_{hh}ᵀ ∂L/∂a_{t+1}",
        "f_{t+1} ⊙ ∂L/∂c_{t+1}",
        "p_i ⊙ ∂L/∂s_{i,t+1} + p_f ⊙ ∂L/∂s_{f,t+1}",
    ],
    "mingru": ["(1 − z_{t+1}) ⊙ ∂L/∂h_{t+1}"],
}


@pytest.mark.parametrize("name", SYMBOLS)
def test_each_way_is_written_as_it_is_computed(name):
    cell = Structure(input_size=3, hidden_size=4, **CHOICES[name]).equations
    assert [way.symbol for way in ways_back(cell)] == SYMBOLS[name]


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES.keys())
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_all_ways_together_are_what_came(autograd, choice, number):
    structure = Structure(input_size=3, hidden_size=4, num_layers=2, bidirectional=True, **choice)
    layer = rebuild(autograd.random_capture(structure, time_steps=6, sequences=2)).layers[number]
    for state in structure.equations.states:
        ways = [way for way in ways_back(structure.equations) if way.state == state]
        for sample in range(2):
            came = sum(way.came(layer, range(6), sample) for way in ways)
            np.testing.assert_allclose(came, layer.arriving[state][:, sample], rtol=1e-9, atol=1e-15)
            assert np.abs(came).max() > 0


def test_along_the_cell_state_comes_the_forget_gates_part_alone(autograd):
    structure = Structure("lstm", 3, 4)
    layer = rebuild(autograd.random_capture(structure, time_steps=6, sequences=2)).layers[0]
    through, along = ways_back(structure.equations)
    f, cell_grad = layer.value("f"), layer.grad("c")
    np.testing.assert_allclose(along.came(layer, range(1, 5), 1), (f * cell_grad)[2:6, 1], rtol=1e-12)
    delta = layer.grad("a")[2:6, 1]
    np.testing.assert_allclose(through.came(layer, range(1, 5), 1), delta @ layer.weights["weight_hh"], rtol=1e-9)
    assert not along.came(layer, range(5, 6), 1).any(), "nothing comes from behind the last time step"
    assert (along.parameter, through.parameter) == ("", "weight_hh")


def test_where_the_gradient_is_cut_nothing_comes(autograd):
    from rnnviz.core.sweeps.what_if.changed_trace import recompute
    from rnnviz.core.sweeps.what_if.interventions import CutGradient

    structure = Structure("gru", 3, 4)
    capture = autograd.random_capture(structure, time_steps=6, sequences=2)
    layer = recompute(capture, (CutGradient(3, "l0"),), 1).layers[0]
    cut = [
        not sum(np.abs(way.came(layer, range(6), 0)).sum(1) for way in ways_back(structure.equations))[t]
        for t in range(6)
    ]
    assert [t for t in range(6) if layer.cut[t]] == [t for t in range(5) if cut[t]]
    assert any(layer.cut)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("both_ways", [False, True], ids=["as they are", "bridge"])
def test_at_the_end_of_an_encoder_the_decoder_hands_back(cell, both_ways):
    trace = rebuild(encoder_decoder(cell, both_ways=both_ways))
    for layer in trace.calls[0].layers:
        for sample in range(2):
            own = layer.times(sample)
            end = own[0] if layer.reverse else own[-1]
            for state in layer.equations.states:
                ways = [way for way in ways_back(layer.equations) if way.state == state]
                came = sum(way.came(layer, range(5), sample) for way in ways)
                np.testing.assert_allclose(came, layer.arriving[state][:5, sample], rtol=1e-9, atol=1e-15)
                assert came[end].any()

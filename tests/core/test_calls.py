"""Several calls on one time axis: a call that begins with another's final states, a module called twice, pickling."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from several_calls import call, weights_of

from rnnviz.core.cells import CELLS
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.verdicts.fidelity import weight_grads

LIMIT = 1e-10


def final_grads(structure, seed):
    draw = np.random.default_rng(seed)
    rows = structure.num_layers * structure.directions
    return {state: draw.normal(size=(rows, 2, structure.units(state))) for state in structure.equations.states}


def close(ours, theirs):
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=LIMIT * max(float(np.abs(theirs).max()), 1e-3))


class Truth:
    """Autograd over the calls, by the hand-written step, as (T)(N) tensors of each layer."""

    def __init__(self, autograd, capture):
        torch = self.torch = autograd.torch
        self.weights = {name: torch.tensor(np.array(w), requires_grad=True) for name, w in capture.weights.items()}
        self.first, self.inputs, self.finals = [], [], []
        loss = torch.zeros((), dtype=torch.float64)
        for one in capture.calls:
            first = {s: torch.tensor(np.array(a), requires_grad=True) for s, a in one.initial.items()}
            self.first.append(first)
            begin = first if one.follows is None else self.finals[one.follows]
            x = torch.tensor(np.array(one.inputs), requires_grad=True)
            self.inputs.append(x)
            output, final = self._run(autograd, one, x, begin)
            self.finals.append(final)
            loss = loss + (output * torch.tensor(np.array(one.grad_output))).sum()
            for state, grad in one.grad_final.items():
                loss = loss + (final[state] * torch.tensor(np.array(grad))).sum()
        loss.backward()

    def _run(self, autograd, one, x, begin):
        torch, structure = self.torch, one.structure
        prefix = f"{one.module}." if one.module else ""
        w = {name: self.weights[prefix + name] for name in structure.parameter_shapes()}
        time_steps = len(one.inputs)
        lengths = [time_steps, time_steps] if one.lengths is None else one.lengths.tolist()
        below, level, finals = x, [], {state: [] for state in structure.equations.states}
        for number, name in enumerate(structure.layer_names):
            rows = [[None, None] for _ in range(time_steps)]
            last = []
            for n, length in enumerate(lengths):
                states = {state: tensor[number, n] for state, tensor in begin.items()}
                for t in range(length - 1, -1, -1) if name.endswith("_reverse") else range(length):
                    states = autograd.step(structure, w, name, below[t, n], states, lambda _, value: value)
                    rows[t][n] = states[structure.equations.output]
                last.append(states)
            zero = torch.zeros(structure.output_size, dtype=torch.float64)
            level.append(torch.stack([torch.stack([zero if h is None else h for h in row]) for row in rows]))
            for state, tensors in finals.items():
                tensors.append(torch.stack([states[state] for states in last]))
            if len(level) == structure.directions:
                below, level = torch.cat(level, dim=-1), []
        return below, {state: torch.stack(tensors) for state, tensors in finals.items()}


def follow(autograd, weights, encoder, decoder):
    """Both calls, the second with the first one's final states, as torch would have captured them."""
    final = Truth(autograd, Capture(weights, (encoder,))).finals[0]
    return Capture(weights, (encoder, replace(decoder, initial={s: t.detach().numpy() for s, t in final.items()})))


def assert_right(autograd, capture):
    trace, truth = rebuild(capture), Truth(autograd, capture)
    found = {}
    for number, one in enumerate(trace.calls):
        layers = one.layers
        lowest = layers[: one.call.structure.directions]
        own = slice(layers[0].start, layers[0].stop)
        close(sum(layer.input_grad[own] for layer in lowest), truth.inputs[number].grad.numpy())
        assert not any(np.delete(layer.hidden_grad, own, axis=0).any() for layer in layers)
        if one.call.follows is None:
            for state, tensor in truth.first[number].items():
                close(np.stack([layer.initial_grads[state] for layer in layers]), tensor.grad.numpy())
        for layer in layers:
            for name, grad in layer.weight_grads.items():
                whole = one.call.parameter(name, layer.id)
                found[whole] = found.get(whole, 0) + grad
    whole = weight_grads(capture, trace.layers)
    for name, tensor in truth.weights.items():
        close(found[name], tensor.grad.numpy())
        close(whole[name], tensor.grad.numpy())
    assert rebuild(
        replace(capture, grads={name: tensor.grad.numpy() for name, tensor in truth.weights.items()})
    ).faithful


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("lengths", [None, [4, 2]])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_an_encoder_and_a_decoder_that_follows_it(autograd, cell, lengths, bidirectional):
    structure = Structure(cell, 3, 4, 2, bidirectional, proj_size=2 if CELLS[cell].projection else 0)
    encoder = call(structure, 1, lengths=None if lengths is None else np.array(lengths), module="encoder")
    decoder = call(structure, 2, 3, name="decoder", module="decoder", start=4, follows=0)
    weights = weights_of(structure, "encoder", 3) | weights_of(structure, "decoder", 4)
    capture = follow(autograd, weights, encoder, decoder)
    assert_right(autograd, capture)
    trace = rebuild(capture)
    assert trace.time_steps == 7
    assert [layer.name for layer in trace.layers][-1] == f"decoder.l1{'_reverse' if bidirectional else ''}"
    assert trace.layer("decoder.l1").id.words == "decoder, layer 1"


def test_what_the_decoder_begins_with_is_the_encoders_own(autograd):
    structure = Structure("lstm", 3, 4)
    calls = call(structure, 1, module="e"), call(structure, 2, 3, name="decoder", module="d", start=4, follows=0)
    trace = rebuild(follow(autograd, weights_of(structure, "e", 3) | weights_of(structure, "d", 4), *calls))
    encoder, decoder = trace.layers
    for state in ("h", "c"):
        np.testing.assert_allclose(decoder.initial[state], encoder.value(state)[3], rtol=1e-12)
        np.testing.assert_allclose(encoder.arriving[state][3], decoder.initial_grads[state], rtol=1e-9)


@pytest.mark.parametrize("cell", ["vanilla", "lstm"])
def test_final_states_that_several_use_get_the_sum(autograd, cell):
    structure = Structure(cell, 3, 4, 2)
    encoder = call(structure, 1, module="e", grad_final=final_grads(structure, 5))
    weights = {
        name: w for n, module in enumerate(("e", "a", "b")) for name, w in weights_of(structure, module, n).items()
    }
    final = Truth(autograd, Capture(weights, (encoder,))).finals[0]
    initial = {state: tensor.detach().numpy() for state, tensor in final.items()}
    decoders = [
        replace(call(structure, n, 3, name=name, module=name, start=4, follows=0), initial=initial)
        for n, name in ((2, "a"), (3, "b"))
    ]
    assert_right(autograd, Capture(weights, (encoder, *decoders)))


@pytest.mark.parametrize("cell", list(CELLS))
def test_a_module_called_twice_has_one_gradient(autograd, cell):
    structure = Structure(cell, 3, 4, 2)
    calls = call(structure, 1), call(structure, 2, 3, name="again", start=4)
    assert_right(autograd, Capture(weights_of(structure, "", 3), calls))


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("lengths", [None, [3, 4]])
def test_gradients_of_final_states_come_from_outside(autograd, cell, bidirectional, lengths):
    structure = Structure(cell, 3, 4, 2, bidirectional)
    given = call(
        structure, 1, lengths=None if lengths is None else np.array(lengths), grad_final=final_grads(structure, 5)
    )
    assert_right(autograd, Capture(weights_of(structure, "", 3), (given,)))


def test_a_call_cannot_follow_a_later_one():
    structure = Structure("gru", 3, 4)
    capture = Capture(weights_of(structure, "", 3), (call(structure, 1, follows=1), call(structure, 2, name="b")))
    with pytest.raises(RnnvizError, match="follows: wanted an earlier call, got number 1 for 0"):
        rebuild(capture)


def test_a_gradient_that_is_missing_beside_others_is_named(autograd):
    structure = Structure("gru", 3, 4)
    capture = autograd.random_capture(structure, time_steps=4)
    grads = {name: np.zeros(shape) for name, shape in structure.parameter_shapes().items() if name != "bias_hh_l0"}
    with pytest.raises(RnnvizError, match=r"grads\[bias_hh_l0\]: wanted it as that of other parameters, got nothing"):
        rebuild(replace(capture, grads={name: array.astype(capture.inputs.dtype) for name, array in grads.items()}))
    assert rebuild(replace(capture, grads={})).layers


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("lengths", [None, [2, 4]])
def test_a_trace_comes_back_from_pickle_read_only(autograd, cell, lengths):
    structure = Structure(cell, 3, 4, 2, True)
    trace = rebuild(autograd.random_capture(structure, time_steps=4, lengths=lengths))
    for layer in trace.layers:
        assert layer.gradient_flow().shape == (4, 4)  # what was computed in the meantime stays behind
    for before, after in ((trace, pickle.loads(pickle.dumps(trace))), (trace.sample(1), None)):
        after = pickle.loads(pickle.dumps(before)) if after is None else after
        assert after.fidelity == before.fidelity
        for layer, again in zip(before.layers, after.layers, strict=True):
            assert again.equations is layer.equations  # looked up by its name
            arrays = {"x": again.x, **again.before, **again.initial, **again.weights, **again.arriving}
            arrays |= {f"v_{name}": again.value(name) for name in again.equations.by_name}
            arrays |= {f"g_{name}": again.grad(name) for name in again.equations.by_name}
            for array in arrays.values():
                assert not array.flags.writeable
                assert min(array.strides) >= 0
            for name in layer.equations.by_name:
                np.testing.assert_array_equal(again.value(name), layer.value(name))
                np.testing.assert_array_equal(again.grad(name), layer.grad(name))
            with pytest.raises(ValueError, match="read-only"):
                again.h[0] = 1

"""The time axis that several calls share: each layer and head lies on its own stretch of it, padding goes with a
sequence alone."""

from dataclasses import replace

import numpy as np
import pytest
from several_calls import network

from rnnviz.core.gradients.agreement import agreements
from rnnviz.core.gradients.flow_of import flow_of
from rnnviz.core.gradients.gates import kept
from rnnviz.core.gradients.horizon import in_the_past, omega
from rnnviz.core.gradients.jacobians import spectra, step_jacobians
from rnnviz.core.gradients.losses import asked
from rnnviz.core.gradients.products import product_spectra
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.one_by_one import rebuild_one
from rnnviz.core.sweeps.scans.flow import loss_parts, step_jacobian
from rnnviz.core.sweeps.trace import rebuild


def alone(capture: Capture) -> list:
    """The trace of each call by itself, with what comes to the encoder's final states given."""
    encoder, decoder = capture.calls
    second = rebuild(replace(capture, weights=_of(capture, "d"), calls=(replace(decoder, start=0, follows=None),)))
    states = encoder.structure.equations.states
    came = {state: np.stack([one.initial_grads[state] for one in second.layers]) for state in states}
    first = rebuild(replace(capture, weights=_of(capture, "e"), calls=(replace(encoder, grad_final=came),)))
    return [first, second]


def _of(capture: Capture, module: str) -> dict:
    return {name: weight for name, weight in capture.weights.items() if name.startswith(module)}


def same(on_axis, own, stretch, message=""):
    np.testing.assert_allclose(on_axis[stretch], own, rtol=1e-12, atol=1e-15, err_msg=message)
    outside = np.delete(on_axis, np.r_[stretch], axis=0)
    assert not np.nan_to_num(outside).any(), message


@pytest.mark.parametrize("cell", ["minlstm", "lstm", "gru", "vanilla"])
@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_every_array_lies_on_its_stretch_of_the_axis(cell, pooling):
    capture = network(cell, pooling)
    trace = rebuild(capture)
    assert (trace.time_steps, list(trace.lengths), trace.sequences) == (7, [5, 6], 2)
    assert trace.loss_time_step(0), trace.loss_time_step(1) == (5, 6)
    for number, (own, stretch) in enumerate(zip(alone(capture), (slice(0, 4), slice(4, 7)), strict=True)):
        one = trace.calls[number]
        same(one.output, own.calls[0].output, stretch)
        same(one.input_grad, own.input_grad, stretch)
        for layer, by_itself in zip(one.layers, own.layers, strict=True):
            assert (layer.start, layer.stop) == (stretch.start, stretch.stop)
            np.testing.assert_array_equal(layer.inside[stretch], by_itself.inside)
            for node in ("x", *layer.equations.by_name):
                same(layer.value(node), by_itself.value(node), stretch, node)
                same(layer.grad(node), by_itself.grad(node), stretch, node)
                at = stretch.start + 1
                np.testing.assert_array_equal(layer.value_at(node, at, 1), layer.value(node)[at, 1])
            assert not layer.value_at(layer.equations.output, 0 if number else 5).any()
            for state in layer.equations.states:
                same(layer.before[state], by_itself.before[state], stretch)
                same(layer.carried(state), by_itself.carried(state), stretch)
                np.testing.assert_allclose(layer.initial_grads[state], by_itself.initial_grads[state], rtol=1e-12)
            for name in layer.factors:
                same(layer.weight_grad_shares[name], by_itself.weight_grad_shares[name], stretch)
                same(layer.weight_grad_so_far[name], by_itself.weight_grad_so_far[name], stretch)
                np.testing.assert_allclose(layer.weight_grads[name], by_itself.weight_grads[name], rtol=1e-12)
    head, own = trace.head, alone(capture)[1].head
    for name in ("prediction", "probabilities", "losses", "prediction_grad", "pooled", "output_grad"):
        same(getattr(head, name), getattr(own, name), slice(4, 7), name)
    for name in ("output_sum", "pooled_before", "time_steps", "output_grad", "weight_added"):
        np.testing.assert_allclose(head.value(name, 5, 1), own.value(name, 1, 1), err_msg=name)
    for name in ("weight", "bias"):
        same(head.weight_grad_so_far[name], own.weight_grad_so_far[name], slice(4, 7), name)


@pytest.mark.parametrize("cell", ["minlstm", "gru"])
def test_what_is_computed_over_time_knows_the_stretch(cell):
    capture = network(cell, lengths=(None, None))
    trace, n = rebuild(capture).sample(1), 0
    for number, own in enumerate(one.sample(1) for one in alone(capture)):
        start = (0, 4)[number]
        stretch = slice(start, start + own.time_steps)
        for layer, by_itself in zip(trace.calls[number].layers, own.layers, strict=True):
            if number:
                values = flow_of(by_itself).values
                np.testing.assert_allclose(layer.gradient_flow()[stretch, stretch], values, rtol=1e-12)
                found = flow_of(layer)
                np.testing.assert_array_equal(found.rows, flow_of(by_itself).rows + start)
                np.testing.assert_allclose(found.values[:, stretch], values, rtol=1e-12)
                assert set(found.way(5)) == set(flow_of(by_itself).way(1) + 4)
                np.testing.assert_allclose(loss_parts(layer, 5, n)[0][stretch], loss_parts(by_itself, 1, n)[0])
                np.testing.assert_array_equal(np.flatnonzero(asked(trace, layer)), [4, 5, 6])
            np.testing.assert_allclose(step_jacobians(layer), step_jacobians(by_itself), rtol=1e-12)
            np.testing.assert_allclose(step_jacobian(layer, start + 1), step_jacobian(by_itself, 1), rtol=1e-12)
            (*_, seen), (*_, wanted) = spectra(layer), spectra(by_itself)
            same(seen.norms, wanted.norms, stretch)
            same(seen.radii, wanted.radii, stretch)
            assert seen.whole
            (*_, seen), (*_, wanted) = product_spectra(layer), product_spectra(by_itself)
            np.testing.assert_allclose(seen.log10_values[stretch], wanted.log10_values, atol=1e-9)
            np.testing.assert_array_equal(seen.time_steps, wanted.time_steps + start)
            assert in_the_past(layer) == in_the_past(by_itself)
            np.testing.assert_allclose(omega(layer).value, omega(by_itself).value)
            np.testing.assert_allclose(kept(layer)[0].mean, kept(by_itself)[0].mean, rtol=1e-12)
            for seen, wanted in zip(agreements(layer), agreements(by_itself), strict=True):
                same(seen.parts, wanted.parts, stretch)
                np.testing.assert_allclose(seen.cosine[stretch], wanted.cosine, rtol=1e-9)


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_a_sequence_alone_has_no_padding_between_the_calls(pooling):
    capture = network("gru", pooling)
    whole = rebuild(capture)
    for n, (first, second) in enumerate(((2, 3), (4, 2))):
        trace = whole.sample(n)
        assert trace.time_steps == whole.sequence_length(n) == first + second
        assert [(one.layers[0].start, one.layers[0].stop) for one in trace.calls] == [
            (0, first),
            (first, first + second),
        ]
        assert (trace.head.start, trace.head.stop) == (first, first + second)
        for other in (rebuild(capture.sample(n)), rebuild_one(capture, 0).sample(n), rebuild_one(capture, n)):
            for layer, wanted in zip(trace.layers, other.layers, strict=True):
                assert layer.lengths is None
                for node in ("x", *layer.equations.by_name):
                    np.testing.assert_allclose(layer.value(node), wanted.value(node), rtol=1e-12, atol=1e-15)
                    np.testing.assert_allclose(layer.grad(node), wanted.grad(node), rtol=1e-12, atol=1e-15)
                np.testing.assert_allclose(layer.gradient_flow(), wanted.gradient_flow(), rtol=1e-9, atol=1e-15)
            np.testing.assert_allclose(trace.head.output_grad, other.head.output_grad, rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(trace.head.losses, other.head.losses, rtol=1e-12)
        assert trace.exact is trace

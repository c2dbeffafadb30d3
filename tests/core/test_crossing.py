"""Gradient flow across calls: every loss of a decoder in every layer of its encoder, against one autograd call each."""

from dataclasses import replace

import numpy as np
import pytest
from several_calls import encoder_decoder

from rnnviz.core.gradients.flow_of import flow_of, row_flow_steps
from rnnviz.core.gradients.horizon import horizon
from rnnviz.core.gradients.losses import asked, loss_times
from rnnviz.core.gradients.paths import paths
from rnnviz.core.gradients.walk import walk
from rnnviz.core.sweeps.scans.flow import loss_parts
from rnnviz.core.sweeps.scans.wanted import finished
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.verdicts.precision import in_float64


class Truth:
    """One sequence of an encoder–decoder in torch: F[k, t] of each layer, and of attention alone ∂L_k/∂e_s."""

    def __init__(self, autograd, capture):
        torch = self.torch = autograd.torch
        self.capture, self.autograd = capture, autograd
        encoder, decoder = capture.calls
        self.weights = {name: torch.tensor(np.array(w, float)) for name, w in capture.weights.items()}
        self.hidden = {}  # by layer, (time step on the axis) → tensor
        first = {s: torch.tensor(np.array(a[:, 0], float), requires_grad=True) for s, a in encoder.initial.items()}
        read, final = self.run(encoder, first)
        if decoder.bridge is not None:
            final = {
                state: torch.stack(
                    [
                        self.of(decoder.bridge.weight[state][depth]) @ torch.cat([last[2 * depth], last[2 * depth + 1]])
                        + self.of(decoder.bridge.bias[state][depth])
                        for depth in range(len(last) // 2)
                    ]
                )
                for state, last in final.items()
            }
        states, _ = self.run(decoder, final)
        self.read = [one.clone() for one in read]  # what attention reads, apart from what goes up or is handed over
        self.losses = [self.loss(decoder.head, k, h) for k, h in enumerate(states)]

    def of(self, array):
        return self.torch.tensor(np.array(array, float))

    def run(self, one, first):
        structure, prefix = one.structure, f"{one.module}." if one.module else ""
        weights = {name: self.weights[prefix + name] for name in structure.parameter_shapes()}
        below, level = [self.of(x) for x in one.inputs[:, 0]], []
        final = {state: [] for state in structure.equations.states}
        for number, name in enumerate(structure.layer_names):
            states, made = {state: tensor[number] for state, tensor in first.items()}, {}
            order = range(len(below))
            for t in order[::-1] if name.endswith("_reverse") else order:
                states = self.autograd.step(structure, weights, name, below[t], states, lambda _, value: value)
                made[t] = states["h"]
            self.hidden[f"{one.name}.{name}" if one.name else name] = {one.start + t: h for t, h in made.items()}
            for state, tensor in states.items():
                final[state].append(tensor)
            level.append(made)
            if len(level) == structure.directions:
                below = [self.torch.cat([made[t] for made in level]) for t in range(len(below))]
                level = []
        return below, {state: self.torch.stack(tensors) for state, tensors in final.items()}

    def loss(self, head, k, h):
        torch = self.torch
        if head.attention is not None:
            read = torch.stack(self.read)
            weights = torch.softmax(read @ (self.of(head.attention.score).T @ h), dim=0)
            h = torch.tanh(self.of(head.attention.combine) @ torch.cat([weights @ read, h]))
        logits = self.of(head.weight) @ h + self.of(head.bias)
        target = torch.tensor(int(head.targets[k, 0]))
        return torch.nn.functional.cross_entropy(logits, target) * float(head.loss_weight[k, 0])

    def norms(self, sources):
        """(U, len(sources)) ‖∂L_k/∂ each‖."""
        found = []
        for loss in self.losses:
            grads = self.torch.autograd.grad(loss, sources, retain_graph=True, allow_unused=True)
            found.append([0.0 if grad is None else float(grad.norm()) for grad in grads])
        return np.array(found)


CASES = [
    # cell, depth, both ways, attention, padded
    ("lstm", 2, True, True, True),
    ("gru", 2, False, True, False),
    ("vanilla", 1, True, False, True),
    ("lstm", 2, False, False, False),
    ("minlstm", 1, True, True, True),
]


@pytest.mark.parametrize(("cell", "depth", "both_ways", "attention", "padded"), CASES)
def test_every_loss_of_the_decoder_in_every_layer(autograd, cell, depth, both_ways, attention, padded):
    lengths = (np.array([2, 4]), np.array([3, 2])) if padded else (None, None)
    capture = encoder_decoder(cell, depth=depth, both_ways=both_ways, attention=attention, lengths=lengths)
    whole = rebuild(capture)
    for n in (0, 1):
        trace, truth = whole.sample(n), Truth(autograd, capture.sample(n))
        start = trace.calls[1].layers[0].start
        for layer in trace.layers:
            times = list(layer.times())
            found = layer.gradient_flow()
            wanted = np.zeros_like(found)
            wanted[start:, times] = truth.norms([truth.hidden[layer.name][t] for t in times])
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-13, err_msg=layer.name)
            own = whole.layer(layer.name).gradient_flow(n)  # of the padded batch, the same at other places
            np.testing.assert_allclose(own[own > 0], wanted[wanted > 0], rtol=1e-9)
            for t in times:
                hidden, arriving = loss_parts(layer, t, 0)
                output = layer.equations.output
                came = layer.direct_grad[t, 0] + layer.arriving[output][t, 0]
                np.testing.assert_allclose(hidden.sum(axis=0), came, rtol=1e-9, atol=1e-12)
                for state, parts in arriving.items():
                    np.testing.assert_allclose(parts.sum(axis=0), layer.arriving[state][t, 0], rtol=1e-9, atol=1e-12)
        if attention:
            one = trace.head.attention
            np.testing.assert_allclose(one.reach()[start:], truth.norms(truth.read), rtol=1e-9, atol=1e-13)


def test_float32_agrees_to_its_digits(autograd):
    capture = in_float64(encoder_decoder("gru", depth=2, lengths=(None, None)))

    def single(one):
        return replace(
            one,
            inputs=one.inputs.astype(np.float32),
            initial={state: array.astype(np.float32) for state, array in one.initial.items()},
            grad_output=one.grad_output.astype(np.float32),
        )

    truth = Truth(autograd, capture.sample(1))
    weights = {name: weight.astype(np.float32) for name, weight in capture.weights.items()}
    encoder, decoder = map(single, capture.calls)
    encoder = replace(encoder, embedding=None)
    head, bridge = decoder.head, decoder.bridge
    small = {name: getattr(head, name).astype(np.float32) for name in ("weight", "bias", "loss_weight")}
    attention = replace(
        head.attention,
        score=head.attention.score.astype(np.float32),
        combine=head.attention.combine.astype(np.float32),
    )
    bridge = replace(
        bridge,
        weight={state: array.astype(np.float32) for state, array in bridge.weight.items()},
        bias={state: array.astype(np.float32) for state, array in bridge.bias.items()},
    )
    decoder = replace(decoder, head=replace(head, attention=attention, **small), bridge=bridge)
    trace = rebuild(replace(capture, weights=weights, calls=(encoder, decoder))).sample(1)
    for layer in trace.layers:
        times = list(layer.times())
        wanted = truth.norms([truth.hidden[layer.name][t] for t in times])
        found = layer.gradient_flow()[4:, times]
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * wanted.max())


@pytest.mark.parametrize(("both_ways", "attention"), [(True, True), (False, False)])
def test_flows_of_the_page_cross_too(autograd, both_ways, attention):
    capture = encoder_decoder("lstm", depth=1, both_ways=both_ways, attention=attention, lengths=(None, None))
    trace, truth = rebuild(capture).sample(0), Truth(autograd, capture.sample(0))
    encoder, decoder = trace.layer("l0"), trace.layer("decoder.l0")
    whole = np.zeros((3, 7))
    for layer in (encoder, decoder):
        whole[:, list(layer.times())] = truth.norms([truth.hidden[layer.name][t] for t in layer.times()])
        np.testing.assert_array_equal(np.flatnonzero(asked(trace, layer)), [4, 5, 6])
        assert loss_times(layer) == range(4, 7)
    found = finished(row_flow_steps((encoder, decoder)))
    np.testing.assert_allclose(found.values, whole, rtol=1e-9, atol=1e-13)
    np.testing.assert_array_equal(found.rows, [4, 5, 6])
    assert (found.losses, found.crosses, found.last, found.inside.all()) == (range(4, 7), True, 7, True)
    np.testing.assert_array_equal(found.way(5), [5, 4, 3, 2, 1, 0])
    one = walk(found, 1)
    np.testing.assert_allclose(one.values, whole[1, ::-1][1:], rtol=1e-9)
    assert one.fit.points == 2  # a rate is told of the stage that the loss lies in
    own = flow_of(encoder)
    np.testing.assert_array_equal(own.values, np.where(encoder.inside[:, 0], found.values, 0))
    np.testing.assert_array_equal(own.way(5), [3, 2, 1, 0])
    assert np.isnan(horizon(own).steps).all()  # ∂L_k/∂h_k lies elsewhere
    falling = horizon(found, threshold=float(whole[2, 4] / whole[2, 6]) * (1 + 1e-9))
    below = np.flatnonzero(whole[2, ::-1] < falling.threshold * whole[2, 6])
    assert falling.steps[2] == below[0]
    unit = finished(row_flow_steps((encoder, decoder), unit=True))
    assert not unit.values[:4, 4:].any()
    assert not unit.values[4:, :4].any()
    np.testing.assert_array_equal(unit.way(5), [5, 4])
    parts = paths(encoder, k=5)
    np.testing.assert_allclose(parts.hidden_all, own.values[1], rtol=1e-12)
    cells = paths(encoder)
    np.testing.assert_allclose(cells.hidden_all, np.linalg.norm(encoder.hidden_grad[:, 0], axis=-1), rtol=1e-9)
    np.testing.assert_allclose(cells.cell_all, np.linalg.norm(encoder.cell_grad[:, 0], axis=-1), rtol=1e-9)
    if not attention:
        assert found.attention is None
        return
    grads = [truth.torch.autograd.grad(loss, truth.read, retain_graph=True) for loss in truth.losses]
    direct = [[float(one[:4].norm()) for one in each] for each in grads]  # of the units that read forwards
    np.testing.assert_allclose(found.attention[:, :4], direct, rtol=1e-9, atol=1e-13)
    back = flow_of(trace.layer("l0_reverse"))
    np.testing.assert_array_equal(back.way(5), [0, 1, 2, 3])
    np.testing.assert_array_equal(flow_of(trace.layer("l0_reverse"), unit=True).way(1), [1, 2, 3])

"""Captures of random numbers: single calls, and an encoder whose final states a decoder begins with."""

from dataclasses import replace

import numpy as np

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Attention, Bridge, Call, Capture, Embedding, Head
from rnnviz.core.sweeps.trace import rebuild

LENGTHS = (np.array([2, 4]), np.array([3, 2]))  # of the encoder's 4 time steps, of the decoder's 3


def call(structure, seed, time_steps=4, **others):
    """A call of random numbers over two sequences."""
    draw = np.random.default_rng(seed)
    rows, width = structure.num_layers * structure.directions, structure.directions * structure.output_size
    return Call(
        structure=structure,
        inputs=draw.normal(size=(time_steps, 2, structure.input_size)) * 0.6,
        initial={s: draw.normal(size=(rows, 2, structure.units(s))) * 0.6 for s in structure.equations.states},
        grad_output=draw.normal(size=(time_steps, 2, width)) * 0.6,
        **others,
    )


def weights_of(structure, module, seed):
    draw = np.random.default_rng(seed)
    prefix = f"{module}." if module else ""
    return {f"{prefix}{name}": draw.normal(size=shape) * 0.6 for name, shape in structure.parameter_shapes().items()}


def network(cell: str, pooling="max", lengths=LENGTHS, bidirectional=True) -> Capture:
    """An encoder whose layers begin the decoder's, padded where lengths are given."""
    draw = np.random.default_rng(7)
    structure = Structure(cell, 3, 4, 2, bidirectional)
    asked = np.full((3, 2), 0.3)
    if lengths[1] is not None:
        asked[np.arange(3)[:, None] >= lengths[1]] = 0
    width = 4 * structure.directions
    head = Head(
        draw.normal(size=(2, width)), draw.normal(size=2), "cross entropy", np.ones((3, 2), int), asked, pooling
    )
    encoder = call(structure, 1, lengths=lengths[0], module="e")
    decoder = call(structure, 2, 3, name="decoder", module="d", start=4, follows=0, lengths=lengths[1], head=head)
    made = Capture(weights_of(structure, "e", 3) | weights_of(structure, "d", 4), (encoder, decoder))
    found = rebuild(made)
    first = found.calls[0]
    last = 3 if lengths[0] is None else lengths[0] - 1
    final = {
        state: np.stack([one.value(state)[0 if one.reverse else last, np.arange(2)] for one in first.layers])
        for state in structure.equations.states
    }
    decoder = replace(decoder, initial=final)
    head_grad = rebuild(replace(made, calls=(encoder, decoder))).head.output_grad
    return replace(made, calls=(encoder, replace(decoder, grad_output=head_grad[4:])))


def encoder_decoder(cell="gru", *, depth=2, both_ways=True, attention=True, lengths=LENGTHS, embedding=True) -> Capture:
    """An encoder and a decoder of one direction, through a bridge where the encoder reads both ways; what torch would
    have given of first states and of gradients of outputs is the rebuild's own."""
    draw = np.random.default_rng(11)
    encoder, decoder = Structure(cell, 3, 4, depth, both_ways), Structure(cell, 2, 4, depth)
    ways, states = encoder.directions, encoder.equations.states
    asked = np.full((3, 2), 0.7)
    if lengths[1] is not None:
        asked[np.arange(3)[:, None] >= lengths[1]] = 0
    weights = weights_of(encoder, "", 3) | weights_of(decoder, "decoder", 4)
    attends = Attention(0, draw.normal(size=(4, 4 * ways)), draw.normal(size=(4, 4 * ways + 4))) if attention else None
    targets = draw.integers(0, 3, (3, 2))
    head = Head(draw.normal(size=(3, 4)), draw.normal(size=3), "cross entropy", targets, asked, attention=attends)
    bridge = None
    if both_ways:
        weight = {state: draw.normal(size=(depth, 4, 8)) * 0.5 for state in states}
        bridge = Bridge(weight, {state: draw.normal(size=(depth, 4)) for state in states})
    first = replace(call(encoder, 1, lengths=lengths[0]), grad_output=np.zeros((4, 2, 4 * ways)))
    second = call(decoder, 2, 3, name="decoder", module="decoder", start=4, follows=0, lengths=lengths[1], head=head)
    second = replace(second, bridge=bridge)
    if embedding:
        table, symbols = draw.normal(size=(5, 3)), draw.integers(0, 5, (4, 2))
        symbols[1, 1] = -1
        inputs = np.where((symbols >= 0)[..., None], table[symbols], 0)
        first = replace(first, inputs=inputs, embedding=Embedding(symbols, table))
    found = rebuild(Capture(weights, (first, second)))  # without torch's outputs, what is handed over is found
    second = replace(second, grad_output=found.head.output_grad[4:])
    initial = {state: np.stack([layer.initial[state] for layer in found.calls[1].layers]) for state in states}
    if attention:
        first = replace(first, grad_output=found.head.attention.read_grad)
    return Capture(weights, (first, replace(second, initial=initial)))

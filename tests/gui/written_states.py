"""States of an encoder–decoder: two sequences of unequal length are read, then two answers are written."""

import numpy as np
from flat_state import flat_state

from rnnviz.core.arrays import Array
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Attention, Call, Capture, Head
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.state.state import State
from rnnviz.runs.file.records import Module, RunModel

READ, WRITTEN = "abcdef", "xyz"
TASK = TaskInfo(
    "rewriting", "symbols", tuple(READ), "classes", tuple(WRITTEN), "cross entropy", ("accuracy", "loss"),
    decoder_labels=(*WRITTEN, "start"),
)  # fmt: skip
LENGTHS, ANSWER = (4, 7), 5  # time steps that the encoder reads of each sequence, and that the decoder writes


def written_state(
    cell: str = "gru", layers: int = 1, attention: tuple[bool, ...] = (True, False), hidden: int = 5, seed: int = 17
) -> State:
    """One model for each of `attention`; each reads its own output at some time steps."""
    rng = np.random.default_rng(seed)
    read = np.eye(len(READ), dtype=np.float32)[rng.integers(0, len(READ), (max(LENGTHS), 2))]
    targets = rng.integers(0, len(WRITTEN), (ANSWER, 2))
    structures = Structure(cell, len(READ), hidden, layers), Structure(cell, len(WRITTEN) + 1, hidden, layers)
    captures = [_capture(structures, read, targets, looks, rng) for looks in attention]
    models = tuple(
        RunModel(n, f"net {n + 1}", structures[0], 100, (Module("decoder", structures[1]),))
        for n in range(len(captures))
    )
    cursor = Cursor(42, Phase.BACKWARD, LENGTHS[0] + 2, layer="decoder.l0")
    return flat_state(task=TASK, models=models, traces=tuple(map(rebuild, captures)), cursor=cursor)


def _capture(
    structures: tuple[Structure, Structure], read: Array, targets: Array, looks: bool, rng: np.random.Generator
) -> Capture:
    encoder, decoder = structures
    units, time_steps, outputs = encoder.hidden_size, len(read), len(WRITTEN)
    weights = {
        f"{module}{name}": rng.normal(size=shape, scale=0.6).astype(np.float32)
        for module, structure in (("", encoder), ("decoder.", decoder))
        for name, shape in structure.parameter_shapes().items()
    }
    told = np.concatenate([np.full((1, 2), outputs), targets[:-1]])
    told[2] = (told[2] + 1) % outputs  # its own output, which is wrong; that at the end is right
    by_others = np.ones(told.shape, bool)
    by_others[[2, -1]] = False
    zeros = {state: np.zeros((encoder.num_layers, 2, units), np.float32) for state in encoder.equations.states}
    first = Call(encoder, read, zeros, np.zeros((time_steps, 2, units), np.float32), np.array(LENGTHS))
    attention = None
    if looks:
        score, combine = (rng.normal(size=(units, n * units)).astype(np.float32) for n in (1, 2))
        attention = Attention(0, score, combine)
    head = Head(
        rng.normal(size=(outputs, units)).astype(np.float32), np.zeros(outputs, np.float32), "cross entropy", targets,
        np.full(targets.shape, 1 / targets.size, np.float32), attention=attention,
    )  # fmt: skip
    own = {name: weight for name, weight in weights.items() if not name.startswith("decoder.")}
    layers = rebuild(Capture(own, (first,))).layers
    ends = np.array(LENGTHS) - 1
    final = {state: np.stack([layer.value(state)[ends, np.arange(2)] for layer in layers]) for state in zeros}
    inputs = np.eye(outputs + 1, dtype=np.float32)[told]
    gradient = rng.normal(size=(ANSWER, 2, units)).astype(np.float32)
    second = Call(decoder, inputs, final, gradient, head=head, name="decoder", module="decoder", start=time_steps,
                  follows=0, told=by_others)  # fmt: skip
    return Capture(weights, (first, second))

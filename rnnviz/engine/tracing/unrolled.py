"""Slow reference: the calls of a capture unrolled in torch, node by node and one time step after the other.

It evaluates the nodes of the cell, as the trace does; that they are right is proved by torch's own modules, or for a
cell that torch lacks by finite differences and by the hand-written step in the tests.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from rnnviz.core.arrays import Array
from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Value
from rnnviz.core.structure import LayerId
from rnnviz.core.sweeps.capture import Call, Capture, is_attended
from rnnviz.engine.cell_module import TENSORS, windowed
from rnnviz.engine.fronts import features
from rnnviz.engine.losses import losses
from rnnviz.engine.pooling import pooled

Held = dict[tuple[str, int], dict[str, Tensor]]  # by layer and 0-based time step: states that go on as plain numbers
Nudges = Mapping[str, Tensor]  # "h_l0", "c_l0", "f_l0" (its pre-activation): (T, N, ·), added where the value is made


def nudged(cell: Cell) -> dict[str, Value]:
    """What can be nudged, by name: the states and the output, and the pre-activation of each gate."""
    return {name: Value(name) for name in cell.hidden_nodes} | cell.pre_activations


def nudge_shapes(capture: Capture) -> dict[str, tuple[int, ...]]:
    """The names and shapes of everything that can be nudged."""
    shapes: dict[str, tuple[int, ...]] = {}
    for call in capture.calls:
        structure = call.structure
        for layer in call.layer_ids:
            for name, value in nudged(structure.equations).items():
                units = structure.hidden_size if value.block else structure.units(value.name)
                shapes[f"{name}_{layer.text}"] = (*call.inputs.shape[:2], units)
    return shapes


def tensor_name(call: Call, name: str) -> str:
    """The name of a call's own tensor: "inputs", "h0", "head.weight"; of a further call "decoder.inputs"."""
    return f"{call.name}.{name}" if call.name else name


def own_arrays(call: Call) -> dict[str, Array]:
    """What a call alone has: its input, first states, given gradients and head, by `tensor_name`."""
    arrays: dict[str, Array] = {"inputs": call.inputs, "grad_output": call.grad_output}
    arrays |= {f"{state}0": array for state, array in call.initial.items()}
    arrays |= {f"grad_{state}": array for state, array in call.grad_final.items()}
    if call.head is not None:
        arrays |= {f"head.{name}": array for name, array in call.head.parameters.items()}
        if (attention := call.head.attention) is not None:
            arrays |= {"attention.score": attention.score, "attention.combine": attention.combine}
    if call.bridge is not None:
        for name, parts in (("weight", call.bridge.weight), ("bias", call.bridge.bias)):
            arrays |= {f"bridge.{name}_{state}": array for state, array in parts.items()}
    if call.embedding is not None:
        arrays |= {"embedding.table": call.embedding.table}
    if call.convolution is not None:
        arrays |= {"convolution.kernel": call.convolution.kernel}
    return {tensor_name(call, name): array for name, array in arrays.items()}


def unrolled_loss(
    capture: Capture, tensors: Mapping[str, Tensor], nudges: Nudges, held: Held | None = None
) -> tuple[Tensor, list[Tensor]]:
    """L, and each call's output (T, N, D·P), with the weights and the calls' own arrays in `tensors`.

    L is the sum of the calls' own losses, or Σ grad_output · output where one has none, with Σ ∂L/∂state · state of
    the final states whose gradient is given; what attention reads has no loss but through it.
    Where a call's `cut` says so, the states are detached. They are put into
    `held`, or taken from there if they are in it: then L is the function of which truncation takes the gradient, in
    which these states are constants.
    """
    outputs, finals = list[Tensor](), list[dict[str, Tensor]]()
    parts, held = list[Tensor](), {} if held is None else held
    for call in capture.calls:
        given = {name: tensors[tensor_name(call, f"{name}0")] for name in call.initial}
        first = given if call.follows is None else _taken_over(call, tensors, finals[call.follows])
        output, final = _output(call, tensors, nudges, first, held)
        outputs.append(output)
        parts += _losses(capture, call, tensors, _attended(capture, call, tensors, outputs), final)
        finals.append(final)
    return sum(parts[1:], parts[0]), outputs


def _taken_over(call: Call, tensors: Mapping[str, Tensor], final: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """What a call begins with, of the final states of another."""
    if call.bridge is None:
        return final
    found = {}
    for state, last in final.items():
        weight, bias = (tensors[tensor_name(call, f"bridge.{name}_{state}")] for name in ("weight", "bias"))
        layers = [
            torch.cat([last[2 * number], last[2 * number + 1]], dim=-1) @ weight[number].T + bias[number]
            for number in range(len(weight))
        ]
        found[state] = torch.stack(layers)
    return found


def _attended(capture: Capture, call: Call, tensors: Mapping[str, Tensor], outputs: list[Tensor]) -> Tensor:
    """(T, N, D·P) what the head of a call reads of its output, the last of `outputs`, one time step after the other."""
    attention = None if call.head is None else call.head.attention
    if attention is None:
        return outputs[-1]
    score, combine = (tensors[tensor_name(call, f"attention.{name}")] for name in ("score", "combine"))
    lengths, found = capture.calls[attention.over].lengths, list[Tensor]()
    for k, states in enumerate(outputs[-1]):  # (N, P)
        rows = []
        for n, state in enumerate(states):
            read = outputs[attention.over][:, n]
            read = read if lengths is None else read[: int(lengths[n])]  # (S_n, M)
            weights = torch.softmax(read @ (score.T @ state), dim=0)
            attended = torch.tanh(combine @ torch.cat([weights @ read, state]))
            ended = call.lengths is not None and k >= int(call.lengths[n])
            rows.append(torch.zeros_like(attended) if ended else attended)
        found.append(torch.stack(rows))
    return torch.stack(found)


def _losses(
    capture: Capture, call: Call, tensors: Mapping[str, Tensor], output: Tensor, final: Mapping[str, Tensor]
) -> Iterator[Tensor]:
    for state in call.grad_final:
        yield (tensors[tensor_name(call, f"grad_{state}")] * final[state]).sum()
    head = call.head
    if head is None and is_attended(capture, call):
        return
    if head is None:
        yield (output * tensors[tensor_name(call, "grad_output")]).sum()
        return
    prediction = pooled(output, head.pooling)
    if head.parameters:
        weight, bias = (tensors[tensor_name(call, f"head.{name}")] for name in ("weight", "bias"))
        prediction = prediction @ weight.T + bias
    counts = torch.tensor(head.loss_weight, dtype=output.dtype)
    targets = torch.tensor(head.targets, dtype=output.dtype if head.targets.dtype.kind == "f" else None)
    if not targets.is_floating_point():
        targets = targets.clamp(0, prediction.shape[-1] - 1)  # unasked ones may be out of range
    each = losses(head.loss, prediction, targets)
    yield torch.where(counts != 0, each * counts, torch.zeros_like(each)).sum()


def _output(
    call: Call, tensors: Mapping[str, Tensor], nudges: Nudges, first: Mapping[str, Tensor], held: Held
) -> tuple[Tensor, dict[str, Tensor]]:
    """Output (T, N, D·P) and final states (layers·D, N, ·) of one call."""
    structure, cell = call.structure, call.structure.equations
    time_steps = len(call.inputs)
    lengths = None if call.lengths is None else torch.tensor(call.lengths)
    below = list(windowed(_inputs(call, tensors), structure.window).unbind(0))
    finals: dict[str, list[Tensor]] = {state: [] for state in cell.states}
    directions: list[list[Tensor]] = []
    for number, layer in enumerate(call.layer_ids):
        weights = {one.name: tensors[call.parameter(one.name, layer)] for one in cell.parameters}
        step = _Step(cell, weights, structure.hidden_size, layer, nudges)
        states = {state: first[state][number] for state in cell.states}
        made: list[Tensor] = [torch.empty(0)] * time_steps
        for t in range(time_steps - 1, -1, -1) if layer.reverse else range(time_steps):
            values = step(t, below[t], states)
            made[t], after = values[cell.output], {state: values[state] for state in states}
            if lengths is not None:  # beyond a sequence's end its state stays and its output is 0
                lasts = (t < lengths)[:, None]
                made[t] = torch.where(lasts, made[t], torch.zeros_like(made[t]))
                after = {state: torch.where(lasts, after[state], before) for state, before in states.items()}
            border = t - 1 if layer.reverse else t  # the time step before the next one to come, in time order
            if call.cut is not None and 0 <= border < time_steps - 1 and call.cut[border]:
                after = _detached(after, lengths, border, held, (layer.text, t))
            states = after
        directions.append(made)
        for state, tensor in states.items():
            finals[state].append(tensor)
        if len(directions) == structure.directions:
            below = _handed_up(call, layer, directions, below)
            directions = []
    return torch.stack(below), {state: torch.stack(found) for state, found in finals.items()}


def _detached(
    states: dict[str, Tensor], lengths: Tensor | None, border: int, held: Held, place: tuple[str, int]
) -> dict[str, Tensor]:
    """States as numbers, of the sequences that go on beyond time step `border`."""
    numbers = held.setdefault(place, {state: tensor.detach() for state, tensor in states.items()})
    if lengths is None:
        return numbers
    inside = (border + 1 < lengths)[:, None]
    return {state: torch.where(inside, numbers[state], tensor) for state, tensor in states.items()}


def _handed_up(call: Call, layer: LayerId, directions: list[list[Tensor]], read: list[Tensor]) -> list[Tensor]:
    """What the directions of one depth give to the next at each time step, where `read` is what they read."""
    whole = [torch.cat(parts, dim=-1) for parts in zip(*directions, strict=True)]
    if call.masks is not None and layer.depth < len(call.masks):
        whole = [h * mask for h, mask in zip(whole, torch.tensor(call.masks[layer.depth]), strict=True)]
    if call.structure.residual and layer.depth:
        whole = [h + x for h, x in zip(whole, read, strict=True)]
    return whole


def _inputs(call: Call, tensors: Mapping[str, Tensor]) -> Tensor:
    """The inputs of a call, moved with the rows of their table, or with the kernels of their convolution."""
    inputs = tensors[tensor_name(call, "inputs")]
    if (convolution := call.convolution) is not None:
        kernel = tensors[tensor_name(call, "convolution.kernel")]
        pictures, as_it_was = (torch.tensor(array) for array in (convolution.pictures, convolution.kernel))
        return inputs + features(pictures, kernel, convolution.rows) - features(pictures, as_it_was, convolution.rows)
    if call.embedding is None:
        return inputs
    moved = tensors[tensor_name(call, "embedding.table")] - torch.tensor(call.embedding.table, dtype=inputs.dtype)
    symbols = torch.tensor(call.embedding.symbols)
    return inputs + torch.where((symbols >= 0)[..., None], moved[symbols.clamp(min=0)], torch.zeros_like(inputs))


class _Step:
    """One time step of one layer: every node in its order, nudged where its value is made."""

    def __init__(self, cell: Cell, weights: Mapping[str, Tensor], hidden: int, layer: LayerId, nudges: Nudges) -> None:
        self._cell, self._hidden = cell, hidden
        nudging: dict[str, list[tuple[str, Tensor]]] = {}
        for name, value in nudged(cell).items():
            nudge = nudges.get(f"{name}_{layer.text}")
            if nudge is not None:
                nudging.setdefault(value.name, []).append((value.block, nudge))
        self._nodes = [
            (
                node.name,
                node.operation.compute,
                [(value.before, value.name, self._rows(value.block)) for value in node.operation.values],
                [weights[one.name][cell.block_rows(one.block, hidden)] for one in node.operation.weights],
                nudging.get(node.name, ()),
            )
            for node in cell.nodes
        ]

    def __call__(self, t: int, x: Tensor, before: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The values of all nodes (N, ·)."""
        values = {"x": x}
        for name, compute, reads, weights, nudges in self._nodes:
            read = []
            for earlier, source, rows in reads:
                tensor = before[source] if earlier else values[source]
                read.append(tensor if rows is None else tensor[..., rows])
            made = compute(TENSORS, read, weights)
            for block, nudge in nudges:
                made = self._with(made, block, nudge[t])
            values[name] = made
        return values

    def _rows(self, block: str) -> slice | None:
        return self._cell.block_rows(block, self._hidden) if block else None

    def _with(self, value: Tensor, block: str, nudge: Tensor) -> Tensor:
        if not block:
            return value + nudge
        parts = list(torch.split(value, self._hidden, -1))
        number = self._cell.blocks.index(block)
        parts[number] = parts[number] + nudge
        return torch.cat(parts, dim=-1)

"""The slow truth: a recurrent module unrolled in torch one time step after the other, written as torch documents it."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture

GATES = {"vanilla": ("a",), "lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}
_PHI = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}

Nudges = Mapping[str, Tensor]  # "h_l0", "c_l0", "f_l0" (its pre-activation): (T, N, ·), added where the value is made


def nudge_shapes(capture: Capture) -> dict[str, tuple[int, ...]]:
    """The names and shapes of everything that can be nudged."""
    structure = capture.structure
    time_steps, sequences = capture.inputs.shape[:2]
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in structure.layer_names:
        shapes[f"h_{layer}"] = time_steps, sequences, structure.output_size
        if structure.cell == "lstm":
            shapes[f"c_{layer}"] = time_steps, sequences, structure.hidden_size
        for gate in GATES[structure.cell]:
            shapes[f"{gate}_{layer}"] = time_steps, sequences, structure.hidden_size
    return shapes


def unrolled_loss(capture: Capture, tensors: Mapping[str, Tensor], nudges: Nudges) -> tuple[Tensor, Tensor]:
    """(L, output (T, N, D·P)) with the weights, "inputs", "h0", "c0", "head.weight" and "head.bias" of `tensors`.

    L is the capture's own loss, or Σ grad_output · output where it has none.
    """
    output = _output(capture, tensors, nudges)
    readout = capture.readout
    if readout is None:
        return (output * tensors["grad_output"]).sum(), output
    prediction = output @ tensors["head.weight"].T + tensors["head.bias"]
    weight = torch.tensor(readout.loss_weight, dtype=output.dtype)
    if readout.loss == "cross entropy":
        targets = torch.tensor(readout.targets).clamp(0, prediction.shape[-1] - 1)  # unasked ones may be out of range
        losses = cross_entropy(prediction.flatten(0, 1), targets.flatten(), reduction="none").view(targets.shape)
    else:
        losses = (prediction - torch.tensor(readout.targets, dtype=output.dtype)).square().mean(dim=-1)
    return torch.where(weight != 0, losses * weight, torch.zeros_like(losses)).sum(), output


def _output(capture: Capture, tensors: Mapping[str, Tensor], nudges: Nudges) -> Tensor:
    structure = capture.structure
    time_steps, sequences = capture.inputs.shape[:2]
    lengths = torch.full((sequences,), time_steps) if capture.lengths is None else torch.tensor(capture.lengths)
    below = list(tensors["inputs"].unbind(0))
    for first in range(0, len(structure.layer_names), structure.directions):
        directions = []
        for number in range(first, first + structure.directions):
            layer = structure.layer_names[number]
            h = tensors["h0"][number]
            c = tensors["c0"][number] if structure.cell == "lstm" else None
            made: list[Tensor] = [h] * time_steps
            for t in range(time_steps - 1, -1, -1) if layer.endswith("_reverse") else range(time_steps):
                here = {name: nudge[t] for name, nudge in nudges.items() if name.endswith(f"_{layer}")}
                new_h, new_c = _time_step(structure, tensors, layer, below[t], h, c, here)
                lasts = (t < lengths)[:, None]
                h = torch.where(lasts, new_h, h)
                c = None if c is None or new_c is None else torch.where(lasts, new_c, c)
                made[t] = torch.where(lasts, h, torch.zeros_like(h))
            directions.append(made)
        below = [torch.cat(parts, dim=-1) for parts in zip(*directions, strict=True)]
    return torch.stack(below)


def _time_step(
    structure: Structure,
    w: Mapping[str, Tensor],
    layer: str,
    x: Tensor,
    h: Tensor,
    c: Tensor | None,
    nudges: Nudges,
) -> tuple[Tensor, Tensor | None]:
    def nudged(name: str, value: Tensor) -> Tensor:
        nudge = nudges.get(f"{name}_{layer}")
        return value if nudge is None else value + nudge

    a_ih, a_hh = x @ w[f"weight_ih_{layer}"].T, h @ w[f"weight_hh_{layer}"].T
    if structure.bias:
        a_ih, a_hh = a_ih + w[f"bias_ih_{layer}"], a_hh + w[f"bias_hh_{layer}"]
    if c is not None:
        i, f, g, o = (nudged(gate, a) for gate, a in zip("ifgo", (a_ih + a_hh).chunk(4, dim=-1), strict=True))
        c = nudged("c", f.sigmoid() * c + i.sigmoid() * g.tanh())
        h = o.sigmoid() * c.tanh()
        if structure.proj_size:
            h = h @ w[f"weight_hr_{layer}"].T
        return nudged("h", h), c
    if structure.cell == "vanilla":
        return nudged("h", _PHI[structure.activation](nudged("a", a_ih + a_hh))), None
    (r_x, z_x, n_x), (r_h, z_h, n_h) = a_ih.chunk(3, dim=-1), a_hh.chunk(3, dim=-1)
    r, z = nudged("r", r_x + r_h).sigmoid(), nudged("z", z_x + z_h).sigmoid()
    n = nudged("n", n_x + r * n_h).tanh()
    return nudged("h", (1 - z) * n + z * h), None

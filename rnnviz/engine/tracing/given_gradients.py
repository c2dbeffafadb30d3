"""Given gradients: ∂L/∂output as a person has it, of a Cell also the totals that autograd leaves in h_t.grad."""

import warnings
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from rnnviz.core.arrays import frozen
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.given_totals import direct_of_totals, look_like_totals
from rnnviz.engine.tracing.layout import Given, Layout, as_tensor, padded_of

LOOKS_LIKE_TOTALS = (
    "grad_output looks like the total ∂L/∂h_t, which h_t.grad holds: then give it as hidden_grad=. "
    "grad_output is the direct part, ∂L_t/∂h_t of L_t alone."
)


def take_gradients(
    grad_output: Given | PackedSequence | None,
    hidden_grad: Given | Sequence[Given] | None,
    structure: Structure,
    layout: Layout,
    batch: Sequence[int],
) -> Tensor | None:
    """What was given of the two as (T, N, D·P), zero beyond each length; `batch` is (T, N). RnnvizError."""
    if hidden_grad is None:
        given = grad_output
        return None if given is None else take_like_output(given, "grad_output", structure, layout, batch)
    if grad_output is not None:
        raise RnnvizError("grad_output, hidden_grad: wanted one of them, got both.")
    if not layout.cell:
        raise RnnvizError(
            "hidden_grad: wanted for a Cell only, whose h_t have a .grad each; "
            "of a whole module give output.grad (after output.retain_grad()) as grad_output."
        )
    whole = _stacked(hidden_grad) if isinstance(hidden_grad, Sequence) else hidden_grad
    return take_like_output(whole, "hidden_grad", structure, layout, batch)


def with_direct_part(capture: Capture, totals: bool) -> Capture:
    """With what L_t alone gives where the given gradients are `totals`; else with a note where they look like them."""
    if totals:
        return capture.with_call(grad_output=frozen(direct_of_totals(capture)))
    if not look_like_totals(capture):
        return capture
    warnings.warn(LOOKS_LIKE_TOTALS, stacklevel=5)
    return replace(capture, notes=(*capture.notes, LOOKS_LIKE_TOTALS))


def _stacked(parts: Sequence[Given | None]) -> Tensor:
    """The h_t.grad one after the other; None, a state that leads to no loss, counts as 0."""
    known = {t: as_tensor(part, f"hidden_grad[{t}]") for t, part in enumerate(parts) if part is not None}
    if not known:
        raise RnnvizError("hidden_grad: wanted h_t.grad of each time step, got none: was h_t.retain_grad() called?")
    first = next(iter(known.values()))
    for t, part in known.items():
        if part.shape != first.shape:
            raise RnnvizError(f"hidden_grad[{t}]: wanted shape {tuple(first.shape)}, got {tuple(part.shape)}.")
    return torch.stack([known.get(t, torch.zeros_like(first)) for t in range(len(parts))])


def take_like_output(
    grad: Given | PackedSequence, name: str, structure: Structure, layout: Layout, batch: Sequence[int]
) -> Tensor:
    """(T, N, D·P), zero beyond each length; RnnvizError unless it has the shape of the output. `batch` is (T, N)."""
    shape = (*batch, structure.directions * structure.output_size)
    tensor = padded_of(grad, name)[0] if isinstance(grad, PackedSequence) else layout.time_major(as_tensor(grad, name))
    if tensor.shape != shape:
        raise RnnvizError(
            f"{name}: wanted the shape of the module's output, time-major {shape}, "
            f"got time-major {tuple(tensor.shape)}."
        )
    if layout.lengths is None:
        return tensor
    asked = torch.arange(len(tensor))[:, None] < layout.lengths
    return torch.where(asked[:, :, None], tensor, torch.zeros_like(tensor))

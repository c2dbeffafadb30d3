"""Asking: the step Jacobians of a user's own cell along one recorded sequence, by its file run once more."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.cells import OWN
from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import closest
from rnnviz.core.sweeps.capture import Call, Capture, CaptureKind
from rnnviz.core.sweeps.scans.asked import Asked
from rnnviz.engine.own_cell.module import OwnCellModule
from rnnviz.engine.own_cell.running import BACK, running
from rnnviz.runs.reading.reader import Run

_LIMIT = 1e-4  # relative, up to which the file gives the recorded states again
_PARTS = 50  # words on how far it is


def module_of(run: Run, model: str, call: Call) -> OwnCellModule:
    """The module of a model of a run, made anew from its file, which must be as it was. Raises RnnvizError."""
    names = [one.name for one in run.experiment.models]
    if model not in names:
        raise RnnvizError(f"{run.path} has no model {model}, {closest(model, names)}")
    settings, structure = run.experiment.models[names.index(model)], call.structure
    if settings.cell != OWN.name or structure.own is None:
        raise RnnvizError(f"{model} is no user's own cell: its Jacobians are computed in the window.")
    module = OwnCellModule(
        settings.structure(structure.input_size, structure.output_size), settings.own.file, run.experiment.seed
    )
    if module.structure.own != structure.own:
        changed = module.structure.own is not None and module.structure.own.digest != structure.own.digest
        why = "has changed since this run was trained" if changed else "gives another cell than the one of this run"
        raise RnnvizError(f"{settings.own.file} {why}; wanted it as it was.")
    return module


def with_weights(module: OwnCellModule, weights: Mapping[str, Array]) -> OwnCellModule:
    """The module with the weights of a capture."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.from_numpy(weights[name].copy()))
    return module


def ask(run: Run, training_step: int, model: str, sample: int, kind: CaptureKind = "probe") -> Iterator[float | Asked]:
    """The shares done, 0 to 1, and at last the step Jacobians of sequence `sample` (0-based) at a captured training
    step. Raises RnnvizError."""
    capture = run.capture(training_step, model, kind)
    count = len(capture.sequence_lengths)
    if not 0 <= sample < count:
        raise RnnvizError(f"{run.path} has sequences 1 to {count}; wanted one of them, got {sample + 1}.")
    module = module_of(run, model, capture.calls[0])
    yield from jacobians(with_weights(module, capture.weights), capture.sample(sample))


def jacobians(module: OwnCellModule, capture: Capture) -> Iterator[float | Asked]:
    """Of a capture of one sequence: all its time steps are read side by side, as if each were a sequence of its own."""
    (call,) = capture.calls
    told, names = call.recorded, call.structure.equations.states
    assert told is not None  # `check_shapes` has looked
    time_steps = len(call.inputs)
    first = {name: call.initial[name][0] for name in names}
    before = [_leaf(np.concatenate([first[name], told.states[name][:-1, 0]])) for name in names]
    x = _leaf(call.inputs[:, 0])
    with torch.enable_grad():
        after = module.stepper.step(x, tuple(before))
        for name, one in zip(names, after, strict=True):
            _check_same(module, one, told.states[name][:, 0])
        sizes = [one.shape[-1] for one in after]
        units, inputs = sum(sizes), x.shape[-1]
        step, within = np.zeros((2, time_steps, units, units), call.inputs.dtype)
        by_input = np.zeros((time_steps, units, inputs), call.inputs.dtype)
        wanted = [*before, *after, x]
        row = 0
        for place, size in enumerate(sizes):
            for unit in range(size):
                columns = [one.detach().numpy() for one in _row(module, after, place, unit, wanted)]
                step[:, row] = np.concatenate(columns[: len(names)], axis=-1)
                within[:, row] = np.concatenate(columns[len(names) : -1], axis=-1)
                by_input[:, row] = columns[-1]
                row += 1
                if row % max(1, units // _PARTS) == 0:
                    yield row / (units + 1)
    yield Asked(frozen(step), frozen(within), frozen(by_input))


def _row(module: OwnCellModule, after: tuple[Tensor, ...], place: int, unit: int, wanted: list[Tensor]) -> list[Tensor]:
    """The gradient of one unit of a state at every time step, by each of `wanted`."""
    output = after[place]
    if not output.requires_grad:
        return [torch.zeros_like(one) for one in wanted]
    seed = torch.zeros_like(output)
    seed[:, unit] = 1
    reached = [number for number, one in enumerate(wanted) if one.requires_grad]
    with running(module.stepper.file, BACK, module.stepper.kept):
        found = torch.autograd.grad(
            output, [wanted[number] for number in reached], seed, retain_graph=True, allow_unused=True
        )
    by_place = dict(zip(reached, found, strict=True))
    return [torch.zeros_like(one) if by_place.get(k) is None else by_place[k] for k, one in enumerate(wanted)]


def _check_same(module: OwnCellModule, after: Tensor, recorded: Array) -> None:
    """RnnvizError where the file does not give the recorded states again."""
    found = after.detach().numpy()
    scale = np.abs(recorded).max(initial=0.0)
    if found.shape != recorded.shape or not np.allclose(
        found, recorded, rtol=_LIMIT, atol=_LIMIT * scale, equal_nan=True
    ):
        raise RnnvizError(f"{module.stepper.file} does not give the states again that this run has recorded.")


def _leaf(array: Array) -> Tensor:
    return torch.from_numpy(np.array(array)).requires_grad_()

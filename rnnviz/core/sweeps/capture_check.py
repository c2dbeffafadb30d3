"""The check of a capture: every array there, of the right shape and dtype, so that a trace can be rebuilt from it."""

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.capture import Capture, Readout

DTYPES = ("float32", "float64")


def check_shapes(capture: Capture) -> None:
    """RnnvizError naming the first array of `capture` that is missing or has another shape or dtype than it must."""
    structure = capture.structure
    if capture.inputs.ndim != 3 or 0 in capture.inputs.shape[:2]:
        raise RnnvizError(f"capture.inputs: wanted (T, N, I) with T and N at least 1, got {capture.inputs.shape}")
    time_steps, sequences = capture.inputs.shape[:2]
    layers = structure.num_layers * structure.directions
    output = (time_steps, sequences, structure.directions * structure.output_size)
    wanted: dict[str, tuple[Array | None, tuple[int, ...]]] = {
        "inputs": (capture.inputs, (time_steps, sequences, structure.input_size)),
        "h0": (capture.h0, (layers, sequences, structure.output_size)),
        "grad_output": (capture.grad_output, output),
    }
    if structure.cell == "lstm":
        wanted["c0"] = capture.c0, (layers, sequences, structure.hidden_size)
    elif capture.c0 is not None:
        raise RnnvizError(f"capture.c0: wanted nothing for the cell {structure.cell}, got {capture.c0.shape}")
    if capture.output is not None:
        wanted["output"] = capture.output, output
    foreign = sorted(set(capture.weights) - set(structure.parameter_shapes()))
    if foreign:
        raise RnnvizError(f"capture.weights[{foreign[0][:60]}]: wanted none of that name in this structure")
    for name, shape in structure.parameter_shapes().items():
        wanted[f"weights[{name}]"] = capture.weights.get(name), shape
        if name in capture.grads:
            wanted[f"grads[{name}]"] = capture.grads[name], shape
    dtype = capture.inputs.dtype
    if dtype.name not in DTYPES:
        raise RnnvizError(f"capture.inputs: wanted float32 or float64, got {dtype.name}")
    for name, (array, shape) in wanted.items():
        if array is None or array.shape != shape or array.dtype != dtype:
            came = "nothing" if array is None else f"{array.dtype.name} {array.shape}"
            raise RnnvizError(f"capture.{name}: wanted {dtype.name} {shape}, got {came}")
    _check_lengths(capture.lengths, time_steps, sequences)
    if capture.readout is not None:
        _check_head(capture.readout, output)


def _check_lengths(lengths: Array | None, time_steps: int, sequences: int) -> None:
    if lengths is None:
        return
    whole = lengths.dtype.kind == "i"
    if not whole or lengths.shape != (sequences,) or lengths.min() < 1 or lengths.max() > time_steps:
        raise RnnvizError(f"capture.lengths: wanted {sequences} numbers from 1 to {time_steps}, got {lengths.tolist()}")


def _check_head(head: Readout, output: tuple[int, int, int]) -> None:
    """`output`: (T, N, D·H) of the module below."""
    time_steps, sequences, units = output
    answers = head.bias.shape[0] if head.bias.ndim == 1 else -1
    asked = (time_steps, sequences)
    wanted = {
        "weight": (head.weight, (answers, units)),
        "loss_weight": (head.loss_weight, asked),
        "targets": (head.targets, asked if head.loss == "cross entropy" else (*asked, answers)),
    }
    for name, (array, shape) in wanted.items():
        if array.shape != shape:
            raise RnnvizError(f"capture.readout.{name}: wanted {shape}, got {array.shape}")
    if head.loss != "cross entropy":
        return
    targets = head.targets
    if targets.dtype.kind != "i" or (targets.size and not 0 <= targets.min() <= targets.max() < answers):
        raise RnnvizError(f"capture.readout.targets: wanted whole numbers from 0 to {answers - 1}")

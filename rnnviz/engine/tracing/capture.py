"""Captures: of any recurrent module of torch's (`trace`), and of a model in training (`capture_probe`)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnnviz.core.arrays import Array, FrozenMapping, frozen, frozen_mapping
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import (
    Attention,
    Bridge,
    Call,
    Capture,
    CaptureKind,
    Convolution,
    Embedding,
    Head,
    LossName,
)
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.core.tasks.source import Batch
from rnnviz.engine import layered
from rnnviz.engine.decoding import BridgeModule
from rnnviz.engine.fronts import ConvolutionFront, EmbeddingFront
from rnnviz.engine.losses import losses
from rnnviz.engine.networks import SequenceModel, structure_of
from rnnviz.engine.own_cell.recording import Watching
from rnnviz.engine.passes import EVALUATION, CallPass, Conditions, read
from rnnviz.engine.tracing.given_gradients import take_gradients, take_like_output, with_direct_part
from rnnviz.engine.tracing.layout import (
    Given,
    GivenState,
    Layout,
    Sequences,
    check_numbers,
    take_inputs,
    take_sequences,
    take_state,
)
from rnnviz.engine.tracing.own_pass import own_pass
from rnnviz.engine.tracing.replayed import drops_out, replayed_masks
from rnnviz.engine.tracing.torch_forward import torch_forward
from rnnviz.engine.tracing.weights import effective_weights
from rnnviz.runs.writing.trace_file import SavableTrace, savable


def trace(
    module: nn.Module,
    inputs: Given | PackedSequence,
    state: GivenState | None = None,
    grad_output: Given | PackedSequence | None = None,
    output: Given | PackedSequence | None = None,
    *,
    hidden_grad: Given | Sequence[Given] | None = None,
    sequences: Sequences | None = None,
    random_state: Tensor | None = None,
) -> SavableTrace:
    """One forward and backward sweep of `module` over `inputs`, with every intermediate quantity.

    `module`: nn.RNN, nn.LSTM, nn.GRU (any depth and direction, batch_first, proj_size, without bias, packed or
    unbatched input) or one of their Cells, which is stepped over (T, N, I) or (T, I). `state` and `grad_output`
    (∂L/∂output, of a Cell the direct part: ∂L_t/∂h_t of L_t alone) come in the module's own layout. Of a Cell
    `hidden_grad` can be given instead: the totals ∂L/∂h_t, which h_t.grad holds after `h_t.retain_grad()`, one after
    the other or stacked. Without either, L = Σ_n ‖output at the last time step of sequence n‖.

    `sequences` (0-based) are the only ones that are swept and rebuilt, in that order; weight gradients and shares are
    theirs alone.

    `random_state`: what `torch.get_rng_state()` gave right before your own pass of a module in training mode. With it
    the masks of dropout between the layers are those of that pass, which its `output` or gradients confirm; without
    it, and on other devices than the CPU, dropout is left out.

    The module is only read: its gradients, hooks, training flag and torch's generator stay as they are. Hooks are left
    out, half precision is computed in float32. So the pass that is traced may be another than yours.
    With `output`, what your own pass gave, and with gradients given where every parameter of the module has a .grad,
    the trace is compared with those too, and its `verdict` says what agrees (so clear .grad before that pass, and do
    not clip it before the trace). Dropout, hooks, autocast and half
    precision that nothing settles take the verdict away. Raises RnnvizError for an unknown module or a wrong shape.
    """
    captured = capture_module(
        module,
        inputs,
        state,
        grad_output,
        output,
        hidden_grad=hidden_grad,
        sequences=sequences,
        random_state=random_state,
    )
    return savable(rebuild(captured))


def capture_module(
    module: nn.Module,
    inputs: Given | PackedSequence,
    state: GivenState | None = None,
    grad_output: Given | PackedSequence | None = None,
    output: Given | PackedSequence | None = None,
    *,
    hidden_grad: Given | Sequence[Given] | None = None,
    sequences: Sequences | None = None,
    random_state: Tensor | None = None,
    structure: Structure | None = None,
) -> Capture:
    """The capture that `trace` rebuilds from; arguments and errors as there. `structure` says what torch's module does
    not: the ways around its layers."""
    structure = structure_of(module) if structure is None else structure
    with torch.inference_mode(False):
        weights = effective_weights(module, structure)
        dtype, notes = _precision(weights)
        # Copies all: the module may go on training, and tensors made in inference mode cannot take part in autograd.
        weights = {name: _copied(weight, dtype) for name, weight in weights.items()}
        given, layout = take_inputs(module, inputs, structure)
        first = take_state(state, structure, layout, given.shape[1]) or _zeros(structure, given)
        grad = take_gradients(grad_output, hidden_grad, structure, layout, given.shape[:2])
        own_output = None if output is None else take_like_output(output, "output", structure, layout, given.shape[:2])
        masks = None
        if drops_out(module, structure):
            packed = inputs if isinstance(inputs, PackedSequence) else None
            masks = replayed_masks(module, structure, given, packed, random_state)
            if masks is None:
                notes.append("Dropout between the layers is left out, as in evaluation.")
        if sequences is not None:
            chosen = take_sequences(sequences, given.shape[1])
            given, layout = given[:, chosen], layout.of(chosen)
            first = {name: part[:, chosen] for name, part in first.items()}
            grad, own_output = (None if one is None else one[:, chosen] for one in (grad, own_output))
            masks = None if masks is None else masks[:, :, chosen]
        given = _copied(given, dtype)
        masks = None if masks is None else _copied(masks, dtype)
        grad = None if grad is None else _copied(grad, dtype)
        first = {name: _copied(part, dtype) for name, part in first.items()}
        with_grads = grad is not None and sequences is None
        own = own_pass(module, structure, dtype, own_output, with_grads=with_grads, replayed=masks is not None)
        captured = _swept(structure, weights, given, first, grad, layout, tuple(notes), hidden_grad is not None, masks)
        return replace(captured, own=own)


def capture_probe(model: SequenceModel, batch: Batch, info: TaskInfo, conditions: Conditions = EVALUATION) -> Capture:
    """What `model` makes of the probe now, as in evaluation but for what its decoder is told. Leaves nothing behind: no
    gradients, no random numbers, no changed flag."""
    return captured(model, batch, info, conditions)


def captured(
    model: SequenceModel,
    batch: Batch,
    info: TaskInfo,
    conditions: Conditions = EVALUATION,
    kind: CaptureKind = "probe",
) -> Capture:
    """What `model` makes of `batch` now, under `conditions`, with the gradients of its loss; nothing is left behind."""
    assert info.loss is not None  # a task that is trained has a loss
    parameters = recurrent_parameters(model)
    with torch.enable_grad(), Watching(model.recurrent) as watching:
        passed = read(model, batch, conditions)
        loss = weighted_loss(passed.prediction, batch, info.loss)
        outputs = [call.output for call in passed.calls]
        grads = watching.grads(loss, [*outputs, *parameters.values()])
    grad_outputs, own = grads[: len(outputs)], grads[len(outputs) :]
    head = _head(model, batch, info)
    calls = [_call(model, call, grad) for call, grad in zip(passed.calls, grad_outputs, strict=True)]
    calls[0] = replace(calls[0], recorded=watching.recorded(grad_outputs[0], passed.calls[0].given.cut))
    # The batch's own arrays, which are known to be the probe's without a comparison.
    calls[0] = _with_own_inputs(replace(calls[0], lengths=_frozen(batch.lengths)), batch.inputs)
    if batch.decoder_inputs is not None and bool(passed.calls[-1].all_told):
        calls[-1] = _with_own_inputs(calls[-1], batch.decoder_inputs)
    calls[-1] = replace(calls[-1], head=head)
    own_grads = _arrays(dict(zip(parameters, own, strict=True)))
    return Capture(_arrays(parameters), tuple(calls), own_grads, kind=kind)


def recurrent_parameters(model: SequenceModel) -> dict[str, Tensor]:
    """Those of its recurrent modules, by their names in a capture."""
    found: dict[str, Tensor] = {}
    for name, (_, module) in model.modules_by_name.items():
        prefix = f"{name}." if name else ""
        found |= {f"{prefix}{parameter}": value for parameter, value in module.named_parameters()}
    return found


def _head(model: SequenceModel, batch: Batch, info: TaskInfo) -> Head:
    """What a capture keeps of the head and of what is asked."""
    assert info.loss is not None  # a task that is trained has a loss
    attention = None
    if model.attention is not None:
        attention = Attention(0, _array(model.attention.score), _array(model.attention.combine))
    return Head(
        weight=_array(model.head.weight) if isinstance(model.head, nn.Linear) else None,
        bias=_array(model.head.bias) if isinstance(model.head, nn.Linear) else None,
        loss=info.loss,
        targets=frozen(batch.targets),
        loss_weight=frozen(batch.loss_weight),
        pooling=model.pooling,
        reduction=info.reduction,
        attention=attention,
    )


def _with_own_inputs(call: Call, inputs: Array) -> Call:
    """A call with the inputs of its batch, where nothing stands before its module, or as its pictures."""
    if call.convolution is not None:
        return replace(call, convolution=replace(call.convolution, pictures=frozen(inputs)))
    return call if call.embedding is not None else replace(call, inputs=frozen(inputs))


def _call(model: SequenceModel, passed: CallPass, grad_output: Tensor) -> Call:
    """What a capture keeps of one call of a pass."""
    given, states = passed.given, passed.structure.equations.states
    front, bridge = (model.decoder_front, model.bridge) if passed.name else (model.front, None)
    embedding = convolution = None
    if isinstance(front, EmbeddingFront) and passed.before is not None:
        there, symbols = passed.before.any(dim=-1), passed.before.argmax(dim=-1)
        embedding = Embedding(_array(symbols.masked_fill(~there, -1)), _array(front.weight))
    elif isinstance(front, ConvolutionFront) and passed.before is not None:
        convolution = Convolution(_array(passed.before), _array(front.weight), front.picture[0])
    return Call(
        passed.structure,
        _ours(passed.inputs),
        _arrays(dict(zip(states, given.initial, strict=True))),
        _array(grad_output),
        None if given.lengths is None else _ours(given.lengths),
        _array(passed.output),
        name=passed.name,
        module=passed.name,
        start=passed.start,
        follows=0 if passed.name else None,
        bridge=None if bridge is None else _bridge(bridge),
        embedding=embedding,
        convolution=convolution,
        told=None if passed.told is None else _array(passed.told),
        masks=None if given.masks is None else _array(given.masks),
        cut=None if given.cut is None else _array(given.cut),
    )


def _bridge(bridge: BridgeModule) -> Bridge:
    weights = {state: bridge.weight(state) for state in bridge.states}
    return Bridge(_arrays(weights), _arrays({state: bridge.bias(state) for state in bridge.states}))


def weighted_loss(prediction: Tensor, batch: Batch, loss: LossName) -> Tensor:
    """L = Σ_{t,n} loss_weight · loss, as `core.capture.Head` defines it; prediction (T, N, V)."""
    return (losses(loss, prediction, torch.from_numpy(batch.targets)) * torch.from_numpy(batch.loss_weight)).sum()


def _swept(
    structure: Structure,
    weights: Mapping[str, Tensor],
    inputs: Tensor,
    states: dict[str, Tensor],
    grad: Tensor | None,
    layout: Layout,
    notes: tuple[str, ...],
    totals: bool,
    masks: Tensor | None,
) -> Capture:
    """Runs torch's own module of this structure once forward and backward; all tensors are ours.

    `grad` (T, N, D·P): ∂L/∂output, or `totals`: of a Cell, with all later paths in it.
    """
    begun = layered.Given(tuple(states.values()), layout.lengths, masks)
    with torch.enable_grad(), torch.autocast("cpu", enabled=False):
        output, parameters = torch_forward(structure, weights, inputs, begun)
        given = _grad_of_last_norms(output.detach(), layout.lengths) if grad is None else grad
        capture = Capture.of_one(
            _all_ours(weights),
            structure=structure,
            inputs=_ours(inputs),
            lengths=None if layout.lengths is None else _ours(layout.lengths),
            initial=_all_ours(states),
            grad_output=_ours(given),
            output=_ours(output),
            masks=None if masks is None else _ours(masks),
            notes=notes,
        )
        if grad is not None and layout.cell:
            capture = with_direct_part(capture, totals)
            given = torch.from_numpy(capture.grad_output.copy())
        grads = torch.autograd.grad(output, parameters, given)
    return replace(capture, grads=_all_ours(dict(zip(structure.parameter_shapes(), grads, strict=True))))


def _zeros(structure: Structure, inputs: Tensor) -> dict[str, Tensor]:
    """First states of zero (layers·D, N, ·) for inputs (T, N, I)."""
    shape = len(structure.layer_ids), inputs.shape[1]
    return {state: inputs.new_zeros(*shape, structure.units(state)) for state in structure.equations.states}


def _grad_of_last_norms(output: Tensor, lengths: Tensor | None) -> Tensor:
    """∂/∂output of Σ_n ‖output[T_n, n]‖; 0 where the output is 0, NaN where it is not finite, as autograd has it.

    Norms in float64 (RELIABILITY, Numbers).
    """
    sequences = torch.arange(output.shape[1])
    ends = torch.full_like(sequences, len(output)) if lengths is None else lengths
    last = output[ends - 1, sequences].double()  # (N, D·H)
    norms = last.norm(dim=-1, keepdim=True)
    grad = torch.zeros_like(output)
    grad[ends - 1, sequences] = torch.where(norms != 0, last / norms, torch.zeros_like(last)).to(output.dtype)
    return grad


def _precision(weights: Mapping[str, Tensor]) -> tuple[torch.dtype, list[str]]:
    """The dtype to compute in, and what to say about it."""
    for name, weight in weights.items():
        check_numbers(weight, f"The module's {name}")
    kinds = {weight.dtype for weight in weights.values()}
    if len(kinds) == 1 and kinds <= {torch.float32, torch.float64}:
        return kinds.pop(), []
    names = " and ".join(sorted(str(dtype).removeprefix("torch.") for dtype in kinds))
    wide = torch.float64 if torch.float64 in kinds else torch.float32
    return wide, [f"The module's {names} weights are computed in {str(wide).removeprefix('torch.')}."]


def _copied(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.detach().to(device="cpu", dtype=dtype, copy=True).contiguous()


def _array(tensor: Tensor) -> Array:
    """A read-only copy."""
    return frozen(tensor.detach().cpu().numpy().copy())


def _frozen(array: Array | None) -> Array | None:
    return None if array is None else frozen(array)


def _ours(tensor: Tensor) -> Array:
    """A read-only view of a tensor of ours, which nobody writes into."""
    return frozen(tensor.detach().numpy())


def _all_ours(tensors: Mapping[str, Tensor]) -> Mapping[str, Array]:
    return FrozenMapping.holding({name: _ours(tensor) for name, tensor in tensors.items()})


def _arrays(tensors: Mapping[str, Tensor]) -> Mapping[str, Array]:
    return frozen_mapping({name: _array(tensor) for name, tensor in tensors.items()})

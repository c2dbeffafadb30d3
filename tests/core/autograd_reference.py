"""The slow truth: a recurrent module unrolled one time step at a time in torch, every state keeping its gradient."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnviz.core.arrays import Array
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture, Head

torch.set_num_threads(1)


@dataclass
class LayerReference:
    """Tensors of one layer and direction by [t][n], each (·,), with gradients retained."""

    time_steps: int
    sequences: int
    values: dict[str, list[list[torch.Tensor | None]]] = field(default_factory=dict)

    def keep(self, name: str, tensor: torch.Tensor, t: int, n: int) -> torch.Tensor:
        if tensor.requires_grad:
            tensor.retain_grad()
        if name not in self.values:
            self.values[name] = [[None] * self.sequences for _ in range(self.time_steps)]
        self.values[name][t][n] = tensor
        return tensor

    def array(self, name: str, grad: bool = False) -> Array:
        """(T, N, ·) the values, or their gradients; zero where a sequence has ended or no gradient arrived."""
        rows = self.values[name]
        width = next(tensor.shape[0] for row in rows for tensor in row if tensor is not None)
        found = np.zeros((len(rows), len(rows[0]), width))
        for t, row in enumerate(rows):
            for n, tensor in enumerate(row):
                if tensor is not None:
                    kept = tensor.grad if grad else tensor.detach()
                    found[t, n] = 0 if kept is None else kept.numpy()
        return found

    def grads(self, names: Iterable[str]) -> Array:
        """(T, N, ·) the gradients of several beside each other."""
        return np.concatenate([self.array(name, grad=True) for name in names], axis=-1)


@dataclass
class Reference:
    """Everything autograd says about one capture."""

    layers: dict[str, LayerReference]
    output: Array
    weight_grads: dict[str, Array]
    weights: dict[str, torch.Tensor]
    input_grads: Array


def mingru(w, a_ih, x, states, keep):
    """Feng et al. 2024: nothing but h is recurrent."""
    a_z, n = a_ih.chunk(2)
    z, n = keep("z", keep("a:z", a_z).sigmoid()), keep("a:n", keep("n", n))  # n squashes nothing
    return {"h": keep("h", (1 - z) * states["h"] + z * n)}


def lstm_1997(w, a_ih, x, states, keep):
    """Hochreiter & Schmidhuber 1997: as the LSTM, and what is in c stays."""
    i, g, o = (a_ih + w["weight_hh"] @ states["h"]).chunk(3)
    i, g = keep("i", keep("a:i", i).sigmoid()), keep("g", keep("a:g", g).tanh())
    c = keep("c", states["c"] + i * g)
    return {"h": keep("h", keep("o", keep("a:o", o).sigmoid()) * c.tanh()), "c": c}


def gru_reset_before(w, a_ih, x, states, keep):
    """Cho 2014: the reset gate acts on h before U_n."""
    h, (a_r, a_z, a_n) = states["h"], a_ih.chunk(3)
    r = keep("r", keep("a:r", a_r + w["weight_ur"] @ h).sigmoid())
    z = keep("z", keep("a:z", a_z + w["weight_uz"] @ h).sigmoid())
    n = keep("n", keep("a:n", a_n + w["weight_un"] @ (r * h)).tanh())
    return {"h": keep("h", (1 - z) * n + z * h)}


def minlstm(w, a_ih, x, states, keep):
    """Feng et al. 2024: f and i as shares of their sum."""
    a_f, a_i, n = a_ih.chunk(3)
    f, i = keep("f", keep("a:f", a_f).sigmoid()), keep("i", keep("a:i", a_i).sigmoid())
    f, i = keep("a:f_share", keep("f_share", f / (f + i))), keep("a:i_share", keep("i_share", i / (f + i)))
    return {"h": keep("h", f * states["h"] + i * keep("a:n", keep("n", n)))}


def lru(w, a_ih, x, states, keep):
    """Orvieto et al. 2023, with torch's complex numbers."""
    lam = torch.exp(-torch.exp(w["nu_log"]) + 1j * torch.exp(w["theta_log"]))
    lam = torch.complex(keep("a:lam_re", keep("lam_re", lam.real)), keep("a:lam_im", keep("lam_im", lam.imag)))
    u_re, u_im = a_ih.chunk(2)
    u = torch.complex(keep("a:re", u_re), keep("a:im", u_im))
    s = lam * torch.complex(states["re"], states["im"]) + keep("gamma", torch.exp(w["gamma_log"])) * u
    re, im = keep("re", s.real), keep("im", s.imag)
    c = torch.complex(w["weight_cre"], w["weight_cim"])
    return {"re": re, "im": im, "h": keep("h", (c @ torch.complex(re, im)).real + w["weight_d"] @ x)}


def ssm(w, a_ih, x, states, keep):
    """Gu & Dao 2023, discretised as Mamba does: exp(A Δ) for A, Δ B for B."""
    u, b, c, a_delta = a_ih.chunk(4)
    u, b, c = (keep(f"a:{one}", keep(one, value)) for one, value in (("u", u), ("write", b), ("show", c)))
    if "bias_delta" in w:
        a_delta = a_delta + w["bias_delta"]
    delta = keep("delta", torch.log(1 + torch.exp(keep("a:delta", a_delta))))
    decay = keep("keep", torch.exp(keep("a:keep", keep("rate", -torch.exp(w["a_log"])) * delta)))
    s = keep("s", decay * states["s"] + delta * b * u)
    return {"s": s, "h": keep("h", c * s + w["weight_d"] * u)}


# Of cells that torch lacks: parameters without the layer, W_ih x + b_ih, x, the states of the time step before.
OWN_STEPS = {
    "mingru": mingru,
    "minlstm": minlstm,
    "lru": lru,
    "ssm": ssm,
    "lstm_1997": lstm_1997,
    "gru_reset_before": gru_reset_before,
}
PHI = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}


def step(structure: Structure, w: dict[str, torch.Tensor], name: str, x, states, keep):
    """One time step of one sequence, written by hand as torch's documentation or the cell's paper writes it.

    `states` by name, those of the time step before; the new ones come back.
    """
    a_ih = w[f"weight_ih_{name}"] @ x
    if f"bias_ih_{name}" in w:
        a_ih = a_ih + w[f"bias_ih_{name}"]
    if structure.cell in ("mlp", "tdnn"):  # nothing of the time step before
        return {"h": keep("h", PHI[structure.activation](keep("a:a", a_ih)))}
    if structure.cell in OWN_STEPS:
        own = {one.removesuffix(f"_{name}"): weight for one, weight in w.items() if one.endswith(f"_{name}")}
        return OWN_STEPS[structure.cell](own, a_ih, x, states, keep)
    if structure.cell not in ("vanilla", "lstm", "gru", "peephole_lstm", "jordan"):
        where = "`OWN_STEPS` in tests/core/autograd_reference.py"
        raise NotImplementedError(
            f"the cell {structure.cell}: wanted its equations written once more by hand in {where}"
        )
    h = states["y" if structure.cell == "jordan" else "h"]
    a_hh = w[f"weight_hh_{name}"] @ h
    if structure.bias:
        a_hh = a_hh + w[f"bias_hh_{name}"]
    if structure.cell == "jordan":  # Jordan 1986: the output goes back
        y = w[f"weight_ho_{name}"] @ keep("h", PHI[structure.activation](keep("a:a", a_ih + a_hh)))
        return {"y": keep("y", y + w[f"bias_ho_{name}"] if structure.bias else y)}
    if structure.cell == "vanilla":
        return {"h": keep("h", PHI[structure.activation](keep("a:a", a_ih + a_hh)))}
    if structure.cell == "gru":
        (ir, iz, inn), (hr, hz, hn) = a_ih.chunk(3), a_hh.chunk(3)
        r, z = keep("r", keep("a:r", ir + hr).sigmoid()), keep("z", keep("a:z", iz + hz).sigmoid())
        n = keep("n", keep("a:n", inn + r * hn).tanh())
        return {"h": keep("h", (1 - z) * n + z * h)}
    c, (i, f, g, o) = states["c"], (a_ih + a_hh).chunk(4)
    if structure.cell == "peephole_lstm":  # Gers & Schmidhuber 2000: i and f see c_{t−1}, o sees c_t
        i, f = i + w[f"weight_ci_{name}"] * c, f + w[f"weight_cf_{name}"] * c
    i, f = keep("i", keep("a:i", i).sigmoid()), keep("f", keep("a:f", f).sigmoid())
    g = keep("g", keep("a:g", g).tanh())
    c = keep("c", f * c + i * g)
    if structure.cell == "peephole_lstm":
        o = o + w[f"weight_co_{name}"] * c
    o = keep("o", keep("a:o", o).sigmoid())
    h = o * c.tanh()
    return {"h": keep("h", w[f"weight_hr_{name}"] @ h if structure.proj_size else h), "c": c}


Change = Callable[[str, str, int, torch.Tensor], torch.Tensor]  # (layer, name, t, computed) → what is used instead


def reference(
    capture: Capture,
    loss_times: tuple[int, ...] | None = None,
    change: Change | None = None,
    cuts: frozenset[tuple[str, int]] = frozenset(),
    with_head: bool = False,
) -> Reference:
    """Autograd over the unrolled module; `loss_times` keeps only the losses at those time steps.

    `change` may put another tensor in the place of each that is computed; the states of `cuts` (layer, t) are
    detached before they are handed on. `with_head`: L is that of the capture's head, not Σ output · grad_output.
    """
    structure = capture.structure
    w = {name: torch.tensor(np.array(value), requires_grad=True) for name, value in capture.weights.items()}
    time_steps, sequences = capture.inputs.shape[:2]
    lengths = [time_steps] * sequences if capture.lengths is None else capture.lengths.tolist()
    inputs = torch.tensor(np.array(capture.inputs), requires_grad=True)
    below = [[last_inputs(inputs, t, n, structure.window) for n in range(sequences)] for t in range(time_steps)]
    layers: dict[str, LayerReference] = {}
    level: list[LayerReference] = []
    for number, name in enumerate(structure.layer_names):
        layer = LayerReference(time_steps, sequences)
        for n, length in enumerate(lengths):
            states = {state: torch.tensor(np.array(first[number, n])) for state, first in capture.initial.items()}
            for t in range(length - 1, -1, -1) if name.endswith("_reverse") else range(length):
                x = layer.keep("x", below[t][n] * 1, t, n)
                keep = partial(layer.keep, t=t, n=n)
                keep = keep if change is None else changing(change, name, t, keep)
                states = step(structure, w, name, x, states, keep)
                if (name, t) in cuts:
                    states = {state: tensor.detach() for state, tensor in states.items()}
        layers[name] = layer
        level.append(layer)
        if len(level) == structure.directions:
            depth = number // structure.directions
            below = [
                [
                    handed_up(
                        capture, [each.values[structure.equations.output][t][n] for each in level], below, depth, t, n
                    )
                    if t < lengths[n]
                    else None
                    for n in range(sequences)
                ]
                for t in range(time_steps)
            ]
            level = []
    grad_output = torch.tensor(np.array(capture.grad_output))
    loss = head_loss(capture.head, below, loss_times) if with_head else torch.zeros((), dtype=grad_output.dtype)
    output = np.zeros(capture.grad_output.shape)
    for n, length in enumerate(lengths):
        for t in range(length):
            output[t, n] = below[t][n].detach().numpy()
            if not with_head and (loss_times is None or t in loss_times):
                loss = loss + (below[t][n] * grad_output[t, n]).sum()
    loss.backward()
    grads = {name: np.zeros(tuple(v.shape)) if v.grad is None else v.grad.numpy() for name, v in w.items()}
    return Reference(layers, output, grads, w, inputs.grad.numpy())


def handed_up(capture: Capture, outputs: list[torch.Tensor], below: list, depth: int, t: int, n: int) -> torch.Tensor:
    """What one depth gives to the next at one time step: h through its dropout mask, and what was read around it."""
    h, masks = torch.cat(outputs), capture.calls[0].masks
    if masks is not None and depth < len(masks):
        h = h * torch.tensor(masks[depth, t, n])
    return h + below[t][n] if capture.structure.residual and depth else h


def last_inputs(inputs: torch.Tensor, t: int, n: int, window: int) -> torch.Tensor:
    """(window·I,) the inputs up to time step t of one sequence, the oldest first, zeros before the first."""
    return torch.cat(
        [inputs[s, n] if s >= 0 else torch.zeros(inputs.shape[2]).to(inputs) for s in range(t - window + 1, t + 1)]
    )


def changing(change: Change, layer: str, t: int, keep: Callable[[str, torch.Tensor], torch.Tensor]):
    return lambda name, tensor: keep(name, change(layer, name, t, tensor))


def head_loss(
    head: Head, output: list[list[torch.Tensor | None]], loss_times: tuple[int, ...] | None = None
) -> torch.Tensor:
    """Σ loss_weight · loss over all time steps (or some) and sequences."""
    total = torch.zeros((), dtype=torch.float64)
    for t, row in enumerate(output):
        for n, state in enumerate(row):
            if state is None or (loss_times is not None and t not in loss_times):
                continue
            prediction, target = pooled([one[n] for one in output[: t + 1]], head), torch.tensor(head.targets[t, n])
            if head.weight is not None:
                prediction = torch.tensor(np.array(head.weight)) @ prediction + torch.tensor(np.array(head.bias))
            if head.loss == "cross entropy":
                each = torch.nn.functional.cross_entropy(prediction, target)
            elif head.loss == "binary cross-entropy":
                each = torch.nn.functional.binary_cross_entropy_with_logits(prediction, target)
            else:
                each = ((prediction - target) ** 2).mean()
            total = total + each * float(head.loss_weight[t, n])
    return total


def pooled(states: list[torch.Tensor], head: Head) -> torch.Tensor:
    """What the head reads of the states of all time steps so far; a maximum is torch's own, the first of equals."""
    if head.pooling == "last":
        return states[-1]
    whole = torch.stack(states)
    return whole.mean(dim=0) if head.pooling == "mean" else whole.max(dim=0).values


def random_capture(
    structure: Structure,
    *,
    time_steps: int = 5,
    sequences: int = 2,
    lengths: list[int] | None = None,
    dtype: str = "float64",
    scale: float = 0.6,
    seed: int = 0,
    with_torch: bool = True,
    dropout: float = 0.0,
) -> Capture:
    """A capture of random numbers; output and grads are torch's own fused module's where torch has one."""
    generator = np.random.default_rng(seed)

    def normal(*shape: int) -> Array:
        return (generator.standard_normal(shape) * scale).astype(dtype)

    rows = structure.num_layers * structure.directions
    weights = {name: normal(*shape) for name, shape in structure.parameter_shapes().items()}
    inputs = normal(time_steps, sequences, structure.input_size)
    width = structure.directions * structure.output_size
    kept = np.random.default_rng(seed + 1).random((structure.num_layers - 1, time_steps, sequences, width)) >= dropout
    capture = Capture.of_one(
        weights,
        structure=structure,
        inputs=inputs,
        masks=(kept / (1 - dropout)).astype(dtype) if dropout and len(kept) else None,
        lengths=None if lengths is None else np.array(lengths, np.int64),
        initial={state: normal(rows, sequences, structure.units(state)) for state in structure.equations.states},
        grad_output=normal(time_steps, sequences, structure.directions * structure.output_size),
    )
    return with_torch_numbers(capture) if with_torch else capture


def with_torch_numbers(capture: Capture) -> Capture:
    """The capture with `output` and `grads` from torch's fused module; of a cell that torch lacks, unrolled."""
    structure = capture.structure
    layered = structure.residual or capture.calls[0].masks is not None
    if layered or structure.cell not in MODULES or (structure.cell == "vanilla" and structure.activation == "sigmoid"):
        slow = reference(capture)
        dtype = capture.inputs.dtype
        grads = {name: grad.astype(dtype) for name, grad in slow.weight_grads.items()}
        return replace(capture.with_call(output=slow.output.astype(dtype)), grads=grads)
    module = torch_module(capture)
    inputs = torch.tensor(np.array(capture.inputs))
    first = tuple(torch.tensor(np.array(capture.initial[state])) for state in structure.equations.states)
    state = first[0] if len(first) == 1 else first
    grad_output = torch.tensor(np.array(capture.grad_output))
    if capture.lengths is None:
        output, _ = module(inputs, state)
    else:
        packed = pack_padded_sequence(inputs, torch.tensor(capture.lengths), enforce_sorted=False)
        output, _ = pad_packed_sequence(module(packed, state)[0], total_length=len(inputs))
    output.backward(grad_output)
    grads = {name: parameter.grad.numpy() for name, parameter in module.named_parameters()}
    return replace(capture.with_call(output=output.detach().numpy()), grads=grads)


MODULES = {"vanilla": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def torch_module(capture: Capture) -> torch.nn.RNNBase:
    """torch's module with the capture's weights in it."""
    structure = capture.structure
    kind = MODULES[structure.cell]
    extra = {"nonlinearity": structure.activation} if structure.cell == "vanilla" else {}
    if structure.cell == "lstm":
        extra = {"proj_size": structure.proj_size}
    module = kind(
        structure.input_size,
        structure.hidden_size,
        structure.num_layers,
        bias=structure.bias,
        bidirectional=structure.bidirectional,
        dtype=getattr(torch, capture.inputs.dtype.name),
        **extra,
    )
    module.load_state_dict({name: torch.tensor(np.array(value)) for name, value in capture.weights.items()})
    return module


_NUDGES = {"float32": 2.0**-22, "float64": 2.0**-40}  # relative; a few roundings of the dtype, measured in float64


def conditioning(capture: Capture, compute: Callable[[Capture], Array], scale: float) -> float:
    """How many times larger than the rounding of the capture's numbers its effect on `compute` is, relative to `scale`.

    Measured in float64 by nudging every number of the capture: large where what is computed is the small rest of large
    terms that cancel.
    """
    nudge, generator = _NUDGES[capture.inputs.dtype.name], np.random.default_rng(0)

    def nudged(size: float) -> Array:
        def turn(array: Array) -> Array:
            return array * (1 + size * generator.choice([-1.0, 1.0], array.shape))

        return compute(
            replace(
                capture.with_call(
                    inputs=turn(capture.inputs),
                    initial={state: turn(array) for state, array in capture.initial.items()},
                    grad_output=turn(capture.grad_output),
                    output=None,
                ),
                weights={name: turn(array) for name, array in capture.weights.items()},
                grads={},
            )
        )

    exact = nudged(0.0)
    effect = max(float(np.abs(nudged(nudge) - exact).max(initial=0)) for _ in range(8))
    return effect / (nudge * scale)

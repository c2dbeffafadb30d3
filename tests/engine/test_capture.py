"""`trace` over torch's whole recurrent family: faithful to torch, and without a trace in the module."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.prune import l1_unstructured, random_unstructured
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence

from rnnviz.core import cells
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.engine.cell_module import CellModule
from rnnviz.engine.tracing.capture import capture_module, trace

torch.set_num_threads(1)
LIMITS = {torch.float32: 1e-5, torch.float64: 1e-10}
KINDS = {"tanh": nn.RNN, "relu": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CELLS = {"tanh": nn.RNNCell, "relu": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


def module_of(kind: str, *sizes: int, single: bool = False, **options: object) -> nn.Module:
    if kind in ("tanh", "relu"):
        options["nonlinearity"] = kind
    return (CELLS if single else KINDS)[kind](*sizes, **options)


def state_for(module: nn.Module, *shape: int, projection: int = 0) -> object:
    """A random state (…, H) in the module's own layout; (h0, c0) for an LSTM."""
    dtype = next(module.parameters()).dtype
    hidden = torch.randn(*shape, projection or module.hidden_size, dtype=dtype)
    if isinstance(module, nn.LSTM | nn.LSTMCell):
        return hidden, torch.randn(*shape, module.hidden_size, dtype=dtype)
    return hidden


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning")
@settings(max_examples=80, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_module_is_rebuilt_as_torch_computes_it(data: st.DataObject) -> None:
    draw = data.draw
    torch.manual_seed(draw(st.integers(0, 1000)))
    kind, dtype = draw(st.sampled_from(list(KINDS))), draw(st.sampled_from(list(LIMITS)))
    inputs, hidden = draw(st.integers(1, 4)), draw(st.integers(3, 6))
    time_steps, sequences = draw(st.integers(1, 7)), draw(st.integers(1, 4))
    layers, both, batch_first = draw(st.integers(1, 3)), draw(st.booleans()), draw(st.booleans())
    options = {"bias": draw(st.booleans()), "bidirectional": both, "batch_first": batch_first, "num_layers": layers}
    projection = draw(st.integers(0, hidden - 1)) if kind == "lstm" else 0
    if projection:
        options["proj_size"] = projection
    module = module_of(kind, inputs, hidden, dtype=dtype, **options)
    shape = draw(st.sampled_from(["batch", "packed", "unbatched"]))
    directions = layers * (1 + both)
    state = None
    if draw(st.booleans()):
        per_sequence = (directions,) if shape == "unbatched" else (directions, sequences)
        state = state_for(module, *per_sequence, projection=projection)
    if shape == "unbatched":
        x = torch.randn(time_steps, inputs, dtype=dtype)
    else:
        x = torch.randn(*((sequences, time_steps) if batch_first else (time_steps, sequences)), inputs, dtype=dtype)
    if shape == "packed":
        lengths = torch.tensor([draw(st.integers(1, time_steps)) for _ in range(sequences)])
        x = pack_padded_sequence(x, lengths, batch_first=batch_first, enforce_sorted=False)
    output = module(x, state)[0]
    # An output that is nearly 0 everywhere by cancellation has no digits left to agree on.
    assume((output.data if shape == "packed" else output).detach().abs().max().item() > 0.01)
    grad = None
    if draw(st.booleans()):
        packed = shape == "packed"
        like = pad_packed_sequence(output, batch_first=batch_first)[0] if packed else output
        grad = torch.randn_like(like)
    found = trace(module, x, state, grad)
    assert found.fidelity <= LIMITS[dtype]
    assert found.faithful
    top = found.layers[-(1 + both) :]
    ours = np.concatenate([layer.h for layer in top], axis=-1)
    theirs = pad_packed_sequence(output)[0] if shape == "packed" else output.detach()
    theirs = theirs.unsqueeze(1) if shape == "unbatched" else theirs
    theirs = theirs.transpose(0, 1) if shape == "batch" and batch_first else theirs
    assert np.allclose(ours, theirs.detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", list(CELLS))
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_a_cell_is_stepped_over_the_sequence(kind: str, batched: bool, bias: bool) -> None:
    torch.manual_seed(3)
    cell = module_of(kind, 3, 4, single=True, bias=bias, dtype=torch.float64)
    sequences = (2,) if batched else ()
    x = torch.randn(5, *sequences, 3, dtype=torch.float64)
    state = state_for(cell, *sequences)
    found = trace(cell, x, state)
    h, states = state, []
    for x_t in x:
        h = cell(x_t, h)
        states.append((h[0] if kind == "lstm" else h).detach().reshape(-1, 4).numpy())
    assert np.allclose(found.layers[0].h, np.stack(states), atol=1e-12)
    assert found.fidelity <= 1e-10


def test_without_a_gradient_the_loss_is_the_norm_of_the_last_output() -> None:
    torch.manual_seed(4)
    module = nn.LSTM(3, 4, dtype=torch.float64)
    sequences = [torch.randn(length, 3, dtype=torch.float64) for length in (5, 2)]
    found = trace(module, pack_sequence(sequences))
    total = sum(module(sequence)[0][-1].norm() for sequence in sequences)
    total.backward()
    assert np.allclose(found.layers[0].weight_grads["weight_hh"], module.weight_hh_l0.grad.numpy(), atol=1e-12)


def test_a_packed_gradient_counts_like_its_padded_form() -> None:
    torch.manual_seed(5)
    module = nn.GRU(2, 3)
    x = pack_sequence([torch.randn(length, 2) for length in (2, 5, 3)], enforce_sorted=False)
    grads = [torch.randn(length, 3) for length in (2, 5, 3)]
    packed = trace(module, x, grad_output=pack_sequence(grads, enforce_sorted=False))
    padded = trace(module, x, grad_output=torch.nn.utils.rnn.pad_sequence(grads))
    assert np.array_equal(packed.layers[0].weight_grads["weight_hh"], padded.layers[0].weight_grads["weight_hh"])
    assert list(packed.lengths) == [2, 5, 3]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32_and_says_so(dtype: torch.dtype) -> None:
    module = nn.LSTM(3, 4).to(dtype)
    found = trace(module, torch.randn(4, 2, 3, dtype=dtype))
    assert found.layers[0].h.dtype == np.float32
    assert found.fidelity <= LIMITS[torch.float32]
    assert any(str(dtype).removeprefix("torch.") in note and "float32" in note for note in found.notes)


def test_dropout_is_left_out_and_said() -> None:
    module = nn.GRU(3, 4, num_layers=2, dropout=0.5)
    x = torch.randn(6, 2, 3)
    found = trace(module, x)
    assert any("Dropout" in note for note in found.notes)
    assert not found.faithful
    assert np.allclose(found.layers[1].h, copy.deepcopy(module).eval()(x)[0].detach().numpy(), atol=1e-6)
    assert trace(module.eval(), x).notes == ()


def test_the_module_and_torch_stay_as_they_are() -> None:
    torch.manual_seed(6)
    module = nn.LSTM(3, 4, num_layers=2, dropout=0.3)
    calls: list[str] = []
    module.register_forward_hook(lambda *_: calls.append("forward"))
    module.register_full_backward_hook(lambda *_: calls.append("backward"))
    x = torch.randn(5, 2, 3, requires_grad=True)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    generator = torch.get_rng_state()
    captured = capture_module(module, x)
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(parameter.grad is None for parameter in module.parameters())
    assert x.grad is None
    assert module.training
    assert calls == []
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    with torch.no_grad():
        module.weight_hh_l0.add_(1.0)
    assert np.array_equal(captured.weights["weight_hh_l0"], before["weight_hh_l0"].numpy())


def test_it_works_where_gradients_are_switched_off_and_under_autocast() -> None:
    module = nn.LSTM(3, 4)
    contexts = (torch.no_grad(), torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16))
    for context in contexts:
        with context:
            found = trace(module, torch.randn(5, 2, 3))
        assert found.fidelity <= LIMITS[torch.float32]
        assert found.faithful is (context is not contexts[-1])


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")
@pytest.mark.parametrize(
    "kind", ["weight_norm", "spectral_norm", "old_weight_norm", "old_spectral_norm", "pruning", "twice pruned"]
)
def test_weights_of_a_normed_module_are_the_effective_ones(kind: str) -> None:
    torch.manual_seed(7)
    module = nn.LSTM(3, 4)
    norms = {
        "weight_norm": nn.utils.parametrizations.weight_norm,
        "spectral_norm": nn.utils.parametrizations.spectral_norm,
        "old_weight_norm": nn.utils.weight_norm,
        "old_spectral_norm": nn.utils.spectral_norm,
        "pruning": partial(l1_unstructured, amount=0.4),
        "twice pruned": lambda *of: random_unstructured(l1_unstructured(*of, amount=5), of[1], amount=0.3),
    }
    norms[kind](module, "weight_hh_l0")
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1.5)  # the weight computed before is stale now
    module.eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    module.train()
    x = torch.randn(5, 2, 3)
    found = trace(module, x)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    # A training forward reads a spectrally normed weight more than once, with a power iteration each time.
    expected, near = (module(x)[0], 1e-4) if kind == "spectral_norm" else (module.eval()(x)[0], 1e-6)
    assert np.allclose(found.layers[0].h, expected.detach().numpy(), atol=near)


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize(
    "cell", ["sigmoid vanilla", *(cell for cell in cells.CELLS if cell not in ("vanilla", "lstm", "gru"))]
)
def test_a_module_of_a_cell_that_torch_lacks_is_traced(both: bool, cell: str) -> None:
    torch.manual_seed(8)
    activation = "sigmoid" if cell == "sigmoid vanilla" else "tanh"
    structure = Structure(cell.removeprefix("sigmoid "), 3, 4, 2, both, activation=activation)
    module = CellModule(structure, torch.float64)
    for parameter in module.parameters():
        nn.init.normal_(parameter)  # of the Jordan network some units are saturated: 1 − h² has few digits left
    found = trace(module, torch.randn(6, 2, 3, dtype=torch.float64))
    assert found.faithful, found.verdict.words
    assert found.fidelity <= (1e-7 if cell == "jordan" else 1e-10)
    sequences = [torch.randn(length, 3, dtype=torch.float64) for length in (2, 5, 3)]
    packed = trace(module, pack_sequence(sequences, enforce_sorted=False))
    assert packed.faithful, packed.verdict.words
    for n, sequence in enumerate(sequences):
        alone = module(sequence[:, None])[0][:, 0].detach().numpy()
        assert np.allclose(packed.calls[0].output[: len(sequence), n], alone, atol=1e-12)


class OwnForward(nn.LSTM):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return super().forward(inputs)[0] * 2


X = torch.zeros(5, 2, 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: trace(nn.Linear(3, 4), X), "nn.RNN, nn.LSTM, nn.GRU.*Linear"),
        (lambda: trace(OwnForward(3, 4), X), "own forward.*OwnForward"),
        (lambda: trace(nn.LSTM(3, 4, device="meta"), X), "meta"),
        (lambda: trace(nn.LSTM(2, 4), X), "wanted 2 inputs a time step, got 3"),
        (lambda: trace(nn.LSTM(3, 4), X.long()), "floating-point.*int64"),
        (lambda: trace(nn.LSTM(3, 4), X[:0]), "at least one time step"),
        (lambda: trace(nn.LSTM(3, 4), X[None]), "got shape"),
        (lambda: trace(nn.LSTM(3, 4), "text"), "inputs: wanted a tensor.*str"),
        (lambda: trace(nn.LSTM(3, 4), X, torch.zeros(1, 2, 4)), "wanted h0 and c0 of the LSTM, got 1 tensor"),
        (lambda: trace(nn.LSTM(3, 4), X, [torch.zeros(1, 2, 4)] * 3), "wanted h0 and c0 of the LSTM, got 3 tensors"),
        (lambda: trace(nn.GRU(3, 4), X, torch.zeros(1, 3, 4)), r"state, h0.*\(1, 2, 4\)"),
        (lambda: trace(nn.GRU(3, 4), X, torch.zeros(2, 4)), r"state, h0.*\(2, 4\)"),
        (lambda: trace(nn.GRU(3, 4), X, None, torch.zeros(5, 2, 3)), "grad_output.*shape of the module's output"),
        (lambda: trace(nn.GRUCell(3, 4), pack_sequence([X[:, 0]])), "PackedSequence"),
    ],
)
def test_what_cannot_be_traced_is_refused_in_one_sentence(call, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RnnvizError, match=words) as refused:
        call()
    assert "\n" not in str(refused.value)


def test_first_states_may_come_in_a_list() -> None:
    module = nn.LSTM(3, 4)
    first = [torch.randn(1, 2, 4), torch.randn(1, 2, 4)]
    listed, tupled = trace(module, X, first), trace(module, X, tuple(first))
    assert np.array_equal(listed.layers[0].h, tupled.layers[0].h)
    assert np.array_equal(listed.calls[0].call.initial["c"], first[1].numpy())


def test_nan_is_carried_and_not_hidden() -> None:
    module = nn.LSTM(3, 4)
    x = torch.randn(5, 1, 3)
    x[2] = float("nan")
    found = trace(module, x)
    assert np.isnan(found.layers[0].h[2:]).all()
    assert not np.isnan(found.layers[0].h[:2]).any()


@pytest.mark.filterwarnings("error")
def test_arrays_are_taken_like_tensors_also_read_only_and_reversed_ones() -> None:
    module = nn.GRU(3, 4)
    x = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float32)
    x.flags.writeable = False
    again = trace(module, trace(module, x[::-1]).layers[0].x)
    assert np.array_equal(again.layers[0].h, trace(module, torch.tensor(x[::-1].copy())).layers[0].h)

"""What a person does with a trace in Python: saves, pickles, copies it, gives it to torch, asks for few sequences."""

import copy
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import ThreadpoolController, threadpool_limits
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

import rnnviz
from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.quantity import quantities
from rnnviz.core.sweeps import trace as rebuilding
from rnnviz.core.sweeps.trace import Trace
from rnnviz.engine.tracing.capture import capture_module

KINDS = [nn.RNN, nn.LSTM, nn.GRU]
LENGTHS = torch.tensor([7, 2, 5])
OLD_RUN = Path(__file__).parents[1] / "data" / "format1" / "trained.rnnviz"


def module_and_inputs(
    kind: type[nn.Module], packed: bool, dtype: torch.dtype = torch.float64
) -> tuple[nn.Module, object]:
    torch.manual_seed(23)
    module = kind(3, 5, num_layers=2, bidirectional=True, dtype=dtype)
    inputs = torch.randn(7, 3, 3, dtype=dtype)
    return module, pack_padded_sequence(inputs, LENGTHS, enforce_sorted=False) if packed else inputs


def arrays_of(trace: Trace) -> Iterator[tuple[str, Array]]:
    """Everything public a trace holds, by where it stands."""
    if trace.lengths is not None:
        yield "lengths", trace.lengths
    for call in trace.calls:
        yield "output", call.output
    yield from ((f"output {number}", output) for number, output in enumerate(trace.check.outputs))
    for call in trace.calls:
        yield from ((f"call.{name}", value) for name, value in vars(call.call).items() if isinstance(value, np.ndarray))
    yield from trace.check.capture.weights.items()
    for layer in trace.layers:
        named: dict[str, object] = {name: getattr(layer, name) for name in dir(layer) if not name.startswith("_")}
        named |= {f"quantity {name}": layer.quantity(one) for name, one in quantities(layer.equations).items()}
        for node in layer.equations.by_name:
            named |= {f"value {node}": layer.value(node), f"grad {node}": layer.grad(node)}
        for state in layer.equations.states:
            named |= {f"direct {state}": layer.direct(state), f"carried {state}": layer.carried(state)}
        named["flow"] = layer.gradient_flow(0)
        for name, value in named.items():
            parts = value.items() if isinstance(value, Mapping) else [("", value)]
            for key, array in parts:
                if isinstance(array, np.ndarray):
                    yield f"{layer.name} {name} {key}", array


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_trace_is_pickled_and_copied_and_its_arrays_suit_torch(kind: type[nn.Module], packed: bool) -> None:
    trace = rnnviz.trace(*module_and_inputs(kind, packed))
    wanted = dict(arrays_of(trace))
    assert len(wanted) > 100
    for other in (trace, pickle.loads(pickle.dumps(trace)), copy.deepcopy(trace), copy.copy(trace), trace.sample(1)):
        found = dict(arrays_of(other))
        assert other.fidelity == trace.fidelity
        for name, array in found.items():
            assert not array.flags.writeable, name
            assert all(stride >= 0 for stride in array.strides), name
            if other is not trace and other.sequences == trace.sequences:
                assert np.array_equal(array, wanted[name]), name


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_the_first_states_agree_with_autograd_and_finite_differences(
    kind: type[nn.Module], packed: bool
) -> None:
    module, inputs = module_and_inputs(kind, packed)
    states = [torch.randn(4, 3, 5, dtype=torch.float64, requires_grad=True) for _ in range(1 + (kind is nn.LSTM))]
    upstream = torch.randn(7, 3, 10, dtype=torch.float64)

    def loss() -> torch.Tensor:
        output = module(inputs, tuple(states) if len(states) > 1 else states[0])[0]
        if isinstance(output, PackedSequence):
            output = nn.utils.rnn.pad_packed_sequence(output)[0]
        return (output * upstream).sum()

    loss().backward()
    given = tuple(state.detach() for state in states)
    trace = rnnviz.trace(module, inputs, given if len(given) > 1 else given[0], upstream)
    assert trace.faithful
    for name, state in zip("hc", states, strict=False):
        ours = np.stack([layer.initial_grads[name] for layer in trace.layers])
        assert np.allclose(ours, state.grad.numpy(), atol=1e-12)
        for place in ((0, 1, 4), (1, 2, 0), (3, 0, 2)):
            with torch.no_grad():
                state[place] += 1e-6
                above = loss()
                state[place] -= 2e-6
                slope = (above - loss()).item() / 2e-6
                state[place] += 1e-6
            assert slope == pytest.approx(ours[place], abs=1e-7)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_trace_is_a_run_that_gives_it_back(kind: type[nn.Module], packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "one.rnnviz"
    rnnviz.trace(nn.GRU(2, 3).double().half(), torch.ones(4, 1, 2)).save(path)  # is replaced
    trace = rnnviz.trace(*module_and_inputs(kind, packed, torch.float32))
    trace.save(str(path))
    alone = trace.sample(1)
    alone.save(tmp_path / "alone.rnnviz")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["alone.rnnviz", "one.rnnviz"]
    for name, saved in (("one", trace), ("alone", alone)):
        with rnnviz.open_run(tmp_path / f"{name}.rnnviz") as run:
            assert run.source.title == name
            assert not run.engine_alive
            assert run.models[0].name == {nn.RNN: "vanilla", nn.LSTM: "LSTM", nn.GRU: "GRU"}[kind]
            found = run.trace(0)
        assert found.faithful
        assert found.sequences == saved.sequences
        assert found.time_steps == saved.time_steps
        for ours, theirs in zip(found.layers, saved.layers, strict=True):
            assert np.allclose(ours.hidden_grad, theirs.hidden_grad, rtol=1e-5, atol=1e-7)
            assert np.array_equal(ours.x, theirs.x) or theirs.id.depth
            for state in theirs.initial:
                assert np.array_equal(ours.initial[state], theirs.initial[state])


def test_what_is_said_of_a_trace_is_saved_with_it(tmp_path: Path) -> None:
    trace = rnnviz.trace(nn.LSTM(3, 4).bfloat16(), torch.ones(5, 2, 3))
    trace.save(tmp_path / "half.rnnviz")
    with rnnviz.open_run(tmp_path / "half.rnnviz") as run:
        assert [event.sentence for event in run.events()] == list(trace.notes)
        assert run.trace(0).notes == trace.notes != ()


def test_saving_loses_nothing_that_stood_there(tmp_path: Path) -> None:
    trace = rnnviz.trace(nn.RNN(3, 4), torch.ones(5, 1, 3))
    notes, training, old = (tmp_path / name for name in ("notes.txt", "training.rnnviz", "old.rnnviz"))
    notes.write_text("mine")
    old.write_bytes(OLD_RUN.read_bytes())
    with rnnviz.open_run(OLD_RUN) as run:
        run.save_copy(training)
    for path, words in (
        (notes, "exists already and is not a trace saved before"),
        (training, "exists already and is not a trace saved before"),
        (old, "exists already and is not a trace saved before"),
        (tmp_path, "exists already"),
        (tmp_path / "nowhere" / "one.rnnviz", "the folder .*nowhere does not exist"),
        (notes / "one.rnnviz", "the folder .*notes.txt does not exist"),
    ):
        before = path.read_bytes() if path.is_file() else b""
        with pytest.raises(RnnvizError, match=words) as refused:
            trace.save(path)
        assert str(path) in str(refused.value)
        assert not path.is_file() or path.read_bytes() == before
    with pytest.raises(RnnvizError, match="n cannot be written: File name too long"):
        trace.save(tmp_path / ("n" * 300))
    with pytest.raises(RnnvizError, match=r"'.*a.x00b' cannot be written: no file name holds a zero character"):
        trace.save(tmp_path / "a\0b")
    assert sorted(tmp_path.iterdir()) == sorted([notes, training, old])


def test_a_saved_trace_is_read_by_its_person_alone(tmp_path: Path) -> None:
    path = tmp_path / "one.rnnviz"
    trace = rnnviz.trace(nn.GRU(3, 4), torch.ones(5, 2, 3))
    for _ in range(2):  # also where it takes the place of another's
        trace.save(path)
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o644)


def test_the_float64_rebuild_is_read_only_like_the_trace() -> None:
    module, inputs = module_and_inputs(nn.LSTM, True, torch.float32)
    trace = rnnviz.trace(module, inputs)
    for found in (trace, trace.exact):
        writeable = [name for name, array in arrays_of(found) if array.flags.writeable]
        writeable += [name for name, array in found.calls[0].call.initial.items() if array.flags.writeable]
        assert not writeable


def test_a_trace_of_a_run_is_saved_with_its_head_and_loss(tmp_path: Path) -> None:
    with rnnviz.open_run(OLD_RUN) as run:
        trace = run.trace(int(run.captured()[-1]), run.models[-1].name)
    trace.save(tmp_path / "last.rnnviz")
    with rnnviz.open_run(tmp_path / "last.rnnviz") as run:
        assert np.array_equal(run.trace(0).head.losses, trace.head.losses)
        assert run.metrics("loss")[0] == pytest.approx(float(trace.head.losses.sum()))
        assert run.models[0].parameter_count == sum(
            one.size for one in [*trace.check.capture.weights.values(), *trace.head.parameters.values()]
        )


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_only_the_chosen_sequences_are_rebuilt(kind: type[nn.Module], packed: bool) -> None:
    module, inputs = module_and_inputs(kind, packed)
    states = tuple(torch.randn(4, 3, 5, dtype=torch.float64) for _ in range(1 + (kind is nn.LSTM)))
    state = states if len(states) > 1 else states[0]
    upstream = torch.randn(7, 3, 10, dtype=torch.float64)
    for grad, several in ((None, ([2, 0], np.array([1]))), (upstream, (torch.tensor([0, 1, 2]), range(1, 3), 1))):
        whole = rnnviz.trace(module, inputs, state, grad)
        for chosen in several:
            rows = [chosen] if isinstance(chosen, int) else [int(one) for one in chosen]
            some = rnnviz.trace(module, inputs, state, grad, sequences=chosen)
            assert some.faithful
            for one, other in zip(some.layers, whole.layers, strict=True):
                assert one.h.shape == (7, len(rows), 5)
                assert np.allclose(one.hidden_grad, other.hidden_grad[:, rows], atol=1e-12)
                assert np.allclose(one.initial_grads["h"], other.initial_grads["h"][rows], atol=1e-12)
            added = sum(whole.sample(row).layers[0].weight_grads["weight_hh"] for row in rows)
            assert np.allclose(some.layers[0].weight_grads["weight_hh"], added, atol=1e-12)
    first = nn.GRU(3, 4, batch_first=True)
    assert rnnviz.trace(first, torch.ones(6, 5, 3), sequences=[4]).layers[0].h.shape == (5, 1, 4)


@pytest.mark.parametrize(
    "chosen",
    [np.flatnonzero([True, False, True]), [*np.array([0, 2])], (torch.tensor(0), torch.tensor(2)), range(0, 3, 2)],
)
def test_sequences_are_numbers_of_any_kind(chosen: object) -> None:
    module, inputs = nn.RNN(3, 4), torch.randn(5, 3, 3)
    found = rnnviz.trace(module, inputs, sequences=chosen)
    assert np.array_equal(found.layers[0].x, inputs[:, [0, 2]].numpy())


@pytest.mark.parametrize(
    "chosen",
    [
        [],
        [1, 1],
        3,
        -1,
        [0, 3],
        True,
        0.5,
        "1",
        slice(0, 2),
        np.array([0.0]),
        torch.tensor([[0]]),
        [np.True_],
        [np.float64(1)],
    ],
)
def test_sequences_there_are_not_are_refused(chosen: object) -> None:
    with pytest.raises(RnnvizError, match="sequences: wanted numbers from 0 to 2, each once, got"):
        rnnviz.trace(nn.RNN(3, 4), torch.zeros(5, 3, 3), sequences=chosen)


class Compiled(nn.Module):
    """As torch.compile wraps a module, without the 20 s that takes."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._orig_mod = module


class Tagger(nn.Module):
    """A whole model, as people have it."""

    def __init__(self, cells: int = 0) -> None:
        super().__init__()
        self.embedding, self.rnn, self.head = nn.Embedding(9, 3), nn.LSTM(3, 4), nn.Linear(4, 9)
        self.cells = nn.ModuleList(nn.GRUCell(3, 4) for _ in range(cells))


X = torch.zeros(5, 2, 3)
LSTM, CELL = nn.LSTM(3, 4), nn.GRUCell(3, 4)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rnnviz.trace(Tagger(), X), r"Tagger, which has one: pass model\.rnn\.$"),
        (lambda: rnnviz.trace(Tagger(1), X), r"which has 2: pass one of model\.rnn, model\.cells\[0\]\.$"),
        (lambda: rnnviz.trace(Tagger(8), X), r"which has 9: pass one of model\.rnn, .*, …\.$"),
        (lambda: rnnviz.trace(nn.Sequential(nn.Linear(3, 3), LSTM), X), r"nn\.Sequential, .* pass model\[1\]\.$"),
        (lambda: rnnviz.trace(Compiled(Tagger()), X), r"compiled .*Tagger, which has one: pass model\.rnn\.$"),
        (lambda: rnnviz.trace(Compiled(LSTM), X), r"compiled nn\.LSTM: pass the module that was compiled"),
        (lambda: rnnviz.trace(nn.LSTM, X), "got the class LSTM: pass a module made of it"),
        (lambda: rnnviz.trace(LSTM.state_dict(), X), "got OrderedDict"),
        (lambda: rnnviz.trace(LSTM, X.to_sparse()), r"inputs: wanted a dense tensor, got sparse_coo.*to_dense"),
        (lambda: rnnviz.trace(LSTM, X.to("meta")), "inputs: wanted numbers, got a tensor on the meta device"),
        (
            lambda: rnnviz.trace(LSTM, PackedSequence(X[:, 0].to("meta"), torch.ones(5, dtype=torch.int64))),
            "inputs: .* on the meta device",
        ),
        (lambda: rnnviz.trace(LSTM, pack_sequence([X[:, 0].long()])), "inputs: .* floating-point .*int64"),
        (lambda: rnnviz.trace(LSTM, X, (X[:1, :, :1].to_sparse(), X)), "state, h0: wanted a dense tensor"),
        (lambda: rnnviz.trace(LSTM, X, None, torch.zeros(5, 2, 4).to_sparse()), "grad_output: wanted a dense tensor"),
        (lambda: rnnviz.trace(LSTM, X, None, X.to("meta")), "grad_output: .* meta device"),
        (lambda: rnnviz.trace(LSTM, X.numpy().astype(object)), "inputs: .* floating-point numbers, got object"),
        (lambda: rnnviz.trace(LSTM, X.numpy().astype(np.longdouble)), "inputs: .* got float128|got longdouble"),
        (lambda: rnnviz.trace(LSTM, X, hidden_grad=X), "hidden_grad: wanted for a Cell only.*as grad_output"),
        (lambda: rnnviz.trace(CELL, X, None, X, hidden_grad=X), "wanted one of them, got both"),
        (lambda: rnnviz.trace(CELL, X, hidden_grad=[None] * 5), r"none: was h_t\.retain_grad\(\) called"),
        (lambda: rnnviz.trace(CELL, X, hidden_grad=[X[0]] * 5), r"hidden_grad: .* \(5, 2, 4\), got .* \(5, 2, 3\)"),
        (lambda: rnnviz.trace(CELL, X, hidden_grad=[X[0], X[0, 0]]), r"hidden_grad\[1\]: wanted shape \(2, 3\)"),
    ],
)
def test_what_cannot_be_traced_is_refused_with_what_to_pass(call, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RnnvizError, match=words) as refused:
        call()
    assert "\n" not in str(refused.value)


def test_numbers_of_another_byte_order_are_taken() -> None:
    swapped = X.numpy().astype(np.dtype(np.float32).newbyteorder()) + 1
    assert np.array_equal(rnnviz.trace(LSTM, swapped).layers[0].h, rnnviz.trace(LSTM, X + 1).layers[0].h)


def test_a_rebuild_keeps_to_one_thread_and_puts_back_what_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    blas = [one for one in ThreadpoolController().lib_controllers if one.user_api == "blas"]
    assert blas  # numpy's own
    seen = list[int]()
    check = rebuilding.check_shapes

    def look(capture: object) -> None:
        seen.extend(one.get_num_threads() for one in blas)
        check(capture)

    monkeypatch.setattr(rebuilding, "check_shapes", look)
    captured = capture_module(LSTM, X)
    with threadpool_limits(2, "blas"):
        rebuilding.rebuild(captured)
        assert set(seen) == {1}
        with pytest.raises(RnnvizError):
            rebuilding.rebuild(captured.with_call(inputs=captured.inputs[..., :1]))
        assert {one.get_num_threads() for one in blas} == {2}

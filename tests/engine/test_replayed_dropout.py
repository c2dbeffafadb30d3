"""Dropout of a person's own pass, replayed from the state of torch's generator before it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from rnnviz.core.errors import RnnvizError
from rnnviz.engine.tracing.capture import trace
from rnnviz.engine.tracing.checking import check_capture
from rnnviz.runs.reading.reader import open_run

LAYOUTS = {
    "time first": lambda: torch.randn(6, 3, 2),
    "batch first": lambda: torch.randn(3, 6, 2),
    "unbatched": lambda: torch.randn(6, 2),
    "packed": lambda: pack_sequence([torch.randn(length, 2) for length in (4, 6, 4)], enforce_sorted=False),
}


def passed(kind: str = "LSTM", layout: str = "time first", *, double: bool = False, **options: object):
    """A module, its inputs and output, the state of the generator before, and ∂L/∂output whose gradients it has."""
    torch.manual_seed(61)
    module = getattr(nn, kind)(2, 4, 3, dropout=0.4, batch_first=layout == "batch first", **options)
    inputs = LAYOUTS[layout]()
    if double:
        module, inputs = module.double(), inputs.double()
    torch.manual_seed(62)
    state = torch.get_rng_state()
    output = module(inputs)[0]
    data = output.data if isinstance(output, PackedSequence) else output
    data.retain_grad()
    data.square().sum().backward()
    grad = output._replace(data=data.grad) if isinstance(output, PackedSequence) else data.grad
    return module, inputs, state, detached(output), grad


def detached(output: Tensor | PackedSequence) -> Tensor | PackedSequence:
    return output._replace(data=output.data.detach()) if isinstance(output, PackedSequence) else output.detach()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_the_persons_own_pass_is_traced_to_its_gradients(kind: str, layout: str) -> None:
    double = kind == "GRU"
    module, inputs, state, output, grad = passed(kind, layout, double=double, bidirectional=kind != "LSTM")
    before = torch.get_rng_state()
    found = trace(module, inputs, None, grad, output, random_state=state)
    assert torch.equal(torch.get_rng_state(), before)
    assert found.verdict.right, found.verdict.words
    assert found.verdict.agreed == ("your own output", "the module's own .grad")
    assert found.notes == ()
    assert found.fidelity < (1e-10 if double else 1e-5)


def test_without_the_state_or_with_another_it_is_not_the_persons_own() -> None:
    module, inputs, state, output, grad = passed()
    later = torch.get_rng_state()
    for given in (None, later):
        verdict = trace(module, inputs, None, grad, output, random_state=given).verdict
        assert verdict.kind == "not your own pass"
        assert "dropout between the layers is on" in verdict.words
    alone = trace(module, inputs, random_state=state).verdict  # nothing says that these are the masks
    assert (alone.kind, len(alone.why)) == ("not your own pass", 1)
    assert trace(module.eval(), inputs, random_state=state).verdict.right


def test_of_some_sequences_the_masks_are_theirs_and_a_file_keeps_them(tmp_path: Path) -> None:
    module, inputs, state, output, grad = passed("GRU", "packed")
    whole = trace(module, inputs, None, grad, output, random_state=state)
    some = trace(module, inputs, None, grad, output, sequences=[2, 1], random_state=state)
    assert some.verdict.right
    np.testing.assert_array_equal(some.layers[1].mask, whole.layers[1].mask[:, [2, 1]])
    np.testing.assert_allclose(some.layers[0].hidden_grad, whole.layers[0].hidden_grad[:, [2, 1]], atol=1e-6)
    whole.save(tmp_path / "own.rnnviz")
    with open_run(tmp_path / "own.rnnviz") as run:
        assert run.trace(0).verdict.agreed == whole.verdict.agreed
        assert check_capture(run.capture(0)).right


def test_what_is_no_state_is_refused() -> None:
    module, inputs, *_ = passed()
    with pytest.raises(RnnvizError, match=r"random_state: wanted what torch.get_rng_state\(\) gave.*got Tensor of"):
        trace(module, inputs, random_state=torch.zeros(3, dtype=torch.uint8))
    with pytest.raises(RnnvizError, match=r"random_state: wanted .*, got int"):
        trace(module, inputs, random_state=7)  # type: ignore[arg-type]

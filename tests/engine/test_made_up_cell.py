"""A made-up cell, said nowhere but here: it trains, traces, checks and takes a what-if like any other."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnviz.core.cells import CELLS, Cell, CellKind, Options
from rnnviz.core.cells.beginning import Drawn
from rnnviz.core.cells.cell import Parameter, from_input, from_state
from rnnviz.core.cells.lstm import LstmSettings
from rnnviz.core.cells.node import (
    Complement,
    Diagonal,
    Matrix,
    Mix,
    Node,
    Product,
    Relu,
    Sigmoid,
    Sum,
    Tanh,
    Value,
    Weight,
)
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.scans.flow import step_jacobian
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed, recompute
from rnnviz.core.sweeps.what_if.interventions import CutGradient, SetState, SetValue
from rnnviz.core.tasks import Adding
from rnnviz.engine.cell_module import CellModule
from rnnviz.engine.networks import build
from rnnviz.engine.tracing.capture import trace
from rnnviz.engine.tracing.checking import check_capture, check_run, report_table
from rnnviz.engine.training.serve import run_training
from rnnviz.engine.training.trainer import Training
from rnnviz.runs.reading.reader import open_run


def _make(options: Options) -> Cell:
    """Two states of which neither is called c, a product in a sum that can be set itself, a state read at once and
    again by a matrix, a complement, a diagonal on h_{t−1}, one node used twice, and a gate that sees x alone.

    p = σ(W x + b)_p   q = tanh((W x + U h)_q + v ⊙ h)   m = (1 − p) ⊙ m_{t−1} + p ⊙ q
    s = max(0, (W x)_k + M m)   h = (1 − k) ⊙ s + k ⊙ m ⊙ (1 − p),  k = σ((W x + U h)_k + d ⊙ m)
    """

    def biases(block: str) -> tuple[Weight, ...]:
        return (Weight("bias_ih", block),) if options.bias else ()

    def gate(name: str, node: str, symbol: str) -> Node:
        return Node(
            name,
            Sigmoid(Value(node)),
            "",
            symbol,
            f"{name} gate",
            "",
            "hidden",
            (0.0, 1.0),
            "gate",
            family="input",
            settable=True,
        )

    def state(name: str, operation: object, symbol: str, words: str, family: str) -> Node:
        return Node(
            name,
            operation,
            "",
            symbol,
            words,
            units="output" if name == "h" else "hidden",
            role="state",
            family=family,
            settable=True,
        )

    return Cell(
        "madeup",
        "made-up",
        ("p", "q", "k"),
        (
            Parameter("weight_ih", "W_{ih}", "rows", "input"),
            Parameter("weight_hh", "W_{hh}", "rows", "output"),
            *((Parameter("bias_ih", "b_{ih}", "rows", ""),) if options.bias else ()),
            Parameter("weight_mm", "M", "hidden", "hidden"),
            Parameter("weight_v", "v", "hidden", ""),
            Parameter("weight_d", "d", "hidden", ""),
        ),
        (
            from_input(),
            from_state(),
            Node("a_p", Sum((Value("wx", block="p"), *biases("p"))), "bias", "a_{p,t}", role="pre-activation"),
            gate("p", "a_p", "p_t"),
            Node("seen", Diagonal(Weight("weight_v"), Value("h", before=True)), "seen", "v_t"),
            Node(
                "a_q",
                Sum((Value("wx", block="q"), Value("uh", block="q"), Value("seen"), *biases("q"))),
                "bias",
                "a_{q,t}",
                role="pre-activation",
            ),
            Node(
                "q",
                Tanh(Value("a_q")),
                "",
                "q_t",
                "candidate",
                "",
                "hidden",
                (-1.0, 1.0),
                "gate",
                family="candidate",
                settable=True,
            ),
            state("m", Mix(Value("p"), Value("m", before=True), Value("q")), "m_t", "memory", "cell"),
            Node("mm", Matrix(Weight("weight_mm"), Value("m")), "", "M_t", "mixed memory", settable=True),
            Node("a_s", Sum((Value("wx", block="k"), Value("mm"))), "", "a_{s,t}", role="pre-activation"),
            Node("s", Relu(Value("a_s")), "", "s_t", "shown memory"),
            Node("dm", Diagonal(Weight("weight_d"), Value("m")), "dm", "d_t"),
            Node(
                "a_k",
                Sum((Value("wx", block="k"), Value("uh", block="k"), Value("dm"), *biases("k"))),
                "bias",
                "a_{k,t}",
                role="pre-activation",
            ),
            gate("k", "a_k", "k_t"),
            Node("rest", Complement(Value("p")), "h", "r_t"),
            Node("left", Product(Value("m"), Value("rest")), "h", "l_t"),
            state("h", Mix(Value("k"), Value("s"), Value("left")), "h_t", "hidden state", "state"),
        ),
        states=("h", "m"),
    )


def _begin(settings: LstmSettings, drawn: Drawn) -> dict[str, np.ndarray]:
    bias = np.array(drawn.weights["bias_ih"])
    bias[drawn.rows["p"]] += settings.forget_bias
    return {"bias_ih": bias}


def by_hand(w: dict[str, torch.Tensor], x: torch.Tensor, h: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
    """h of every time step (T, N, H), the equations above written with tensors."""
    found = []
    for x_t in x:
        (xp, xq, xk), (_, hq, hk) = (x_t @ w["weight_ih_l0"].T).chunk(3, -1), (h @ w["weight_hh_l0"].T).chunk(3, -1)
        bp, bq, bk = w["bias_ih_l0"].chunk(3)
        p, q = (xp + bp).sigmoid(), (xq + hq + w["weight_v_l0"] * h + bq).tanh()
        m = (1 - p) * m + p * q
        k = (xk + hk + w["weight_d_l0"] * m + bk).sigmoid()
        h = (1 - k) * (xk + m @ w["weight_mm_l0"].T).relu() + k * (m * (1 - p))
        found.append(h)
    return torch.stack(found)


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(CELLS, "madeup", CellKind("madeup", "made-up", _make, settings=LstmSettings, begin=_begin))
    return


def module_of(structure: Structure) -> CellModule:
    torch.manual_seed(3)
    module = CellModule(structure, torch.float64)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.6)
    return module


def test_its_module_and_trace_are_its_equations() -> None:
    module = module_of(Structure("madeup", 3, 4))
    x, h, m = (torch.randn(*shape, dtype=torch.float64) for shape in ((6, 2, 3), (1, 2, 4), (1, 2, 4)))
    output, last = module(x, (h, m))
    expected = by_hand(dict(module.named_parameters()), x, h[0], m[0])
    assert torch.allclose(output, expected, rtol=0, atol=1e-12)
    assert torch.equal(last[0][0], output[-1])
    upstream = torch.randn_like(output)
    found = trace(module, x, (h, m), upstream)
    assert found.fidelity <= 1e-10
    grads = torch.autograd.grad(expected, list(module.parameters()), upstream)
    for (name, _), grad in zip(module.named_parameters(), grads, strict=True):
        ours = found.layers[0].weight_grads[name.removesuffix("_l0")]
        np.testing.assert_allclose(ours, grad.numpy(), rtol=0, atol=1e-10 * float(grad.abs().max()))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("both", [True, False])
def test_its_gradients_are_right(both: bool, bias: bool) -> None:
    module = module_of(Structure("madeup", 3, 4, 2, both, bias))
    found = trace(module, torch.randn(3, 2, 3, dtype=torch.float64))
    report = check_capture(found.check.capture)
    assert report.right, report_table(report)
    assert {"m_l1", "h_l1", "p_l0", "q_l0", "k_l0", "weight_mm_l0", "weight_d_l1", "m0"} <= {
        check.name for check in report.checks
    }
    assert max(check.autograd for check in report.checks) < 1e-12


def test_its_flow_is_a_product_of_step_jacobians() -> None:
    found = trace(module_of(Structure("madeup", 3, 4)), torch.randn(5, 1, 3, dtype=torch.float64))
    layer = found.layers[0]
    lane = np.concatenate((layer.direct_grad[4, 0], np.zeros(4)))
    for t in range(4, 0, -1):
        lane = lane @ step_jacobian(layer, t)
        direct = layer.hidden_grad[t - 1, 0] * 0
        assert layer.gradient_flow()[4, t - 1] == pytest.approx(float(np.linalg.norm(lane[:4] + direct)), rel=1e-9)


def test_it_trains_and_its_run_is_checked(tmp_path: Path) -> None:
    model = ModelSettings("Made up", "madeup", 6, num_layers=2, own=LstmSettings(1.5))
    experiment = Experiment(
        "made up", Adding(length=6), (model,), TrainingSettings(training_steps=20, batch_size=8), seed=3
    )
    plain = build(replace(model, own=LstmSettings()), 2, 1, seed=3).recurrent
    shifted = build(model, 2, 1, seed=3).recurrent
    difference = (shifted.get_parameter("bias_ih_l1") - plain.get_parameter("bias_ih_l1")).detach()
    assert torch.allclose(difference, torch.tensor([1.5] * 6 + [0.0] * 12), atol=1e-6)
    training = Training(experiment)
    before = [parameter.detach().clone() for parameter in training.models[0].parameters()]
    losses = [training.advance()[0]["loss"] for _ in range(20)]
    assert np.isfinite(losses).all()
    assert not any(torch.equal(one, other) for one, other in zip(before, training.models[0].parameters(), strict=True))
    run_training(experiment, tmp_path / "a.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as run:
        (report,) = check_run(run)
        assert report.right, report_table(report)
        taken = run.capture(20, "Made up")
        assert rebuild(taken).faithful
        assert set(taken.initial) == {"h", "m"}


@pytest.mark.parametrize("name", ["m", "h", "p", "q", "k", "mm"])
def test_it_takes_a_what_if(name: str) -> None:
    found = trace(module_of(Structure("madeup", 3, 4, 2)), torch.randn(6, 2, 3, dtype=torch.float64))
    capture = found.check.capture

    def norm(value: float, layer: str = "l0") -> float:
        changed = rebuild_changed(capture, [SetValue(layer, name, 3, value, 2)], 1)
        assert changed.layer(layer).value(name)[2, 0, 1] == value
        return float((changed.calls[0].output * capture.grad_output[:, 1:]).sum())

    changed = rebuild_changed(capture, [SetValue("l0", name, 3, 0.25, 2)], 1)
    slope = (norm(0.25 + 1e-6) - norm(0.25 - 1e-6)) / 2e-6
    assert changed.layer("l0").grad(name)[2, 0, 1] == pytest.approx(slope, rel=1e-6, abs=1e-9)
    plain = recompute(capture, (), 1)
    np.testing.assert_array_equal(changed.layer("l0").h[:2], plain.layer("l0").h[:2])
    assert not np.array_equal(changed.layer("l1").h[2:], plain.layer("l1").h[2:])


def test_its_states_are_set_and_its_gradients_cut() -> None:
    found = trace(module_of(Structure("madeup", 3, 4)), torch.randn(6, 1, 3, dtype=torch.float64))
    capture = found.check.capture
    cut = rebuild_changed(capture, [CutGradient(4)]).layer("l0")
    assert not cut.arriving["m"][3].any()
    assert not cut.carried("h")[3].any()
    assert cut.arriving["m"][4].any()
    begun = rebuild_changed(capture, [SetState("l0", "m", (0.5,))])
    np.testing.assert_array_equal(begun.layer("l0").before["m"][0], np.full((1, 4), 0.5))

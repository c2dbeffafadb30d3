"""A small made-up cell with a matrix of its own for each gate: its equations and origins, and what is refused.

f = σ((W x)_f + U_f h_{t−1} + b_f)   n = tanh((W x)_n + U_n (f ⊙ h_{t−1}) + b_n)   h = (1 − f) ⊙ h_{t−1} + f ⊙ n
"""

from dataclasses import replace

import numpy as np
import pytest
from every_cell import operation_named

from rnnviz.core.cells import CELLS, Cell, CellKind, Options, cell_made
from rnnviz.core.cells.cell import Parameter, from_input
from rnnviz.core.cells.node import Diagonal, Matrix, Mix, Node, Product, Sigmoid, Sum, Tanh, Value, Weight
from rnnviz.core.equations.operations import operations_of
from rnnviz.core.equations.writing import Writing
from rnnviz.core.expressions.trace_scope import TraceScope
from rnnviz.core.quantity import quantities
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed
from rnnviz.core.sweeps.what_if.interventions import SetWeight
from rnnviz.debugger.changes import facts
from rnnviz.debugger.provenance import GradientPlace, provenance

BEFORE = Value("h", before=True)


def make(options: Options) -> Cell:
    """Nothing but gates and h has a symbol of its own, so that all else is written out."""

    def gate(name: str, squash: Sigmoid | Tanh, words: str, low: float) -> Node:
        return Node(name, squash, "", f"{name}_t", words, "", "hidden", (low, 1.0), "gate", settable=True)

    def before_it(name: str) -> Node:
        bias = (Weight("bias_ih", name),) if options.bias else ()
        return Node(f"a_{name}", Sum((Value("wx", block=name), Value(f"u_{name}"), *bias)), name)

    return Cell(
        "own",
        "own",
        ("f", "n"),
        (
            Parameter("weight_ih", "W_{ih}", "rows", "input"),
            Parameter("weight_hf", "U_f", "hidden", "output"),
            Parameter("weight_hn", "U_n", "hidden", "output"),
            *((Parameter("bias_ih", "b_{ih}", "rows", ""),) if options.bias else ()),
        ),
        (
            from_input(),
            Node("u_f", Matrix(Weight("weight_hf"), BEFORE), "f"),
            before_it("f"),
            gate("f", Sigmoid(Value("a_f")), "forget gate", 0.0),
            Node("seen", Product(Value("f"), BEFORE), "n"),
            Node("u_n", Matrix(Weight("weight_hn"), Value("seen")), "n"),
            before_it("n"),
            gate("n", Tanh(Value("a_n")), "candidate", -1.0),
            Node("h", Mix(Value("f"), BEFORE, Value("n")), "", "h_t", "hidden state", units="output", role="state"),
        ),
    )


@pytest.fixture(autouse=True)
def own(monkeypatch):
    monkeypatch.setitem(CELLS, "own", CellKind("own", "own", make))


def text(key, backward=False):
    operation = operation_named(Structure("own", 3, 4, bias=False), key)
    return (operation.backward if backward else operation.forward)[0].text()


def test_a_product_in_a_matrix_has_brackets_and_a_sum_in_a_function_has_one_pair():
    assert text("n") == "n_t = tanh(a_{xn,t} + U_n (f_t ⊙ h_{t−1}))"
    assert text("f") == "f_t = σ(a_{xf,t} + U_f h_{t−1})"
    n = "(∂L/∂n_t ⊙ (1 − n_t²))"
    assert text("f", True) == f"∂L/∂f_t = U_nᵀ {n} ⊙ h_{{t−1}} + ∂L/∂h_t ⊙ (n_t − h_{{t−1}})"
    added = {one.result.of: one.text() for one in operation_named(Structure("own", 3, 4, bias=False), "n").added}
    assert added["weight_hn"].endswith(f" = {n} (f_t ⊙ h_{{t−1}})ᵀ")
    assert "U_fᵀ (∂L/∂f_{t+1} ⊙ f_{t+1} ⊙ (1 − f_{t+1}))" in text("h", True)


def test_a_sum_in_a_mix_has_brackets():
    plain = make(Options(bias=False))
    mixed = replace(plain.node("h"), operation=Mix(Value("f"), Value("a_n"), Value("n")))
    written = "h_t = (1 − f_t) ⊙ (a_{xn,t} + U_n (f_t ⊙ h_{t−1})) + f_t ⊙ n_t"
    assert Writing(replace(plain, nodes=(*plain.nodes[:-1], mixed))).computes(mixed).text() == written


@pytest.mark.parametrize("reverse", [False, True])
def test_its_equations_come_to_their_values(autograd, reverse):
    trace = rebuild(autograd.random_capture(Structure("own", 3, 4, 2, reverse), with_torch=False))
    for layer in trace.layers:
        for t in range(trace.time_steps):
            for one in operations_of(layer):
                for equations, value in (
                    (one.forward, one.forward_value(layer, t)),
                    (one.backward, one.backward_value(layer, t)),
                ):
                    right = np.concatenate([equation.value(layer, t) for equation in equations])
                    np.testing.assert_allclose(right, value, rtol=1e-9, atol=1e-12, err_msg=one.key)


@pytest.mark.parametrize("hidden", [4, 5])
@pytest.mark.parametrize("of", ["h", "f", "n"])
@pytest.mark.parametrize("reverse", [False, True])
def test_its_origins_add_up_to_the_gradient(autograd, of, reverse, hidden):
    structure = Structure("own", 3, hidden, 2, reverse)
    trace = rebuild(autograd.random_capture(structure, with_torch=False)).sample(0)
    for name in structure.layer_names:
        layer = trace.layer(name)
        found = provenance(trace, GradientPlace(of, name, 3, 2))
        value = (layer.hidden_grad if of == "h" else layer.gate_grads[of])[2, 0, 1]
        assert found.value == value
        for parts in (found.losses, found.paths, found.units):
            assert sum(part.value for part in parts) == pytest.approx(value, rel=0, abs=1e-10)
        for part in (*found.paths, *found.units):
            assert part.leads_to is None or np.isfinite(provenance(trace, part.leads_to).value)


def test_a_matrix_of_its_own_is_one_path_through_its_gate(autograd):
    trace = rebuild(autograd.random_capture(Structure("own", 3, 4), with_torch=False)).sample(0)
    layer = trace.layers[0]
    paths = {part.words: part for part in provenance(trace, GradientPlace("h", "l0", 3, 2)).paths}
    through = paths["through the forget gate at t = 4"]
    assert through.value == pytest.approx(layer.gate_grads["f"][3, 0] @ layer.weights["weight_hf"][:, 1])
    assert through.leads_to.of == "f"
    assert len(paths) == 4  # directly, through f, along what the candidate sees, along h


def test_a_matrix_on_a_product_with_the_state_before_is_told_when_it_changed(autograd):
    capture = autograd.random_capture(Structure("own", 3, 4), sequences=1, with_torch=False)
    small, large = (rebuild_changed(capture, [SetWeight("weight_hn_l0", (size,))]) for size in (1e-3, 1.0))
    told = [fact.words for fact in facts(small, large, {}, {}, 0)]
    assert "‖U_n‖ grew 10³ times" in told
    assert not any("U_f" in words and "times" in words for words in told)


def test_every_matrix_of_its_own_has_its_shares_in_the_language(autograd):
    trace = rebuild(autograd.random_capture(Structure("own", 3, 4), sequences=1, with_torch=False))
    scope, layer = TraceScope(trace), trace.layers[0]
    for short in ("ih", "hf", "hn"):
        shares = layer.weight_grad_shares[f"weight_{short}"]
        np.testing.assert_array_equal(scope.quantity(f"share_{short}", "l0"), shares)
    assert quantities(layer.equations)["share_hn"].words == "share of each time step in ∂L/∂U_n"


def test_the_leading_matrix_is_that_on_the_state_before_else_that_on_the_input():
    leading = {name: cell_made(name, Options()).leading_matrix.name for name in ("own", "lstm", "mingru")}
    assert leading == {"own": "weight_hf", "lstm": "weight_hh", "mingru": "weight_ih"}


def test_a_cell_that_is_not_written_once_more_by_hand_is_told_where_to(autograd):
    where = "the cell own: wanted its equations .* `OWN_STEPS` in tests/core/autograd_reference.py"
    with pytest.raises(NotImplementedError, match=where):
        autograd.random_capture(Structure("own", 3, 4))


BASE = make(Options())


def change(name, **changed):
    return {"nodes": tuple(replace(node, **changed) if node.name == name else node for node in BASE.nodes)}


WRONG = {
    "a value": (change("f", operation=Sigmoid(Value("a_g"))), "own, f: wanted to read x or one of wx, .*'a_g'"),
    "a weight": (
        change("u_f", operation=Matrix(Weight("weight_hg"), BEFORE)),
        "own, u_f: wanted a weight of weight_ih, .*'weight_hg'",
    ),
    "a block of a value": (
        change("a_f", operation=Sum((Value("wx", block="g"), Value("u_f"), Weight("bias_ih", "f")))),
        "own, a_f: wanted a block of f, n, got 'g'",
    ),
    "a block of a bias": (
        change("a_f", operation=Sum((Value("wx", block="f"), Value("u_f"), Weight("bias_ih", "g")))),
        "own, a_f: wanted a block of f, n, got 'g'",
    ),
    "a state": ({"states": ("h", "c")}, "own, c: wanted a node for this state, one of wx, "),
    "an output": ({"output": "y"}, "own, y: wanted a node for this output, one of wx, "),
    "a later node": (
        change("f", operation=Product(Value("a_f"), Value("n"))),
        "own, f: wanted to read a node that stands before it, got 'n'",
    ),
    "itself": (change("f", operation=Sigmoid(Value("f"))), "own, f: wanted to read a node that stands before it"),
    "two nodes": ({"nodes": (*BASE.nodes, BASE.nodes[2])}, "own, a_f: wanted one node of this name, got 2"),
    "a node called x": ({"nodes": (replace(BASE.nodes[0], name="x"), *BASE.nodes)}, "own, x: wanted an identifier"),
    "a parameter nobody uses": (
        {"parameters": (*BASE.parameters, Parameter("weight_z", "Z", "hidden", "output"))},
        "own, weight_z: wanted a node that uses this parameter, got none",
    ),
    "a matrix of two nodes": (
        {"parameters": (*BASE.parameters[:2], BASE.parameters[3])}
        | change("u_n", operation=Matrix(Weight("weight_hf"), Value("seen"))),
        r"own, weight_hf: wanted one node that uses it whole, or one for each block, got u_f \(whole\), u_n \(whole\)",
    ),
    "a block of a bias left out": (
        change("a_n", operation=Sum((Value("wx", block="n"), Value("u_n")))),
        r"own, bias_ih: wanted one node that uses it whole, or one for each block, got a_f \(f\)",
    ),
    "no symbol": (
        change("seen", key="seen"),
        "own, seen: wanted a symbol for a node of the operation 'seen', got none",
    ),
    "a block of a matrix": (
        change("u_f", operation=Matrix(Weight("weight_ih", "f"), BEFORE)),
        "own, u_f: wanted a matrix or diagonal whole, .*, got the block 'f' of weight_ih",
    ),
    "a matrix on a bias": (
        change("u_f", operation=Matrix(Weight("bias_ih"), BEFORE)),
        "own, u_f: wanted a matrix, got 'bias_ih'",
    ),
    "a matrix as a diagonal": (
        change("u_f", operation=Diagonal(Weight("weight_hf"), BEFORE)),
        "own, u_f: wanted a vector, got 'weight_hf'",
    ),
    "before of no state": (
        change("seen", operation=Product(Value("f", before=True), BEFORE)),
        r"own, seen: wanted to read a state \(h\) of the time step before, got 'f'",
    ),
    "columns": (
        change("u_n", operation=Matrix(Weight("weight_hn"), Value("wx"))),
        "own, u_n: wanted hidden units to multiply by weight_hn, got rows units",
    ),
    "rows": (change("u_n", units="rows"), "own, u_n: wanted units 'hidden' as weight_hn makes, got 'rows'"),
    "sizes": (change("seen", operation=Product(Value("wx"), BEFORE)), "own, seen: wanted hidden units .* rows from wx"),
    "units of the output": (change("h", units="hidden"), "own, h: wanted units 'output', got 'hidden'"),
}


@pytest.mark.parametrize(("changed", "sentence"), WRONG.values(), ids=WRONG)
def test_a_wrong_cell_is_refused_where_it_is_made(monkeypatch, changed, sentence):
    monkeypatch.setitem(CELLS, "wrong", CellKind("wrong", "wrong", lambda _: replace(BASE, **changed)))
    with pytest.raises(ValueError, match=sentence):
        cell_made("wrong", Options())


def test_every_cell_is_right_with_every_option():
    for kind in CELLS.values():
        for projected in {False, kind.projection}:
            for activation in kind.activations or ("tanh",):
                for bias in (True, False):
                    assert cell_made(kind.name, Options(bias, projected, activation)).nodes

"""Head and losses against torch autograd and finite differences; its nodes and operations against its trace."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core.cells.node import ArrayNumbers, Value
from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.capture import Head, HeadKind
from rnnviz.core.sweeps.heads.head import head_nodes, through_head
from rnnviz.core.sweeps.heads.head_operations import backward_operations, forward_operations
from rnnviz.core.sweeps.heads.losses import LOSSES

TIME_STEPS, WIDTH, OUTPUTS = 5, 3, 4
BOUND = {"float64": 1e-12, "float32": 1e-6}
each_loss = pytest.mark.parametrize("loss", LOSSES)


def made(loss, dtype="float64", sequences=2, scale=1.0):
    """A head and the output it reads; at some time steps nothing is asked."""
    generator = np.random.default_rng(7)

    def normal(*shape):
        return (generator.standard_normal(shape) * scale).astype(dtype)

    if LOSSES[loss].targets == "classes":
        targets = generator.integers(0, OUTPUTS, (TIME_STEPS, sequences))
    elif loss == "binary cross-entropy":
        targets = generator.uniform(size=(TIME_STEPS, sequences, OUTPUTS)).astype(dtype)
        targets[1:3] = np.round(targets[1:3])  # certain ones, too
    else:
        targets = normal(TIME_STEPS, sequences, OUTPUTS)
    weight = (generator.integers(0, 3, (TIME_STEPS, sequences)) / 7).astype(dtype)
    weight[0], weight[-1] = 0, 0.25
    return Head(normal(OUTPUTS, WIDTH), normal(OUTPUTS), loss, targets, weight), normal(TIME_STEPS, sequences, WIDTH)


def torch_losses(torch, head, output, weight, bias):
    """(T, N) losses with the reduction in them, where something is asked; and the prediction."""
    prediction = output @ weight.T + bias
    targets, asked = torch.tensor(head.targets), torch.tensor(head.loss_weight != 0)
    functions = torch.nn.functional
    rows, wanted = prediction[asked], targets[asked]
    if head.loss == "cross entropy":
        each = functions.cross_entropy(rows, wanted, reduction="none")
    elif head.loss == "mean squared error":
        each = functions.mse_loss(rows, wanted, reduction="none").mean(dim=-1)
    else:
        each = functions.binary_cross_entropy_with_logits(rows, wanted, reduction="none").mean(dim=-1)
    losses = torch.zeros(asked.shape, dtype=prediction.dtype)
    losses[asked] = each * torch.tensor(head.loss_weight)[asked]
    return losses, prediction


def close(found, wanted, dtype):
    wanted = np.asarray(wanted.detach().numpy() if hasattr(wanted, "detach") else wanted, np.float64)
    size = np.max(np.abs(wanted), initial=0)
    np.testing.assert_allclose(np.asarray(found, np.float64), wanted, rtol=BOUND[dtype], atol=BOUND[dtype] * size)


@each_loss
@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("sequences", [1, 3])
def test_losses_and_gradients_are_autograds(autograd, loss, dtype, sequences):
    torch = autograd.torch
    head, given = made(loss, dtype, sequences)
    output, weight, bias = (torch.tensor(a, requires_grad=True) for a in (given, head.weight, head.bias))
    head = through_head(head, given)
    losses, prediction = torch_losses(torch, head, output, weight, bias)
    prediction.retain_grad()
    losses.sum().backward(retain_graph=True)
    close(head.prediction, prediction, dtype)
    close(head.losses, losses, dtype)
    close(head.prediction_grad, prediction.grad, dtype)
    close(head.output_grad, output.grad, dtype)
    close(head.weight_grads["weight"], weight.grad, dtype)
    close(head.weight_grads["bias"], bias.grad, dtype)
    if loss == "mean squared error":
        assert head.probabilities is None
    else:
        made_likely = prediction.softmax(-1) if loss == "cross entropy" else prediction.sigmoid()
        close(head.probabilities, made_likely, dtype)
    arrays = (head.prediction, head.losses, head.prediction_grad, head.output_grad, head.weight_grads["weight"])
    assert all(array.dtype == dtype and not array.flags.writeable for array in arrays)

    # ∂L/∂W is a sum over time steps; the share of each is the gradient of its own loss alone
    added = {"weight": [], "bias": []}
    for t in range(TIME_STEPS):
        for name, grad in zip(
            added, torch.autograd.grad(losses[t].sum(), (weight, bias), retain_graph=True), strict=True
        ):
            added[name].append(np.asarray(grad, np.float64))
    for name, grads in added.items():
        norms = [np.linalg.norm(grad) for grad in grads]
        assert norms[0] == 0
        assert norms[-1] > 0
        close(head.weight_grad_shares[name], norms, dtype)
        gathered = [np.linalg.norm(sum(grads[t:])) for t in range(TIME_STEPS)]
        close(head.weight_grad_so_far[name], gathered, dtype)


@each_loss
def test_gradients_are_finite_differences(loss):
    head, output = made(loss)

    def total(**changed):
        given = changed.pop("output", output)
        return float(through_head(replace(head, **changed), given).losses.sum())

    found = through_head(head, output)
    analytic = {"output": found.output_grad, **found.weight_grads}
    for name, array in (("output", output), ("weight", head.weight), ("bias", head.bias)):
        for place in np.ndindex(array.shape):
            step = np.zeros_like(array)
            step[place] = 1e-5
            slope = (total(**{name: array + step}) - total(**{name: array - step})) / 2e-5
            assert slope == pytest.approx(analytic[name][place], rel=1e-6, abs=1e-9)


@each_loss
@pytest.mark.parametrize("infinite", [np.inf, -np.inf, np.nan])
def test_infinity_where_nothing_is_asked_changes_nothing(autograd, loss, infinite):
    torch = autograd.torch
    head, output = made(loss)
    output[0, 1] = infinite
    head = through_head(head, output)
    tensors = [torch.tensor(a, requires_grad=True) for a in (output, *head.parameters.values())]
    asked = torch.tensor(head.loss_weight != 0)[..., None]
    losses, _ = torch_losses(torch, head, torch.where(asked, tensors[0], 0.0), *tensors[1:])
    losses.sum().backward()
    close(head.losses, losses, "float64")
    close(head.output_grad, tensors[0].grad, "float64")
    assert np.isfinite(head.weight_grads["weight"]).all()
    close(head.weight_grads["weight"], tensors[1].grad, "float64")
    assert head.weight_grad_shares["weight"][0] == 0
    for operation in (*forward_operations(HeadKind(loss))[-1:], *backward_operations(HeadKind(loss))):
        for equation in operation.equations:
            np.testing.assert_array_equal(equation.value(lambda name: head.value(name, 0, 1)), 0)


@each_loss
def test_infinity_where_something_is_asked_goes_on(loss):
    head, output = made(loss)
    output[-1, 1, 0] = np.inf
    head = through_head(head, output)
    assert not np.isfinite(head.losses[-1, 1])
    assert not np.isfinite(head.weight_grads["weight"][:, 0]).any()  # also where ∂L/∂y is finite, as after σ


@each_loss
def test_large_logits_do_not_overflow(autograd, loss):
    torch = autograd.torch
    head, output = made(loss, scale=100)
    head = through_head(head, output)
    tensors = [torch.tensor(a) for a in (output, *head.parameters.values())]
    close(head.losses, torch_losses(torch, head, *tensors)[0], "float64")
    loss_equation = forward_operations(HeadKind(loss))[-1].equations[0]
    close(loss_equation.value(lambda name: head.value(name, 4, 1)), head.losses[4, 1], "float64")


@each_loss
def test_nodes_compute_the_trace(loss):
    head, output = made(loss)
    head = through_head(head, output)
    values = {"pooled": output, "target": head.targets, "loss_weight": head.loss_weight}
    parameters = head.parameters
    for node in head_nodes(loss):
        read = [values[value.name] for value in node.operation.values]
        used = [parameters[weight.name] for weight in node.operation.weights]
        values[node.name] = node.operation.compute(ArrayNumbers(), read, used)
    np.testing.assert_array_equal(values["prediction"], head.prediction)
    np.testing.assert_array_equal(values["loss"][..., 0], head.losses)
    if head.probabilities is not None:
        np.testing.assert_array_equal(values["probabilities"], head.probabilities)
    last = head_nodes(loss)[-1].operation
    read = [values[value.name] for value in last.values]
    assert last.values[0] == Value("prediction")
    np.testing.assert_array_equal(last.slope(0, read, values["loss"], ()), head.prediction_grad)
    with pytest.raises(TypeError, match="not to its target"):
        last.slope(1, read, values["loss"], ())


@each_loss
@pytest.mark.parametrize("dtype", BOUND)
def test_every_equation_comes_to_what_the_trace_holds(loss, dtype):
    head = through_head(*made(loss, dtype))
    for operation in (*forward_operations(HeadKind(loss)), *backward_operations(HeadKind(loss))):
        for equation in operation.equations:
            for t, n in np.ndindex(TIME_STEPS, 2):
                found = equation.value(lambda name: head.value(name, t, n))  # noqa: B023  called at once
                close(found, head.value(equation.result.name, t, n), dtype)


def texts(operations):
    return {operation.key: [equation.text() for equation in operation.equations] for operation in operations}


def test_equations_are_written():
    assert texts(forward_operations(HeadKind("cross entropy"))) == {
        "logits": ["y_t = W_{ho} h_t + b_o"],
        "softmax": ["p_t = softmax(y_t)"],
        "loss": ["L_t = −w_t log p_{t,k}"],
    }
    assert texts(backward_operations(HeadKind("cross entropy"), "c_t")) == {
        "prediction_grad": ["∂L/∂y_t = w_t (p_t − e_k)"],
        "weight_grads": ["(∂L/∂W_{ho})|_t = ∂L/∂y_t c_tᵀ", "(∂L/∂b_o)|_t = ∂L/∂y_t"],
        "output_grad": ["∂L_t/∂c_t = W_{ho}ᵀ ∂L/∂y_t"],
    }
    assert texts(forward_operations(HeadKind("mean squared error"), "c_t")) == {
        "logits": ["y_t = W_{ho} c_t + b_o"],
        "loss": ["L_t = w_t ‖y_t − y^*_t‖² / V"],
    }
    assert texts(backward_operations(HeadKind("mean squared error")))["prediction_grad"] == [
        "∂L/∂y_t = 2 w_t (y_t − y^*_t) / V"
    ]
    assert texts(forward_operations(HeadKind("binary cross-entropy"))) == {
        "logits": ["y_t = W_{ho} h_t + b_o"],
        "sigmoid": ["p_t = σ(y_t)"],
        "loss": ["L_t = −w_t Σ(y^*_t ⊙ log p_t + (1 − y^*_t) ⊙ log(1 − p_t)) / V"],
    }
    assert texts(backward_operations(HeadKind("binary cross-entropy")))["prediction_grad"] == [
        "∂L/∂y_t = w_t (p_t − y^*_t) / V"
    ]
    assert (
        forward_operations(HeadKind("cross entropy"))[-1].words == "cross entropy: how unlikely the target class k is"
    )


def test_numbers_of_an_equation():
    head = through_head(*made("cross entropy"))
    equation = forward_operations(HeadKind("cross entropy"))[0].equations[0]
    shown = equation.numbers(lambda name: head.value(name, 2, 1), (3,))
    assert [(number.symbol, number.norm) for number in shown] == [
        ("y_t", False),
        ("W_{ho}", True),
        ("h_t", True),  # its units are not those of y_t
        ("b_o", False),
    ]
    assert shown[0].value == pytest.approx(head.prediction[2, 1, 3])
    assert shown[1].value == pytest.approx(np.linalg.norm(head.parameters["weight"]))
    assert shown[3].value == head.parameters["bias"][3]
    norms = equation.numbers(lambda name: head.value(name, 2, 1))
    assert norms[0].norm
    assert norms[0].value == pytest.approx(np.linalg.norm(head.prediction[2, 1]))
    loss = (
        forward_operations(HeadKind("cross entropy"))[-1]
        .equations[0]
        .numbers(lambda name: head.value(name, 4, 1), (3,))
    )
    assert [(number.norm, number.value) for number in loss[:2]] == [
        (False, pytest.approx(head.losses[4, 1])),
        (False, 0.25),
    ]


@each_loss
def test_a_sample_and_a_copy_are_the_same_head(loss):
    head = through_head(*made(loss))
    alone = pickle.loads(pickle.dumps(head.sample(1, slice(4))))
    assert alone.prediction.shape == (4, 1, OUTPUTS)
    np.testing.assert_array_equal(alone.value("loss", 3), head.losses[3, 1])
    close(alone.output_grad, head.output_grad[:4, 1:], "float64")
    np.testing.assert_allclose(
        alone.weight_grads["weight"], sum(head.value("weight_added", t, 1) for t in range(4)), rtol=1e-12
    )


def test_targets_nobody_asks_for_may_be_out_of_range():
    head, output = made("cross entropy")
    targets = np.where(head.loss_weight == 0, -100, head.targets)
    found, wanted = through_head(replace(head, targets=targets), output), through_head(head, output)
    np.testing.assert_array_equal(found.losses, wanted.losses)
    np.testing.assert_array_equal(found.prediction_grad, wanted.prediction_grad)


def test_refusals_say_what_was_wanted():
    head = through_head(*made("mean squared error"))
    with pytest.raises(RnnvizError, match="wanted a time step below 5 and a sequence below 2, got 5 and 0"):
        head.value("loss", 5)
    with pytest.raises(RnnvizError, match="got -1 and 0"):
        head.value("loss", -1)
    with pytest.raises(RnnvizError, match="the mean squared error has none"):
        head.value("probabilities", 0)
    with pytest.raises(RnnvizError, match=r"wanted one of output, .*, got 'one_hot'"):
        head.value("one_hot", 0)

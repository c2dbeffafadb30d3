"""The update shown against torch: the same gradient clipped and taken by torch's own optimiser, from where it stood."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.optimising.optimisers import OPTIMISERS, OptimiserName
from rnnviz.core.optimising.update import operations
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.core.tasks import Adding, NextCharacter, TemporalOrder
from rnnviz.debugger.updating import UpdateShown, gathered_in, parameter_shown, update_shown, updated_parameters
from rnnviz.engine.training.trainer import Training
from rnnviz.runs.file.payload import optimiser_payload, read_optimiser

torch.set_num_threads(1)
TASKS = {
    "order": TemporalOrder(length=(8, 10), first_mark=(1, 2), second_mark=(4, 5)),
    "adding": Adding(length=9),
    "text": NextCharacter(length=6),
}
MODELS = (ModelSettings("LSTM", "lstm", 4, num_layers=2), ModelSettings("GRU", "gru", 3, bidirectional=True))
SEQUENCE, CLIP = 1, 0.02


def trained(task: str, name: OptimiserName, steps: int = 3) -> Training:
    settings = TrainingSettings(name, learning_rate=0.03, clip_norm=CLIP, batch_size=4)
    models = tuple(replace(one, bidirectional=one.bidirectional and task != "text") for one in MODELS)
    training = Training(Experiment("small", TASKS[task], models, settings, seed=7))
    for _ in range(steps):
        training.advance()
    return training


def shown(training: Training, number: int) -> tuple[Trace, UpdateShown]:
    trace = rebuild(training.capture(number)).sample(SEQUENCE)
    payload = optimiser_payload(training.optimiser_snapshot(number), training.training_step, number)
    gathered = gathered_in(read_optimiser(payload, training.training_step, number))  # as a run has it
    return trace, update_shown(trace, training.experiment.training.rule, gathered)


def taken_by_torch(training: Training, number: int, length: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Gradient and new weights by parameter: the loss of one sequence, its share of the probe's, by autograd."""
    model, probe = training.models[number], training.probe
    assert probe.targets is not None
    assert probe.loss_weight is not None
    one = slice(SEQUENCE, SEQUENCE + 1)
    prediction = model(torch.from_numpy(probe.inputs[:length, one].copy()))
    targets = torch.from_numpy(probe.targets[:length, one].copy())
    if targets.dtype == torch.int64:
        each = torch.nn.functional.cross_entropy(prediction.flatten(0, 1), targets.flatten(), reduction="none")
    else:
        each = ((prediction - targets) ** 2).mean(-1).flatten()
    for parameter in model.parameters():
        parameter.grad = None
    (each * torch.from_numpy(probe.loss_weight[:length, one].copy()).flatten()).sum().backward()
    gradients = {name: parameter.grad.detach().clone().numpy() for name, parameter in model.named_parameters()}
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
    training._optimisers[number].step()
    after = {name: parameter.detach().clone().numpy() for name, parameter in model.named_parameters()}
    return {name.removeprefix("recurrent."): (gradients[name], after[name]) for name in after}


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("task", TASKS)
def test_gradients_and_new_weights_are_torchs(task: str, name: OptimiserName) -> None:
    training = trained(task, name)
    for number in range(len(MODELS)):
        trace, found = shown(training, number)
        wanted = taken_by_torch(training, number, trace.time_steps)
        assert set(wanted) == set(found.update.values) == {one.name for one in updated_parameters(trace)}
        assert found.unknown == ""
        norm = np.sqrt(sum(float(np.sum(gradient.astype(np.float64) ** 2)) for gradient, _ in wanted.values()))
        assert found.update.norm == pytest.approx(norm, rel=1e-5)
        assert found.update.clip_factor < 1
        for parameter, (gradient, after) in wanted.items():
            np.testing.assert_allclose(found.find(parameter, "gradient"), gradient, rtol=1e-4, atol=1e-6 * norm)
            np.testing.assert_allclose(found.find(parameter, "weights_after"), after, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_what_is_not_kept_is_not_known_and_nothing_is_made_up_for_it(name: OptimiserName) -> None:
    trace, whole = shown(trained("order", name), 0)
    made = whole.update.rule
    found = update_shown(trace, made, None, "It is not kept.")
    known = name == "sgd"
    assert found.unknown == ("" if known else "It is not kept.")
    symbol = parameter_shown(trace, "l1", "head.weight").symbol
    for operation in operations(made, symbol):
        for equation in operation.equations:
            numbers = equation.numbers(lambda term: found.find("head.weight", term), (0, 1))
            expected = equation.numbers(lambda term: whole.find("head.weight", term), (0, 1))
            for number, other in zip(numbers, expected, strict=True):
                if number.known:
                    assert replace(number, value=0.0) == replace(other, value=0.0)
                    assert number.value == other.value
            if operation.key in ("gradient", "clip"):
                assert all(number.known for number in numbers)
            elif not known:
                assert not numbers[0].known


def test_at_the_beginning_the_optimiser_has_gathered_nothing() -> None:
    training = trained("adding", "adam", steps=0)
    assert gathered_in(training.optimiser_snapshot(0)) == {}
    trace, found = shown(training, 0)
    assert np.all(found.find("head.weight", "exp_avg_before") == 0)
    assert parameter_shown(trace, "l1").name == "weight_hh_l1"
    assert parameter_shown(trace, "l1", "decoder.weight_hh_l0").name == "weight_hh_l1"  # of another model

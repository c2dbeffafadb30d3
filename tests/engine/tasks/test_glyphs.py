"""Glyphs: pictures of digits, their classes and their names, and what a convolution makes of them."""

import numpy as np
import pytest
import torch

from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.tasks import Glyphs
from rnnviz.core.tasks.glyphs import NAMES
from rnnviz.engine.tracing.capture import weighted_loss
from rnnviz.engine.tracing.checking import check_capture
from rnnviz.engine.training.trainer import Training

torch.set_num_threads(1)


def test_pictures_are_digits_shifted_as_far_as_said_and_noise_is_as_large_as_said() -> None:
    plain = Glyphs(noise=0.0, shift=0).open(5)
    batch = plain.batch(np.random.default_rng(3), 400)
    assert batch.inputs.shape == (1, 400, 64)
    drawn = {int(k): batch.inputs[0, batch.targets[0] == k] for k in range(10)}
    assert all((ones == ones[0]).all() and set(np.unique(ones)) == {0.0, 1.0} for ones in drawn.values())
    assert len({ones[0].tobytes() for ones in drawn.values()}) == 10
    for most in (1, 2):
        moved = Glyphs(noise=0.0, shift=most).open(5).batch(np.random.default_rng(3), 2000)
        ones = moved.inputs[0, moved.targets[0] == 1].reshape(-1, 8, 8)
        assert len({one.tobytes() for one in ones}) == (2 * most + 1) ** 2
    noisy = Glyphs(noise=0.7, shift=0).open(5).batch(np.random.default_rng(3), 2000)
    clean = np.stack([drawn[int(k)][0] for k in noisy.targets[0]])
    assert 0.69 < (noisy.inputs[0] - clean).std() < 0.71


def test_names_are_spelt_to_their_end_and_only_the_first_time_step_has_the_picture() -> None:
    task = Glyphs(answer="name")
    source = task.open(5)
    batch, classes = (one.open(5).batch(np.random.default_rng(3), 40) for one in (task, Glyphs()))
    letters = source.info.output_labels
    assert not batch.inputs[1:].any()
    np.testing.assert_array_equal(batch.inputs[0], classes.inputs[0])
    for n, length in enumerate(batch.lengths):
        name = NAMES[classes.targets[0, n]]
        assert [letters[k] for k in batch.targets[:length, n]] == [*name, "end"]
        assert (batch.loss_weight[:length, n] > 0).all()
        assert not batch.loss_weight[length:, n].any()
    assert (task.shortest, task.longest) == (4, 6)
    assert (task.form, Glyphs().form) == ("one to many", "one to one")
    assert "exact" in source.info.metrics
    assert "exact" not in Glyphs().open(5).info.metrics


@pytest.mark.parametrize("answer", ["class", "name"])
def test_a_convolution_is_learnt_and_its_features_are_captured(answer: str) -> None:
    models = (ModelSettings("conv", "gru", 12, convolution=3), ModelSettings("pixels", "vanilla", 12))
    training = Training(Experiment("g", Glyphs(answer=answer), models, TrainingSettings(), seed=5))  # type: ignore[arg-type]
    first = [training.advance()[n]["loss"] for n in range(2)]
    for _ in range(80):
        metrics = training.advance()
    assert all(now["loss"] < 0.75 * before for now, before in zip(metrics, first, strict=True))
    capture = training.capture(0)
    (call,) = capture.calls
    assert call.convolution is not None
    pictures = torch.from_numpy(call.convolution.pictures.reshape(-1, 1, 8, 8).copy())
    np.testing.assert_array_equal(call.convolution.pictures, training.probe.inputs)
    kernel = torch.from_numpy(call.convolution.kernel[:, None].copy())
    features = torch.nn.functional.conv2d(pictures, kernel, padding=1).relu()
    wanted = torch.nn.functional.max_pool2d(features, 2).reshape(*call.inputs.shape)
    np.testing.assert_allclose(call.inputs, wanted.numpy(), rtol=1e-5, atol=1e-6)
    assert not call.inputs[1:].any()  # where there is no picture nothing is read
    trace = rebuild(capture)
    assert trace.verdict.kind == "right"
    twin = training.models[0]
    twin.zero_grad()
    weighted_loss(twin(torch.from_numpy(training.probe.inputs)), training.probe, "cross entropy").backward()
    wanted_grad = twin.get_parameter("front.weight").grad.numpy()
    found = trace.calls[0].convolution
    assert found is not None
    np.testing.assert_allclose(found.kernel_grad, wanted_grad, rtol=1e-4, atol=1e-5 * np.abs(wanted_grad).max())
    report = check_capture(capture)
    assert report.right
    assert "convolution.kernel" in [check.name for check in report.checks]

"""Encoder and decoder: what is trained, captured, saved and gone on with, against plain torch modules run one sequence
after the other."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from rnnviz.core.cells.own import OwnSettings
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.check import check_experiment
from rnnviz.core.experiment.heads import fitted
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.sizes import parameter_count, parameter_shapes
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.tasks import DateFormats, Glyphs, NextCharacter
from rnnviz.core.tasks.source import Batch
from rnnviz.debugger.updating import gathered_in, update_shown, updated_parameters
from rnnviz.engine.checkpoints import read_checkpoint
from rnnviz.engine.checkpoints.export import export_model
from rnnviz.engine.inspection import inspect_path
from rnnviz.engine.networks import SequenceModel, build
from rnnviz.engine.passes import read
from rnnviz.engine.tracing.capture import weighted_loss
from rnnviz.engine.training.branching import branch_of_run
from rnnviz.engine.training.serve import run_training
from rnnviz.engine.training.telling import Telling
from rnnviz.engine.training.trainer import Training
from rnnviz.runs.file.payload import optimiser_payload, read_optimiser
from rnnviz.runs.reading.reader import open_run

torch.set_num_threads(1)
DATES = DateFormats(formats=3, years=(2001, 2003))
MODELS = (
    ModelSettings("attention", "gru", 4, 2, True, attention=True, embedding=3),
    ModelSettings("deep", "lstm", 3, 2),
    ModelSettings("both ways", "lstm", 3, bidirectional=True),
    ModelSettings("listening", "vanilla", 5, attention=True),
    ModelSettings("peephole", "peephole_lstm", 3, bidirectional=True, embedding=2),
)


def experiment_of(*models: ModelSettings, ratio: float = 1.0, steps: int = 4) -> Experiment:
    training = TrainingSettings(clip_norm=0.0, batch_size=6, teacher_forcing=ratio, training_steps=steps)
    return Experiment("dates", DATES, models, training, seed=7)


def test_all_that_is_learnt_has_the_names_and_shapes_that_are_counted() -> None:
    before = torch.get_rng_state()
    source = DATES.open(7)
    for model in (*MODELS, ModelSettings("conv", "gru", 4, convolution=3)):
        task = Glyphs(answer="name") if model.convolution else DATES
        sizes = (64, 17) if model.convolution else (source.input_size, source.output_size)
        built = build(model, *sizes, 7, task)
        wanted = parameter_shapes(model, *sizes, decodes=not model.convolution)
        assert {name: tuple(value.shape) for name, value in built.state_dict().items()} == wanted
        assert parameter_count(model, *sizes, not model.convolution) == sum(p.numel() for p in built.parameters())
        again, other = (build(model, *sizes, seed, task).state_dict() for seed in (7, 8))
        for name, value in built.state_dict().items():
            torch.testing.assert_close(again[name], value, rtol=0, atol=0)
            assert not torch.equal(other[name], value), name
            assert 0 < value.std() < 1.5
    assert torch.equal(torch.get_rng_state(), before)


class Alone:
    """The same network on one sequence, as plain torch has it: no padding, one time step of the decoder after the
    other, with the parameters of `model`."""

    def __init__(self, model: SequenceModel) -> None:
        self.w = dict(model.named_parameters())
        self.model, self.structure = model, model.structure

    def logits(self, inputs: torch.Tensor, told: list[torch.Tensor | None]) -> torch.Tensor:
        """`inputs` (S, I); of each time step of the decoder the one-hot input it is told, or None for its own."""
        w, both = self.w, self.structure.bidirectional
        x = inputs @ w["front.weight"] if "front.weight" in w else inputs
        read, final = self.model.recurrent(x[:, None])
        states = final if isinstance(final, tuple) else (final,)
        if both:
            names = ["h", "c"][: len(states)]
            states = tuple(
                torch.stack(
                    [
                        w[f"bridge.weight_{name}"][depth] @ torch.cat([s[2 * depth, 0], s[2 * depth + 1, 0]])
                        + w[f"bridge.bias_{name}"][depth]
                        for depth in range(self.structure.num_layers)
                    ]
                )[:, None]
                for name, s in zip(names, states, strict=True)
            )
        found, own = [], None
        for one in told:
            symbol = own if one is None else one
            x = symbol @ w["decoder_front.weight"] if "decoder_front.weight" in w else symbol
            h, after = self.model.decoder(x[None, None], states if len(states) > 1 else states[0])
            states = after if isinstance(after, tuple) else (after,)
            found.append(self._answer(h[0, 0], read[:, 0]))
            own = nn.functional.one_hot(found[-1].argmax() + 1, len(found[-1]) + 1).float()
        return torch.stack(found)

    def _answer(self, h: torch.Tensor, read: torch.Tensor) -> torch.Tensor:
        w = self.w
        if "attention.score" in w:
            shares = torch.softmax(torch.stack([h @ w["attention.score"] @ e for e in read]), dim=0)
            context = sum(share * e for share, e in zip(shares, read, strict=True))
            h = torch.tanh(w["attention.combine"] @ torch.cat([context, h]))
        return w["head.weight"] @ h + w["head.bias"]


def loss_alone(model: SequenceModel, batch: Batch, told: np.ndarray) -> tuple[torch.Tensor, float]:
    """Loss and accuracy of a batch, sequence by sequence."""
    steps, sequences = batch.targets.shape
    total, right = torch.zeros(()), []
    for n in range(sequences):
        length = len(batch.inputs) if batch.lengths is None else int(batch.lengths[n])
        given = [
            torch.from_numpy(batch.decoder_inputs[k, n]) if k == 0 or told[k, n] else None  # type: ignore[index]
            for k in range(steps)
        ]
        logits = Alone(model).logits(torch.from_numpy(batch.inputs[:length, n]), given)
        targets = torch.from_numpy(batch.targets[:, n])
        total = total + nn.functional.cross_entropy(logits, targets, reduction="sum") / batch.targets.size
        right.append((logits.argmax(dim=-1) == targets).float().mean().item())
    return total, float(np.mean(right))


@pytest.mark.parametrize("ratio", [1.0, 0.4, 0.0])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_training_step_is_plain_torchs(model: ModelSettings, ratio: float) -> None:
    experiment = experiment_of(model, ratio=ratio)
    training, twin = Training(experiment), Training(experiment).models[0]
    conditions = training.conditions(0)
    told = np.ones((10, 6), bool) if conditions.told is None else conditions.told.numpy()
    assert (told.all(), told.any()) == (ratio == 1, ratio > 0)
    batch = training.next_batch()
    loss, accuracy = loss_alone(twin, batch, told)
    loss.backward()
    (metrics,) = training.advance()
    assert metrics["loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert metrics["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    for name, ours in training.models[0].named_parameters():
        theirs = twin.get_parameter(name).grad
        assert torch.allclose(ours.grad, theirs, rtol=1e-3, atol=1e-6), name
    probe = training.capture(0)
    decoder = probe.calls[1]
    assert decoder.told is not None
    assert (decoder.told[1:].all(), decoder.told[1:].any()) == (ratio == 1, ratio > 0)
    assert decoder.told[0].all()  # the start is no answer
    assert bool(probe.remarks) == (ratio < 1)
    assert probe.notes == ()  # it is exact
    assert (decoder.start, decoder.follows) == (len(probe.inputs), 0)


def test_tests_read_the_decoders_own_output_and_count_whole_answers() -> None:
    few = DateFormats(formats=2, years=(2001, 2001), held_out=0.04)
    training = Training(replace(experiment_of(MODELS[0]), task=few))
    test = training.source.test()
    assert test is not None
    assert test.targets.shape == (10, 15)
    loss, accuracy = loss_alone(training.models[0], test, np.zeros(test.targets.shape, bool))
    (found,) = training.test_metrics()
    assert found["test_loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert found["test_accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert found["exact"] == 0


def test_what_is_told_follows_the_training_step_and_the_seed_alone() -> None:
    one, other = (Training(experiment_of(*MODELS[1:3], ratio=0.3)) for _ in range(2))
    first = one.conditions(0).told
    assert torch.equal(first, one.conditions(1).told)
    one.captures()
    one.advance()
    second = one.conditions(0).told
    assert not torch.equal(first, second)
    other.advance()
    assert torch.equal(second, other.conditions(1).told)
    drawn = [Telling(0.3, 7).of_batch(one.next_batch(), step) for step in range(30)]
    assert 0.26 < torch.stack(drawn).float().mean() < 0.34  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "dates.rnnviz"
    assert run_training(experiment_of(*MODELS, ratio=0.5), path) == 0
    return path


def test_a_run_holds_both_modules_and_what_the_decoder_was_told(recorded) -> None:
    training = Training(experiment_of(*MODELS, ratio=0.5))
    for _ in range(4):
        training.advance()
    with open_run(recorded) as run:
        assert [module.name for module in run.models[0].modules] == ["recurrent", "decoder"]
        assert run.models[0].network.layer_names == (
            *("l0", "l0_reverse", "l1", "l1_reverse"),
            *("decoder.l0", "decoder.l1"),
        )
        titles = [module["title"] for module in inspect_path(recorded)["modules"]]
        assert titles[:4] == ["attention", "attention, decoder", "deep", "deep, decoder"]
        assert run.probe is not None
        probe = training.probe
        np.testing.assert_array_equal(run.probe.more["decoder.inputs"], probe.decoder_inputs)
        np.testing.assert_array_equal(run.probe.more["decoder.targets"], probe.targets)
        for number in range(len(MODELS)):
            found, wanted = run.capture(4, number), training.capture(number)
            assert found.remarks == wanted.remarks != ()
            assert run.trace(4, number).verdict.kind == "right"
            for name, weight in wanted.weights.items():
                np.testing.assert_array_equal(found.weights[name], weight)
            for one, other in zip(found.calls, wanted.calls, strict=True):
                np.testing.assert_array_equal(one.inputs, other.inputs)
                np.testing.assert_array_equal(one.grad_output, other.grad_output)
                assert (one.told is None) == (other.told is None)
                if one.told is not None and other.told is not None:
                    np.testing.assert_array_equal(one.told, other.told)
                if one.embedding is not None and other.embedding is not None:
                    np.testing.assert_array_equal(one.embedding.symbols, other.embedding.symbols)
                    rows = one.embedding.table[one.embedding.symbols]
                    rows[one.embedding.symbols < 0] = 0
                    np.testing.assert_array_equal(rows, one.inputs)


@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_an_export_loads_into_the_model_and_says_both_structures(recorded, tmp_path, ending: str) -> None:
    built = Training(experiment_of(*MODELS)).models
    for number in (0, 4):
        out = export_model(recorded, number, None, tmp_path / f"{number}{ending}")
        found = read_checkpoint(out)
        assert found.module("recurrent").structure == built[number].structure
        assert found.module("decoder").structure == built[number].decoder_structure
    if ending == ".pt":
        assert str(built[4].load_state_dict(torch.load(out))) == "<All keys matched successfully>"


def test_a_branch_goes_on_as_the_training_would_have(recorded) -> None:
    whole = Training(experiment_of(*MODELS, ratio=0.5))
    for _ in range(4):
        whole.advance()
    with open_run(recorded) as run:
        experiment, branch = branch_of_run(run, 4)
    branched = Training(experiment)
    branched.go_on_from(branch.start)
    assert branched.advance() == whole.advance()


def test_symbols_of_one_call_can_be_embedded_too() -> None:
    model = ModelSettings("e", "gru", 5, embedding=4)
    training = Training(Experiment("text", NextCharacter(length=9), (model,), TrainingSettings(batch_size=3), seed=7))
    (capture,) = training.captures()
    embedding = capture.calls[0].embedding
    assert embedding is not None
    np.testing.assert_array_equal(embedding.table[embedding.symbols], capture.inputs)
    np.testing.assert_array_equal(embedding.symbols, training.probe.inputs.argmax(axis=-1))
    table = training.models[0].get_parameter("front.weight")
    before = table.detach().clone()
    training.advance()
    read = training.source.batch(np.random.default_rng([7, 2, 0]), 3).inputs.any(axis=(0, 1))
    assert ((table != before).any(dim=1).numpy() == read).all()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (ModelSettings("a", "jordan", 3), "models\\[0\\].cell must be one that hands its state over"),
        (ModelSettings("a", "mlp", 3), "mlp has no state"),
        (ModelSettings("a", "own", 3, own=OwnSettings("cell.py")), "whose encoder and decoder are cells of ours"),
        (ModelSettings("a", "gru", 3, convolution=2), "convolution must be left out"),
    ],
)
def test_what_no_decoder_can_be_of_is_refused_and_fitted(model: ModelSettings, words: str) -> None:
    experiment = experiment_of(model)
    with pytest.raises(RnnvizError, match=words):
        check_experiment(experiment)
    check_experiment(fitted(experiment))


def test_both_of_two_models_begin_with_the_same_encoder() -> None:
    one, other = (Training(experiment_of(replace(MODELS[3], attention=has))).models[0] for has in (True, False))
    for name, value in other.recurrent.state_dict().items():
        torch.testing.assert_close(one.recurrent.state_dict()[name], value, rtol=0, atol=0)


@pytest.mark.parametrize(
    "model", [MODELS[0], ModelSettings("conv", "lstm", 3, convolution=2)], ids=lambda one: one.name
)
def test_the_update_of_everything_that_is_learnt_is_known(model: ModelSettings) -> None:
    experiment = experiment_of(model)
    if model.convolution:
        experiment = replace(experiment, task=Glyphs(answer="name"))
    training = Training(experiment)
    for _ in range(3):
        training.advance()
    trace, one, probe = rebuild(training.capture(0)), training.models[0], training.probe
    payload = optimiser_payload(training.optimiser_snapshot(0), 3, 0)
    found = update_shown(trace, experiment.training.rule, gathered_in(read_optimiser(payload, 3, 0)))
    one.zero_grad()
    weighted_loss(read(one, probe).prediction, probe, "cross entropy").backward()
    gradients = {name: value.grad.numpy().copy() for name, value in one.named_parameters()}
    training._optimisers[0].step()
    assert {name.removeprefix("recurrent.") for name in gradients} == {each.name for each in updated_parameters(trace)}
    for name, gradient in gradients.items():
        known = name.removeprefix("recurrent.")
        largest = np.abs(gradient).max()
        np.testing.assert_allclose(
            found.find(known, "gradient"), gradient, rtol=1e-3, atol=1e-4 * largest, err_msg=name
        )
        after = one.get_parameter(name).detach().numpy()
        np.testing.assert_allclose(found.find(known, "weights_after"), after, rtol=1e-3, atol=1e-4, err_msg=name)

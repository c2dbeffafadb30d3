"""Untrained networks: all seeds at once against rebuilds one by one, the settings, and what was measured of them."""

from dataclasses import replace

import numpy as np
import pytest
from every_cell import CHOICES

from rnnviz.core.cells import CELLS
from rnnviz.core.cells.lstm import LstmSettings
from rnnviz.core.cells.vanilla import VanillaSettings
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.gradients.losses import unit_vector
from rnnviz.core.gradients.untrained import SEEDS, Band, continued, initial_weights, untrained
from rnnviz.core.magnitude import l2
from rnnviz.core.setting import settings_of
from rnnviz.core.sweeps.capture import Capture, Head
from rnnviz.core.sweeps.heads.head import through_head
from rnnviz.core.sweeps.trace import rebuild

SOME = (3, 8, 11)


def _model(name: str) -> ModelSettings:
    """A cell as it can be chosen, in two layers and both directions where it has them."""
    kind, choice = CELLS[CHOICES[name]["cell"]], CHOICES[name]
    own = {key: choice[key] for key in ("activation", "window") if key in choice and key in settings_of(kind.settings)}
    return ModelSettings(
        "Model",
        kind.name,
        hidden_size=5,
        num_layers=1 if kind.one_layer else 2,
        bidirectional=not kind.one_direction,
        own=kind.settings(**own),
    )


def _inputs(time_steps: int, columns: int = 3, seed: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((time_steps, columns))


def _alone(model, inputs, seed, scale, grad_output, outputs=2):
    """The trace of one seed by the ordinary sweeps."""
    structure = model.structure(inputs.shape[1], outputs)
    rows = structure.num_layers * structure.directions
    return rebuild(
        Capture.of_one(
            initial_weights(model, structure, seed, scale),
            structure=structure,
            inputs=inputs[:, None],
            initial={state: np.zeros((rows, 1, structure.units(state))) for state in structure.equations.states},
            grad_output=grad_output,
        )
    )


@pytest.mark.parametrize("choice", [name for name in CHOICES if "proj_size" not in CHOICES[name]])
def test_all_seeds_at_once_are_rebuilds_one_by_one(choice):
    model, inputs = _model(choice), _inputs(7)
    found = untrained(model, inputs, seeds=SOME, scale=1.4, clip=0.3, outputs=2)
    width = found.layers[-1].states[model.structure(3, 2).equations.output].shape[-1]
    for k, seed in enumerate(SOME):
        direct = np.zeros((7, 1, width * (1 + model.bidirectional)))
        trace = _alone(model, inputs, seed, 1.4, direct)
        direct[-1] = unit_vector(trace.layers[-1])
        trace = _alone(model, inputs, seed, 1.4, direct)
        squares = [np.sum(grad**2) for layer in trace.layers for grad in layer.weight_grads.values()]
        assert found.weight_gradients[k] == pytest.approx(np.sqrt(np.sum(squares)), rel=1e-9)
        factor = min(1, 0.3 / (found.weight_gradients[k] + 1e-6))
        assert found.clip_factors[k] == pytest.approx(factor)
        for own, layer in zip(found.layers, trace.layers, strict=True):
            assert own.name == layer.name
            for state, values in own.states.items():
                np.testing.assert_allclose(values[:, k], layer.value(state)[:, 0], rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(
                own.gradients[:, k], factor * l2(layer.followed_grad[:, 0]), rtol=1e-9, atol=1e-14
            )


def test_what_the_task_asks_goes_through_a_head_of_each_seed():
    model, inputs = ModelSettings("Model", "gru", hidden_size=6), _inputs(9)
    asked = Head(
        None,
        None,
        "cross entropy",
        np.array([[2, 0, 1] * 3]).T,
        np.where(np.arange(9) % 4 == 0, 0.5, 0)[:, None],
        "mean",
    )
    found = untrained(model, inputs, seeds=SOME, clip=1e-3, asked=asked, outputs=3)
    again = untrained(model, inputs, seeds=SOME[1:2], asked=asked, outputs=3)
    np.testing.assert_allclose(found.layers[0].gradients[:, 1], found.clip_factors[1] * again.layers[0].gradients[:, 0])
    assert again.weight_gradients is None
    output = again.layers[0].states["h"]
    generator, bound = np.random.default_rng((SOME[1], 2)), 1 / np.sqrt(6)
    head = replace(asked, weight=generator.uniform(-bound, bound, (3, 6)), bias=generator.uniform(-bound, bound, 3))
    trace = through_head(head, output)
    layer = _alone(model, inputs, SOME[1], 1.0, trace.output_grad).layers[0]
    np.testing.assert_allclose(again.layers[0].gradients[:, 0], l2(layer.hidden_grad[:, 0]), rtol=1e-9)
    grads = [*layer.weight_grads.values(), *trace.weight_grads.values()]
    assert found.weight_gradients[1] == pytest.approx(np.sqrt(sum(np.sum(grad**2) for grad in grads)))
    with pytest.raises(RnnvizError, match="wanted 8 time steps that are asked, got 9"):
        untrained(model, inputs[:8], asked=asked, outputs=3)


def test_a_jordan_network_makes_its_predictions_itself():
    asked = Head(None, None, "mean squared error", np.ones((5, 1, 2)), np.full((5, 1), 0.2))
    found = untrained(ModelSettings("Model", "jordan", hidden_size=4), _inputs(5), seeds=SOME, asked=asked, outputs=2)
    assert found.layers[0].states["y"].shape == (5, 3, 2)
    last = found.layers[0].states["y"][-1] - 1
    np.testing.assert_allclose(found.layers[0].gradients[-1], 0.2 * np.linalg.norm(last, axis=-1))


def test_weights_are_drawn_as_the_program_draws_them():
    model = ModelSettings("Model", "lstm", hidden_size=40, num_layers=2, own=LstmSettings(chrono=70))
    structure = model.structure(3, 1)
    weights = initial_weights(model, structure, 9, scale=0.5)
    assert {name: weight.shape for name, weight in weights.items()} == dict(structure.parameter_shapes())
    for layer in ("l0", "l1"):
        recurrent = weights[f"weight_hh_{layer}"]
        assert np.abs(recurrent).max() == pytest.approx(0.5 / np.sqrt(40), rel=0.01)
        assert recurrent.std() == pytest.approx(0.5 / np.sqrt(40) / np.sqrt(3), rel=0.02)
    forget = np.log(np.random.default_rng(9).uniform(1, 69, 40))  # the first that chrono draws in a training, too
    np.testing.assert_array_equal(weights["bias_ih_l0"][40:80], forget)
    assert (weights["bias_hh_l1"][40:80] == 0).all()
    other = initial_weights(model, structure, 10, scale=0.5)
    assert not np.isclose(other["weight_ih_l0"], weights["weight_ih_l0"]).any()


def test_every_slider_changes_the_curves():
    inputs = _inputs(40, 2)

    def first(cell="vanilla", size=8, scale=1.0, **own):
        model = ModelSettings("Model", cell, hidden_size=size, own=CELLS[cell].settings(**own))
        return untrained(model, inputs, scale=scale).layers[0].band.median[0]

    biases = [first("lstm", forget_bias=bias) for bias in (-1.0, 1.0, 3.0, 6.0)]
    radii = [first(initialisation="spectral radius", spectral_radius=radius) for radius in (0.3, 0.7, 1.1)]
    scales = [first(scale=scale) for scale in (0.3, 1.0, 2.0)]
    for rising in (biases, radii, scales):
        assert (np.diff(np.log10(rising)) > 0.1).all()
    assert len({first(activation=activation) for activation in ("tanh", "relu", "sigmoid")}) == 3
    assert first(size=8) != first(size=9)


def test_a_sequence_is_cut_or_goes_on_with_its_own_inputs():
    inputs = np.eye(4)[[2, 0, 1, 3, 3]]
    np.testing.assert_array_equal(continued(inputs, 3), inputs[:3])
    longer = continued(inputs, 50, seed=6)
    np.testing.assert_array_equal(longer[:5], inputs)
    assert longer.shape == (50, 4)
    assert (longer.sum(axis=0) > 0).all()
    np.testing.assert_array_equal(longer, continued(inputs, 50, seed=6))
    assert (longer != continued(inputs, 50, seed=7)).any()


def test_the_band_is_made_of_seeds():
    values = np.arange(1.0, 21)[None, ::-1].repeat(2, axis=0)
    values[1, :3] = np.nan, np.inf, 0
    low, median, high = Band.of(values)
    np.testing.assert_array_equal(low, [2, 1])
    np.testing.assert_array_equal(median, [10, 9])
    np.testing.assert_array_equal(high, [18, 17])


ADDING = np.stack(
    (np.random.default_rng(0).uniform(0, 1, 100), np.isin(np.arange(100), (20, 70)).astype(float)), axis=1
)  # the adding task's sequence: a value and a marker


@pytest.mark.parametrize(
    ("cell", "own", "seeds", "measured", "within"),
    [
        ("lstm", LstmSettings(), SEEDS, 4e-21, 10),
        ("lstm", LstmSettings(forget_bias=1), SEEDS, 1.5e-8, 10),
        ("lstm", LstmSettings(forget_bias=3), SEEDS, 1.8e-2, 10),
        ("lstm", LstmSettings(forget_bias=5), SEEDS, 0.16, 10),
        ("vanilla", VanillaSettings(), range(1, 101), 10**-23.6, 1000),
        ("vanilla", VanillaSettings("relu", "identity"), range(1, 101), 0.77, 1000),
        ("vanilla", VanillaSettings("relu"), range(1, 101), 1e-37, 1000),
    ],
)
def test_how_much_of_a_gradient_comes_back_over_100_time_steps(cell, own, seeds, measured, within):
    """‖∂L/∂h₁‖/‖∂L/∂h_T‖, L = uᵀh_T, H = 32, on a sequence of the adding task; the median over the seeds."""
    found = untrained(ModelSettings("Model", cell, hidden_size=32, own=own), ADDING, seeds=tuple(seeds)).layers[0]
    ratio = np.median(found.gradients[0] / found.gradients[-1])
    assert measured / within < ratio < measured * within

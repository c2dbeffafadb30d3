"""Step Jacobians, their spectra and products, and untrained networks: processor time of this process, on one thread."""

import time
from collections.abc import Callable, Iterator

import numpy as np
from ratios import Row

from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.gradients.jacobians import spectra
from rnnviz.core.gradients.lyapunov import layer_lyapunov
from rnnviz.core.gradients.products import product_spectra
from rnnviz.core.gradients.untrained import initial_weights, untrained
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import rebuild

TIME_STEPS, INPUTS = 100, 8
SLIDERS = 50.0  # ms
SPECTRA = {"vanilla": 85.0, "gru": 85.0, "lstm": 370.0}  # ms, a trial on a quiet machine
ROUNDS = 5


def rows() -> Iterator[Row]:
    inputs = np.random.default_rng(3).standard_normal((TIME_STEPS, INPUTS))
    for cell, goal in SPECTRA.items():
        model = ModelSettings("Model", cell, hidden_size=32)
        value = milliseconds(lambda model=model: untrained(model, inputs))
        yield Row(f"untrained {cell}, 20 seeds, H=32, T={TIME_STEPS}: states and gradients", value, SLIDERS, "ms")
        value = milliseconds(lambda model=model: untrained(model, inputs, clip=1.0))
        yield Row("  with the clip", value, SLIDERS, "ms")
        layer = _layer(ModelSettings("Model", cell, hidden_size=64), inputs)
        value = milliseconds(lambda layer=layer: list(spectra(layer)))
        yield Row(f"norms and radii of all step Jacobians, {cell}, H=64, T={TIME_STEPS}", value, goal, "ms")
        for words, find in (("singular values of ∂h_T/∂h_t", product_spectra), ("Lyapunov spectrum", layer_lyapunov)):
            value = milliseconds(lambda layer=layer, find=find: list(find(layer)))
            yield Row(f"  {words} (no goal but a second)", value, 1000.0, "ms")


def milliseconds(work: Callable[[], object]) -> float:
    """The least processor time of some rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def _layer(model: ModelSettings, inputs: np.ndarray) -> Layer:
    structure = model.structure(INPUTS, 1)
    capture = Capture.of_one(
        initial_weights(model, structure, 3),
        structure=structure,
        inputs=inputs[:, None],
        initial={state: np.zeros((1, 1, structure.units(state))) for state in structure.equations.states},
        grad_output=np.zeros((len(inputs), 1, structure.output_size)),
    )
    return rebuild(capture).layers[0]

"""Parameters: their names and shapes in a model as it is saved; how many these are, and hidden sizes that give models
as many."""

import bisect
import math
from collections.abc import Sequence
from dataclasses import replace

from rnnviz.core.cells import OWN, cell_kind
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.setting import WholeNumber, settings_of
from rnnviz.core.structure import Structure

DECODER = "decoder"  # the name of its recurrent module and of its call
FRONT, DECODER_FRONT = "front.weight", "decoder_front.weight"  # what stands before the recurrent modules
KERNEL = (3, 3)  # of a convolution


def parameter_shapes(
    model: ModelSettings, inputs: int, outputs: int, decodes: bool = False
) -> dict[str, tuple[int, ...]]:
    """All parameters by the names they are saved under, with `inputs` columns in and `outputs` out; `decodes`: what
    the recurrent module has read whole, a decoder answers."""
    structure = model.structure(inputs, outputs)
    found: dict[str, tuple[int, ...]] = {}
    if model.embedding:
        found[FRONT] = (inputs, model.embedding)
    elif model.convolution:
        found[FRONT] = (model.convolution, *KERNEL)
    found |= {f"recurrent.{name}": shape for name, shape in structure.parameter_shapes().items()}
    if decodes:
        found |= _decoder_shapes(model, structure, outputs)
    if not cell_kind(model.cell).reads_out:
        directions = 1 if decodes else structure.directions
        found |= {"head.weight": (outputs, directions * structure.output_size), "head.bias": (outputs,)}
    return found


def _decoder_shapes(model: ModelSettings, encoder: Structure, outputs: int) -> dict[str, tuple[int, ...]]:
    """Those of the decoder, of its own table, of what takes the encoder's final states over, and of attention."""
    decoder = model.decoder(outputs)
    found = {f"{DECODER}.{name}": shape for name, shape in decoder.parameter_shapes().items()}
    if model.embedding:
        found[DECODER_FRONT] = (outputs + 1, model.embedding)
    if encoder.bidirectional:
        for state in encoder.equations.states:
            units = decoder.units(state)
            found[f"bridge.weight_{state}"] = (decoder.num_layers, units, 2 * units)
            found[f"bridge.bias_{state}"] = (decoder.num_layers, units)
    if model.attention:
        own, other = decoder.output_size, encoder.directions * encoder.output_size
        found |= {"attention.score": (own, other), "attention.combine": (own, other + own)}
    return found


def parameter_count(model: ModelSettings, inputs: int, outputs: int, decodes: bool = False) -> int:
    """How many numbers all parameters of `parameter_shapes` are; of a user's own cell those of the head alone, for its
    file alone tells the others."""
    return sum(math.prod(shape) for shape in parameter_shapes(model, inputs, outputs, decodes).values())


def matched(
    models: Sequence[ModelSettings], chosen: int, inputs: int, outputs: int, decodes: bool = False
) -> tuple[ModelSettings, ...]:
    """The models with the hidden sizes that bring their parameter counts nearest to that of the one at `chosen`; users'
    own cells, whose counts nobody knows here, stay as they are."""
    wanted = parameter_count(models[chosen], inputs, outputs, decodes)
    return tuple(
        model if number == chosen or model.cell == OWN.name else _with_count(model, wanted, inputs, outputs, decodes)
        for number, model in enumerate(models)
    )


def match_words(models: Sequence[ModelSettings], chosen: int, inputs: int, outputs: int, decodes: bool = False) -> str:
    """How near they have come: "Matched to LSTM (12 units, 740 parameters): Vanilla 24 units, 737."."""
    counts = [parameter_count(model, inputs, outputs, decodes) for model in models]
    others = "; ".join(
        f"{model.name} {model.hidden_size} units, {count:,}"
        for number, (model, count) in enumerate(zip(models, counts, strict=True))
        if number != chosen and model.cell != OWN.name
    )
    one = models[chosen]
    return f"Matched to {one.name} ({one.hidden_size} units, {counts[chosen]:,} parameters): {others}."


def _with_count(model: ModelSettings, wanted: int, inputs: int, outputs: int, decodes: bool) -> ModelSettings:
    """The smaller of two sizes that are as near."""
    form = settings_of(ModelSettings)["hidden_size"].form
    assert isinstance(form, WholeNumber)

    def count(size: int) -> int:
        return parameter_count(replace(model, hidden_size=size), inputs, outputs, decodes)

    above = bisect.bisect_left(range(form.low, form.high), wanted, key=count) + form.low
    nearest = min((max(above - 1, form.low), above), key=lambda size: abs(count(size) - wanted))
    return replace(model, hidden_size=nearest)

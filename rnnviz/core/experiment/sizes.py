"""Parameter counts: how many numbers a model learns, its head's included; hidden sizes that give models as many."""

import bisect
import math
from collections.abc import Sequence
from dataclasses import replace

from rnnviz.core.cells import cell_kind
from rnnviz.core.experiment.settings import ModelSettings
from rnnviz.core.setting import WholeNumber, settings_of


def parameter_count(model: ModelSettings, inputs: int, outputs: int) -> int:
    """Those of all layers and of the head, with `inputs` columns in and `outputs` out."""
    structure = model.structure(inputs, outputs)
    recurrent = sum(math.prod(shape) for shape in structure.parameter_shapes().values())
    head = 0 if cell_kind(model.cell).reads_out else structure.directions * structure.output_size + 1
    return recurrent + outputs * head


def matched(models: Sequence[ModelSettings], chosen: int, inputs: int, outputs: int) -> tuple[ModelSettings, ...]:
    """The models with the hidden sizes that bring their parameter counts nearest to that of the one at `chosen`."""
    wanted = parameter_count(models[chosen], inputs, outputs)
    return tuple(
        model if number == chosen else _with_count(model, wanted, inputs, outputs)
        for number, model in enumerate(models)
    )


def match_words(models: Sequence[ModelSettings], chosen: int, inputs: int, outputs: int) -> str:
    """How near they have come: "Matched to LSTM (12 units, 740 parameters): Vanilla 24 units, 737."."""
    counts = [parameter_count(model, inputs, outputs) for model in models]
    others = "; ".join(
        f"{model.name} {model.hidden_size} units, {count:,}"
        for number, (model, count) in enumerate(zip(models, counts, strict=True))
        if number != chosen
    )
    one = models[chosen]
    return f"Matched to {one.name} ({one.hidden_size} units, {counts[chosen]:,} parameters): {others}."


def _with_count(model: ModelSettings, wanted: int, inputs: int, outputs: int) -> ModelSettings:
    """The smaller of two sizes that are as near."""
    form = settings_of(ModelSettings)["hidden_size"].form
    assert isinstance(form, WholeNumber)

    def count(size: int) -> int:
        return parameter_count(replace(model, hidden_size=size), inputs, outputs)

    above = bisect.bisect_left(range(form.low, form.high), wanted, key=count) + form.low
    nearest = min((max(above - 1, form.low), above), key=lambda size: abs(count(size) - wanted))
    return replace(model, hidden_size=nearest)

"""Parameter choice: of which weights a card tells, for all models that have them."""

from collections.abc import Callable, Mapping
from typing import Any

from rnnviz.core.cells import Cell
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets import marked_text
from rnnviz.gui.widgets.fields import Choice


def chosen(cell: Cell, parameter: str) -> str:
    """The parameter of that name, else the one that leads back in time."""
    return parameter if parameter in cell.parameter_named else cell.leading_matrix.name


def parameter_symbol(model: ShownModel, parameter: str) -> str:
    """Markup: "W_{hh}"."""
    return model.structure.equations.parameter_named[parameter].symbol


class ParameterChoice(Choice):
    """The parameters of all models, each once."""

    def __init__(self, store: Store, change: Callable[[Mapping[str, Any]], None]) -> None:
        names: dict[str, str] = {}
        for model in store.state.run.models:
            for parameter in model.structure.equations.parameters:
                names.setdefault(parameter.name, marked_text.plain(parameter.symbol))
        super().__init__([("", "recurrent weights"), *names.items()], flat=True)
        self.setAccessibleName("Weights")
        self.setToolTip("Of which weights this card tells; recurrent: those that lead back in time, W_hh")
        self.set_value("")
        self.chosen.connect(lambda value: change({"parameter": value}))

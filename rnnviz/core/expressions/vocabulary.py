"""The names an expression may use: quantities, metrics, numbers, cells and models, with their words and shapes."""

import difflib
import keyword
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import get_args

from rnnviz.core.expressions.shapes import TIME, Axis, Form
from rnnviz.core.quantity import Quantity
from rnnviz.core.structure import CellName, Structure

CELLS: tuple[CellName, ...] = get_args(CellName)
METRICS = ("loss", "accuracy", "grad_norm", "test_loss", "test_accuracy")
NUMBERS = {
    "k": "training step",
    "t": "time step of the cursor, counted from 1",
    "T": "time steps of the sequence",
    "H": "hidden units",
    "N": "sequences",
}
COMPARED_ONLY = {"model": "the model's name, model == lstm, or number, model == 1", "cell": "its cell, cell == lstm"}


@dataclass(frozen=True)
class NamedQuantity:
    """One quantity of the sequence that is looked at; `units` labels its second axis, "" where it has only time."""

    name: str
    symbol: str
    words: str
    units: str  # "H", "P" (units of h where it is projected), "I", "V" or ""
    cells: tuple[CellName, ...] = CELLS
    layered: bool = True  # has one for each layer, so that h_l1 asks for that layer's


def _of(name: str, quantity: Quantity, units: str) -> NamedQuantity:
    return NamedQuantity(name, quantity.symbol, quantity.words, units, quantity.cells)


_GATES = {
    "i": Quantity.INPUT_GATE,
    "f": Quantity.FORGET_GATE,
    "g": Quantity.CANDIDATE,
    "o": Quantity.OUTPUT_GATE,
    "r": Quantity.RESET_GATE,
    "z": Quantity.UPDATE_GATE,
    "n": Quantity.NEW,
}
_CELL_PARTS: tuple[CellName, ...] = ("lstm",)

QUANTITIES: dict[str, NamedQuantity] = {
    named.name: named
    for named in (
        _of("x", Quantity.INPUT, "I"),
        _of("h", Quantity.HIDDEN, "P"),
        _of("c", Quantity.CELL, "H"),
        *(_of(gate, quantity, "H") for gate, quantity in _GATES.items()),
        _of("a", Quantity.PRE_ACTIVATION, "H"),
        *(
            NamedQuantity(f"a_{gate}", f"a_{gate},t", f"pre-activation of the {quantity.words}", "H", quantity.cells)
            for gate, quantity in _GATES.items()
        ),
        _of("dh", Quantity.HIDDEN_GRAD, "P"),
        _of("dh_direct", Quantity.DIRECT_GRAD, "P"),
        _of("dh_carried", Quantity.CARRIED_GRAD, "P"),
        _of("dc", Quantity.CELL_GRAD, "H"),
        NamedQuantity("dc_direct", "∂L_t/∂c_t", "direct cell gradient", "H", _CELL_PARTS),
        NamedQuantity("dc_carried", "∂L_{>t}/∂c_t", "carried cell gradient", "H", _CELL_PARTS),
        _of("dx", Quantity.INPUT_GRAD, "I"),
        NamedQuantity("da", "∂L/∂a_t", "gradient of the pre-activation", "H", Quantity.PRE_ACTIVATION.cells),
        *(
            NamedQuantity(
                f"da_{gate}",
                f"∂L/∂a_{gate},t",
                f"gradient of the pre-activation of the {quantity.words}",
                "H",
                quantity.cells,
            )
            for gate, quantity in _GATES.items()
        ),
        NamedQuantity("share_ih", "‖(∂L/∂W_ih)|_t‖", "share of each time step in ∂L/∂W_ih", ""),
        NamedQuantity("share_hh", "‖(∂L/∂W_hh)|_t‖", "share of each time step in ∂L/∂W_hh", ""),
        NamedQuantity("so_far_ih", "‖Σ(∂L/∂W_ih)|_s‖", "∂L/∂W_ih gathered once the backward sweep has done t", ""),
        NamedQuantity("so_far_hh", "‖Σ(∂L/∂W_hh)|_s‖", "∂L/∂W_hh gathered once the backward sweep has done t", ""),
        NamedQuantity("losses", "L_t", "loss of each time step", "", layered=False),
        NamedQuantity("prediction", "y_t", "prediction, logits or values", "V", layered=False),
        NamedQuantity("probability", "p_t", "predicted probability of each class", "V", layered=False),
    )
}

_LAYER = re.compile(r"(?P<name>\w+?)_(?P<layer>l[0-9]+(?:_reverse)?)")


@dataclass(frozen=True)
class Vocabulary:
    """What is known of the models and metrics an expression will be asked of; nothing known: nothing is refused for it.

    With several structures a name is refused only if none of them has it: asked of a model without it, the
    expression has no value there.
    """

    structures: tuple[Structure, ...] = ()
    models: tuple[str, ...] = ()  # as in the experiment, in its order
    metrics: tuple[str, ...] = METRICS

    @cached_property
    def known_metrics(self) -> frozenset[str]:
        """The metrics that can be written: a name of the language hides a metric of the same name."""
        taken = {*QUANTITIES, *NUMBERS, *COMPARED_ONLY}
        return frozenset(
            name for name in self.metrics if name.isidentifier() and not keyword.iskeyword(name) and name not in taken
        )

    @cached_property
    def model_words(self) -> dict[str, int]:
        """The bare word of each model, with its number counted from 1 (the first of several with the same word)."""
        found: dict[str, int] = {}
        for number, name in enumerate(self.models, 1):
            found.setdefault(model_word(name), number)
        return found

    def missing(self, named: NamedQuantity, layer: str) -> str:
        """Why none of the structures has this quantity of this layer, as a sentence; "" where one has it."""
        if not self.structures:
            return ""
        cells = tuple(dict.fromkeys(structure.cell for structure in self.structures))
        if not set(cells) & set(named.cells):
            return no_such(named, " and ".join(cells))
        if layer and not any(layer in structure.layer_names for structure in self.structures):
            having = ", ".join(dict.fromkeys(name for one in self.structures for name in one.layer_names))
            return f"There is no layer {layer}; there are {having}."
        return ""

    def form(self, named: NamedQuantity, layer: str) -> Form:
        """T, or T × the quantity's units, with their number where all structures that have it agree."""
        if not named.units:
            return Form((Axis(TIME),))
        fitting = [one for one in self.structures if one.cell in named.cells and layer in ("", *one.layer_names)]
        sizes = {_units(one, named.units, layer) for one in fitting}
        label = "H" if named.units == "P" and not any(one.proj_size for one in fitting) else named.units
        return Form((Axis(TIME), Axis(label, sizes.pop() if len(sizes) == 1 else None)))

    def close(self, word: str, more: Iterable[str] = ()) -> str:
        """ " Did you mean h or c?", or "" where nothing comes near `word`."""
        names = [*QUANTITIES, *sorted(self.known_metrics), *NUMBERS, *COMPARED_ONLY, *more]
        near = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
        near += [name for name in names if name.lower() == word.lower() and name not in near]
        if not near and len(word) > 2:
            near = [one.name for one in QUANTITIES.values() if word.lower() in one.words.split()][:3]
        return did_you_mean(near)


def split_layer(name: str) -> tuple[NamedQuantity, str] | None:
    """The quantity called `name` and its layer, ("h", "l1") for h_l1, layer "" where none is named; None: no such."""
    if name in QUANTITIES:
        return QUANTITIES[name], ""
    match = _LAYER.fullmatch(name)
    if match and match["name"] in QUANTITIES and QUANTITIES[match["name"]].layered:
        return QUANTITIES[match["name"]], match["layer"]
    return None


@lru_cache(maxsize=256)
def model_word(name: str) -> str:
    """A model's name as a bare word: "LSTM, forget bias 3" is lstm_forget_bias_3, "2 layers" is model_2_layers."""
    word = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name).casefold()).strip("_")
    return word if word.isidentifier() and not keyword.iskeyword(word) else f"model_{word}"


def no_such(named: NamedQuantity, cell: str) -> str:
    """ "The vanilla cell has no forget gate f; lstm has one." """
    return f"The {cell} cell has no {named.words} {named.name}; {' and '.join(named.cells)} has it."


def did_you_mean(near: Iterable[str]) -> str:
    words = " or ".join(near)
    return f" Did you mean {words}?" if words else ""


def _units(structure: Structure, units: str, layer: str) -> int | None:
    if units == "H":
        return structure.hidden_size
    if units == "P":
        return structure.output_size
    if units == "I" and (layer or structure.num_layers == 1):
        return structure.layer_input_size(layer or "l0")
    return None

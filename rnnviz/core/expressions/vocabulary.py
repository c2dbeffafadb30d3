"""The names an expression may use: quantities, metrics, numbers, cells and models, with their words and shapes."""

import difflib
import keyword
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rnnviz.core.cells import CELLS, OWN, Cell, CellKind, Options, cell_kinds, cell_made
from rnnviz.core.cells.own import seen
from rnnviz.core.expressions.shapes import TIME, Axis, Form
from rnnviz.core.network import ENCODER, Network
from rnnviz.core.plain_records import listed
from rnnviz.core.quantity import Quantity, quantities
from rnnviz.core.structure import LayerId, Structure

METRIC_WORDS = {
    "loss": "loss of the training batch",
    "accuracy": "accuracy on the training batch",
    "grad_norm": "norm of the whole gradient, before clipping",
    "test_loss": "validation loss: on what is held back, or on fresh sequences",
    "test_accuracy": "validation accuracy",
    "exact": "validation sequences answered right as a whole",
    "learning_rate": "learning rate of the update, where it does not stay as it is set",
    "skill": "how much better than the best guess without a model",
    "lag": "time steps by which the prediction lags behind",
}
METRICS = tuple(METRIC_WORDS)
NUMBERS = {
    "k": "training step",
    "t": "time step of the cursor, counted from 1",
    "T": "time steps of the sequence",
    "H": "hidden units",
    "N": "sequences",
}
GUESS = " Did you mean "
COMPARED_ONLY = {"model": "the model's name, model == lstm, or number, model == 1", "cell": "its cell, cell == lstm"}


@dataclass(frozen=True)
class NamedQuantity:
    """One quantity of the sequence that is looked at; `units` labels its second axis, "" where it has only time."""

    name: str
    symbol: str
    words: str
    units: str  # "H", "P" (units of h where it is projected), "I", "V" or ""
    cells: tuple[str, ...] | None = None  # that have it; None: it does not depend on the cell
    layered: bool = True  # has one for each layer, so that h_l1 asks for that layer's


_OF_THE_HEAD = (
    NamedQuantity("losses", "L_t", "loss of each time step", "", layered=False),
    NamedQuantity("prediction", "y_t", "prediction, logits or values", "V", layered=False),
    NamedQuantity("probability", "p_t", "predicted probability of each class", "V", layered=False),
)
_ORDER = (
    ("input",),
    ("value",),
    ("pre-activation",),
    ("gradient", "direct gradient", "carried gradient"),
    ("input gradient",),
    ("pre-activation gradient",),
    ("share",),
    ("so far",),
)


def cell_names() -> tuple[str, ...]:
    """The cells that can be asked for: cell == lstm."""
    return tuple(cell_kinds())


def named_quantities() -> dict[str, NamedQuantity]:
    """All quantities of all cells by name, in the order in which they are offered."""
    return _named_quantities(tuple(CELLS.values()))


@lru_cache(maxsize=8)
def _named_quantities(kinds: tuple[CellKind, ...]) -> dict[str, NamedQuantity]:
    found: dict[str, list[tuple[str, Quantity]]] = {}
    for kind in kinds:
        for quantity in quantities(kind.make(Options())).values():
            found.setdefault(quantity.name, []).append((kind.name, quantity))
    place = {kind: number for number, kinds in enumerate(_ORDER) for kind in kinds}
    ordered = sorted(found.items(), key=lambda item: place[item[1][0][1].kind])
    return {name: _named(having) for name, having in ordered} | {one.name: one for one in _OF_THE_HEAD}


def _named(having: list[tuple[str, Quantity]]) -> NamedQuantity:
    first = having[0][1]
    return NamedQuantity(first.name, first.symbol, first.words, first.units, tuple(cell for cell, _ in having))


_OF_OWN = re.compile(r"[^\W\d]\w{0,60}")
_LAYER = re.compile(r"(?P<name>\w+?)_(?P<layer>l[0-9]+(?:_reverse)?)")
_CALLED = re.compile(r"(?P<name>\w+?)_(?P<call>[a-z]+)_(?P<layer>l[0-9]+(?:_reverse)?)")  # of a later stage


@dataclass(frozen=True)
class Vocabulary:
    """What is known of the models and metrics an expression will be asked of; nothing known: nothing is refused for it.

    With several networks a name is refused only if none of them has it: asked of a model without it, the
    expression has no value there.
    """

    networks: tuple[Network, ...] = ()
    models: tuple[str, ...] = ()  # as in the experiment, in its order
    metrics: tuple[str, ...] = METRICS
    unknown: bool = False  # whether a model is a user's own cell whose states nobody knows yet: any name may be one

    @cached_property
    def structures(self) -> tuple[Structure, ...]:
        """Of all stages of all models."""
        return tuple(stage.structure for network in self.networks for stage in network.stages)

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The layers of all models: "l0", "decoder.l0"."""
        return tuple(dict.fromkeys(name for network in self.networks for name in network.layer_names))

    def layer_words(self, layer: str) -> str:
        """What a layer is called: "layer 1", of an encoder–decoder "encoder, layer 1"."""
        own = next((network for network in self.networks if layer in network.layer_names), None)
        return LayerId.read(layer).words if own is None else own.words(layer)

    @cached_property
    def named(self) -> dict[str, NamedQuantity]:
        """All quantities by name, those of the users' own cells behind those of all others: of these models, or of all
        that were come across where nothing is known of them."""
        if self.structures:
            return named_of(structure.equations for structure in self.structures)
        return named_of(cell_made(OWN.name, Options(own=parts)) for parts in seen())

    def split(self, name: str) -> tuple[NamedQuantity, str] | None:
        """As `split_layer`, the states of users' own cells among the quantities."""
        found = split_layer(name, self.named)
        if found is None and self.unknown and _OF_OWN.fullmatch(name) and name not in self.known_metrics:
            return NamedQuantity(name, name, "state", "H", (OWN.name,)), ""
        return found

    @cached_property
    def known_metrics(self) -> frozenset[str]:
        """The metrics that can be written: a name of the language hides a metric of the same name."""
        taken = {*self.named, *NUMBERS, *COMPARED_ONLY}
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
        if not any(has(structure, named) for structure in self.structures):
            return no_such(named, " and ".join(cells))
        if layer and layer not in self.layers:
            having = ", ".join(layered_name("", name)[1:] for name in self.layers)
            return f"There is no layer {layered_name('', layer)[1:]}; there are {having}."
        return ""

    def words(self, named: NamedQuantity) -> str:
        """What the quantity is called by the first structure that has it."""
        for structure in self.structures:
            own = quantities(structure.equations).get(named.name)
            if own is not None:
                return own.words
        return named.words

    def form(self, named: NamedQuantity, layer: str) -> Form:
        """T, or T × the quantity's units, with their number where all structures that have it agree."""
        if not named.units:
            return Form((Axis(TIME),))
        stages = [stage for network in self.networks for stage in network.stages]
        fitting = [
            stage.structure
            for stage in stages
            if has(stage.structure, named) and (not layer or layer in [one.text for one in stage.layer_ids])
        ]
        sizes = {_units(one, named.units, layer) for one in fitting}
        label = "H" if named.units == "P" and not any(one.proj_size for one in fitting) else named.units
        return Form((Axis(TIME), Axis(label, sizes.pop() if len(sizes) == 1 else None)))

    def close(self, word: str, more: Iterable[str] = ()) -> str:
        """ " Did you mean h or c?", or "" where nothing comes near `word`."""
        having = [name for name, named in self.named.items() if not self.missing(named, "")]
        names = [*having, *sorted(self.known_metrics), *NUMBERS, *COMPARED_ONLY, *more]
        near = difflib.get_close_matches(word, names, n=3, cutoff=0.7) if len(word) > 2 else []
        near += [name for name in names if name.lower() == word.lower() and name not in near]
        if not near and len(word) > 2:
            near = [name for name in having if word.lower() in self.words(self.named[name]).split()][:3]
        return did_you_mean(near)


def named_of(cells: Iterable[Cell]) -> dict[str, NamedQuantity]:
    """`named_quantities`, with what users' own cells among `cells` have beside."""
    known, more = named_quantities(), dict[str, NamedQuantity]()
    for cell in cells:
        if cell.recorded:
            own = quantities(cell).values()
            more |= {one.name: _named([(OWN.name, one)]) for one in own if one.name not in known}
    return known | more if more else known


def split_layer(name: str, having: dict[str, NamedQuantity] | None = None) -> tuple[NamedQuantity, str] | None:
    """The quantity called `name` and its layer, ("h", "l1") for h_l1, ("h", "decoder.l1") for h_decoder_l1, layer ""
    where none is named; None: no such. `having`: those there are, by default of all cells whose equations are
    known."""
    known = named_quantities() if having is None else having
    if name in known:
        return known[name], ""
    for pattern in (_LAYER, _CALLED):
        match = pattern.fullmatch(name)
        if match and match["name"] in known and known[match["name"]].layered:
            call = f"{match['call']}." if pattern is _CALLED and match["call"] != ENCODER else ""
            return known[match["name"]], f"{call}{match['layer']}"
    return None


def layered_name(name: str, layer: str) -> str:
    """A quantity of one layer as it is written: "h_l1", "h_decoder_l1"."""
    return f"{name}_{layer.replace('.', '_')}"


@lru_cache(maxsize=256)
def model_word(name: str) -> str:
    """A model's name as a bare word: "LSTM, forget bias 3" is lstm_forget_bias_3, "2 layers" is model_2_layers."""
    word = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name).casefold()).strip("_")
    return word if word.isidentifier() and not keyword.iskeyword(word) else f"model_{word}"


def no_such(named: NamedQuantity, cell: str) -> str:
    """ "The vanilla cell has no forget gate f; lstm and peephole_lstm have it." """
    having = named.cells or ()
    return f"The {cell} cell has no {named.words} {named.name}; {listed(having)} {'have' if having[1:] else 'has'} it."


def has(structure: Structure, named: NamedQuantity) -> bool:
    """Whether the cell of `structure` has this quantity."""
    return named.cells is None or named.name in quantities(structure.equations)


def did_you_mean(near: Iterable[str]) -> str:
    words = " or ".join(near)
    return f"{GUESS}{words}?" if words else ""


def _units(structure: Structure, units: str, layer: str) -> int | None:
    if units == "H":
        return structure.hidden_size
    if units == "P":
        return structure.output_size
    if units == "I" and (layer or structure.num_layers == 1):
        return structure.layer_input_size(layer or "l0")
    return None

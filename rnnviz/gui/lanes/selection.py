"""Which lanes a state shows: what each task and cell offers, what is on by default, and what a person switched."""

from dataclasses import dataclass

from rnnviz.core.structure import CellName
from rnnviz.gui.lanes.shown import Shown, resolve
from rnnviz.gui.store import State

GATES: dict[CellName, tuple[str, ...]] = {"vanilla": (), "lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}
GATE_WORDS = {
    "i": "input gate",
    "f": "forget gate",
    "g": "candidate",
    "o": "output gate",
    "r": "reset gate",
    "z": "update gate",
    "n": "new state",
}
_MEMORY_GATES = ("f", "z")  # on by default: they say how much is kept


@dataclass(frozen=True)
class LaneChoice:
    """A kind of lane a person may switch; `words` for the menu."""

    key: str
    words: str
    default: bool  # on unless switched
    on: bool


@dataclass(frozen=True)
class LanePlace:
    """One lane of the stack; `model` is an index into `Shown.models`, None for what all models share."""

    key: str
    model: int | None = None


def lane_choices(state: State) -> tuple[LaneChoice, ...]:
    """Every kind of lane that `state` could show, in the order of the stack."""
    return _choices(resolve(state))


def toggled(hidden_lanes: frozenset[str], choice: LaneChoice) -> frozenset[str]:
    """`State.hidden_lanes` with this lane switched over.

    A key in the set switches a lane off; "+" before a key switches one on that is off by default.
    """
    return hidden_lanes ^ {_switch(choice.key, choice.default)}


def _switch(key: str, default: bool) -> str:
    return key if default else f"+{key}"


def lane_places(shown: Shown) -> tuple[LanePlace, ...]:
    """The lanes to draw, top to bottom."""
    on = {choice.key for choice in _choices(shown) if choice.on}
    places = [LanePlace("input")] if "input" in on else []
    places.append(LanePlace("ruler"))
    by_class = shown.task is not None and shown.task.output_kind == "classes"
    for index, model in enumerate(shown.models):
        keys = ["chain", "hidden", "cell", *(f"gates: {letter}" for letter in GATES[model.structure.cell])]
        if by_class:
            keys.append("prediction")
        for key in keys:
            if key in on and (key != "cell" or model.structure.cell == "lstm"):
                places.append(LanePlace(key, index))
    shared = ("loss", "gradient", "share") if by_class else ("prediction", "loss", "gradient", "share")
    places.extend(LanePlace(key) for key in shared if key in on)
    return tuple(places)


def _choices(shown: Shown) -> tuple[LaneChoice, ...]:
    offered: list[tuple[str, str, bool]] = [
        ("input", "Input", True),
        ("chain", "Unrolled cells", True),
        ("hidden", "Hidden state", True),
    ]
    cells = [model.structure.cell for model in shown.models]
    if "lstm" in cells:
        offered.append(("cell", "Cell state", True))
    letters = dict.fromkeys(letter for cell in cells for letter in GATES[cell])
    offered += [(f"gates: {x}", GATE_WORDS[x].capitalize(), x in _MEMORY_GATES) for x in letters]
    often = int(shown.asked.sum()) > 1
    if shown.task is not None and shown.task.output_kind != "none":
        offered += [("prediction", "Prediction", often), ("loss", "Loss of each time step", often)]
    offered += [("gradient", "Gradient magnitude", True), ("share", "Weight-gradient shares", False)]
    return tuple(
        LaneChoice(key, words, default, default != (_switch(key, default) in shown.switched))
        for key, words, default in offered
    )

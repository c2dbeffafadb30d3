"""Which lanes a state shows: what each task and cell offers, what is on by default, and what a person switched."""

from dataclasses import dataclass
from typing import Literal

from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Node
from rnnviz.gui.canvas.lanes.shown import Shown, resolve
from rnnviz.gui.state.state import State

_MEMORY = "forget"  # gates of this family are on by default: they say how much is kept
_MOST_OUTPUTS = 12  # predicted columns that can be chosen
ROOMY = {"prediction": 0.5, "loss": 0.15}  # how far beyond its minimum height the canvas must reach for them
_FIRST = 0.0  # for every other lane that comes when there is room

Default = bool | Literal["room"]


@dataclass(frozen=True)
class LaneChoice:
    """A kind of lane a person may switch; `words` for the menu."""

    key: str
    words: str
    default: Default  # on unless switched; "room": on when the canvas is high enough
    on: bool

    @property
    def room(self) -> float:
        """How much height all lanes must have for this one to come by itself: 0 their least, 1 what they like."""
        return ROOMY.get(self.key, _FIRST)


@dataclass(frozen=True)
class LaneSlot:
    """One lane of the stack; `model` is an index into `Shown.models`, None for what all models share.

    `column` is the input or output column it shows, None where it shows them all.
    """

    key: str
    model: int | None = None
    column: int | None = None


def lane_choices(state: State) -> tuple[LaneChoice, ...]:
    """Every kind of lane that `state` could show, in the order of the stack."""
    return choices(resolve(state))


def toggled(hidden_lanes: frozenset[str], choice: LaneChoice) -> frozenset[str]:
    """`State.look.hidden_lanes` with this lane switched over.

    A key in the set switches a lane off; "+" before a key switches one on that is off, or has no room, by default.
    """
    rest = hidden_lanes - {choice.key, f"+{choice.key}"}
    if choice.on:
        return rest | {choice.key} if choice.default else rest
    return rest | {f"+{choice.key}"} if choice.default is not True else rest


def exactly(state: State, keys: frozenset[str]) -> frozenset[str]:
    """The `State.look.hidden_lanes` that shows the lanes of `keys` and no others, however high the canvas is."""
    return frozenset(f"+{choice.key}" if choice.key in keys else choice.key for choice in lane_choices(state))


def lane_slots(shown: Shown) -> tuple[LaneSlot, ...]:
    """The lanes to draw, top to bottom."""
    offered = choices(shown)
    on = {choice.key for choice in offered if choice.on}
    slots = [LaneSlot("input", None, column) for column in shown.input_columns] if "input" in on else []
    slots.append(LaneSlot("ruler"))
    by_class = shown.task is not None and shown.task.output_kind == "classes"
    for index, model in enumerate(shown.models):
        cell = model.structure.equations
        keys = [
            "chain",
            *(state_lane(state) for state in states(cell)),
            *(f"gates: {gate.name}" for gate in cell.gates),
        ]
        keys += [f"gradients: {state.name}" for state in states(cell)]
        if by_class:
            keys.append("prediction")
        slots += [LaneSlot(key, index) for key in keys if key in on]
    if not by_class:
        outputs = [choice.key for choice in offered if choice.key.startswith("prediction")]
        slots += [LaneSlot(key, None, column) for column, key in enumerate(outputs) if key in on]
    slots.extend(LaneSlot(key) for key in ("loss", "gradient", "share") if key in on)
    return tuple(slots)


def choices(shown: Shown) -> tuple[LaneChoice, ...]:
    """Every kind of lane for what is shown, in the order of the stack."""
    offered: list[tuple[str, str, Default]] = [
        ("input", "Input", True),
        ("chain", "Unrolled cells", True),
    ]
    cells = [model.structure.equations for model in shown.models]
    having = {state.name: state for cell in cells for state in states(cell)}.values()
    offered += [(state_lane(state), state.words.capitalize(), True) for state in having]
    gates = {gate.name: gate for cell in cells for gate in cell.gates}.values()
    offered += [(f"gates: {gate.name}", gate.words.capitalize(), gate.family == _MEMORY) for gate in gates]
    offered += [
        (f"gradients: {state.name}", f"{gradient_words(state).capitalize()} of each unit", False) for state in having
    ]
    offered += _outputs(shown)
    offered += [("gradient", "Gradient magnitude", True), ("share", "Weight-gradient shares", False)]
    return tuple(LaneChoice(key, words, default, _is_on(shown, key, default)) for key, words, default in offered)


def states(cell: Cell) -> tuple[Node, ...]:
    """The states that have lanes."""
    return tuple(cell.node(state) for state in cell.states)


def state_lane(state: Node) -> str:
    """The key of the lane that shows a state: "hidden", "cell"."""
    return state.words.removesuffix(" state")


def gradient_words(state: Node) -> str:
    """ "hidden gradient", "cell gradient"."""
    return f"{state_lane(state)} gradient"


def _outputs(shown: Shown) -> list[tuple[str, str, Default]]:
    """Prediction and loss: a class asked once has its lanes where there is room, values are always compared."""
    task = shown.task
    if task is None or task.output_kind == "none":
        return []
    often = int(shown.asked.sum()) > 1
    loss: Default = "room" if often else False
    if task.output_kind == "classes":
        return [("prediction", "Prediction", True if often else "room"), ("loss", "Loss of each time step", loss)]
    names = task.output_labels[:_MOST_OUTPUTS]
    first = f"Prediction of {names[0]}" if len(names) > 1 else "Prediction"
    others: list[tuple[str, str, Default]] = [
        (f"prediction: {name}", f"Prediction of {name}", "room") for name in names[1:]
    ]
    return [("prediction", first, True), *others, ("loss", "Loss of each time step", loss)]


def _is_on(shown: Shown, key: str, default: Default) -> bool:
    if key in shown.switched or f"+{key}" in shown.switched:
        return key not in shown.switched
    return key in shown.fitting if default == "room" else bool(default)

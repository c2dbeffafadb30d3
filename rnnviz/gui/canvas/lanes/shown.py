"""What the lanes draw, resolved once from the state: the models with their traces, colours and shared levels."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.node import Node, Role
from rnnviz.core.structure import LayerId
from rnnviz.core.sweeps.capture import CaptureKind
from rnnviz.core.sweeps.cuts import Cuts
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.canvas.items.chain import Sweep
from rnnviz.gui.canvas.items.pictures import Tiles
from rnnviz.gui.canvas.items.stage_names import StageStretch
from rnnviz.gui.canvas.lanes.letters import Letters, letters_of
from rnnviz.gui.canvas.lanes.rests import Rest, kept_away, padding
from rnnviz.gui.canvas.lanes.row import stages_of
from rnnviz.gui.canvas.lanes.shown_model import ShownModel
from rnnviz.gui.look.color_maps import beyond_one, knee_at_one
from rnnviz.gui.look.theme import Theme, model_dashes, theme
from rnnviz.gui.state.state import State

__all__ = ["Shown", "ShownModel", "level", "resolve", "round_up"]

_MOST_INPUT_LANES = 4  # more columns are drawn as one heat map
_OF_TRACES = (  # what the cursor does not change
    "inputs", "letters", "pictures", "stages", "input_columns", "targets", "asked", "cuts", "_levels",
    "_held", "highest_gradient",
)  # fmt: skip
_FAR = 30.0  # times what is usual in a model: beyond, a linear range shows it as nothing
_NICE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)


@dataclass(frozen=True, eq=False)
class Shown:
    """Everything the lanes look at. Two models share every level, so that what looks larger is larger."""

    theme: Theme
    task: TaskInfo | None
    models: tuple[ShownModel, ...]
    sample: int  # of the probe; a model's trace is read at its own `ShownModel.sample`: a what-if has one sequence
    time_steps: int
    longest: int  # time steps of the longest sequence there is: those of the axis
    cursor: Cursor
    switched: frozenset[str]  # State.look.hidden_lanes
    fitting: frozenset[str]  # State.look.fitting_lanes
    kind: CaptureKind = "probe"  # whose sequence it is
    windowed: bool = False  # whether training goes along windows of one long sequence

    @property
    def ready(self) -> bool:
        """Whether there is anything to draw."""
        return self.task is not None and any(model.trace is not None for model in self.models)

    @cached_property
    def inputs(self) -> Array:
        """(T, I) the sequence all models read."""
        model = self._any_model
        if model is None or model.sequence is None:
            return np.zeros((0, 0))
        return model.sequence.layers[0].x[: self.time_steps, 0]

    @cached_property
    def letters(self) -> tuple[Letters | None, ...]:
        """Of each model what it reads; None without a trace, and for a task that reads no symbols."""
        task = self.task if self.task is not None and self.task.input_kind == "symbols" else None
        return tuple(
            None if task is None or model.sequence is None else letters_of(model.sequence, task)
            for model in self.models
        )

    @cached_property
    def input_columns(self) -> tuple[int | None, ...]:
        """Columns that get an input lane each; (None,) where one lane shows the whole input."""
        if self.task is None or self.task.input_kind == "symbols":
            return (None,)
        drawn = [k for k in range(self.inputs.shape[1]) if not self.is_marker(k)]
        return tuple(drawn) if 1 < len(drawn) <= _MOST_INPUT_LANES else (None,)

    def is_marker(self, column: int) -> bool:
        """Whether an input column beside others holds zeros and ones only."""
        return self.inputs.shape[1] > 1 and bool(np.isin(self.inputs[:, column], (0.0, 1.0)).all())

    @cached_property
    def targets(self) -> Array | None:
        """(T,) class numbers or (T, V) values, None without a head."""
        model = self._any_model
        if model is None or model.head is None:
            return None
        head = model.head
        classes = head.classes if self.task is not None and self.task.output_kind == "classes" else None
        return (head.targets if classes is None else classes)[: self.time_steps, 0]

    @cached_property
    def asked(self) -> Array:
        """(T,) bool: the time steps that have a loss."""
        model = self._any_model
        if model is None or model.sequence is None or model.sequence.head is None:
            return np.zeros(self.time_steps, bool)
        return np.asarray(model.sequence.head.loss_weight[: self.time_steps, 0] > 0)

    @cached_property
    def pictures(self) -> Tiles | None:
        """The inputs as pictures, of a model without a convolution, if there is one; None: they are none."""
        if self.task is None or self.task.picture is None:
            return None
        rows, columns = self.task.picture
        read = [model.sequence.layers[0].x[: self.time_steps, 0] for model in self.models if model.sequence is not None]
        plain = [inputs for inputs in read if inputs.shape[1] == rows * columns]
        found = (plain or read)[-1:]
        return Tiles(found[0], self.task.picture) if found and found[0].size else None

    @property
    def embeds(self) -> bool:
        """Whether a model reads rows of an embedding."""
        sequences = [model.sequence for model in self.models if model.sequence is not None]
        return any(call.call.embedding is not None for sequence in sequences for call in sequence.calls)

    @cached_property
    def stages(self) -> tuple[StageStretch, ...]:
        """The stretches of the axis; () where there is one stage."""
        model = self._any_model
        if model is None or model.sequence is None or len(model.sequence.calls) == 1:
            return ()
        return stages_of(model.sequence)

    @cached_property
    def cuts(self) -> Cuts:
        """Where truncation cuts the gradient of the sequence, of all models alike."""
        model = self._any_model
        if model is None or model.trace is None or not any(one.carries for one in self.models):
            return Cuts()
        return model.trace.cuts(model.sample)

    @cached_property
    def rests(self) -> tuple[Rest, ...]:
        """Where no lane has anything."""
        return tuple(padding(self.sample, self.time_steps, self.longest))

    @cached_property
    def kept_away(self) -> tuple[Rest, ...]:
        """Where a lane of gradients has nothing, since it is cut."""
        return tuple(kept_away(self.cuts))

    @cached_property
    def window(self) -> tuple[range, range]:
        """The time steps that the last window reads again, and its new ones; empty where training goes along none."""
        asked = np.flatnonzero(self.asked) + 1
        if not self.windowed or not asked.size:
            return range(0), range(0)
        first = int(asked[0])
        return range(max(self.cuts.edges[-1:], default=0) + 1, first), range(first, self.time_steps + 1)

    @property
    def asked_often(self) -> bool:
        """Whether more than one time step has a loss."""
        return int(self.asked.sum()) > 1

    def state_level(self, name: str) -> float:
        """The largest of all models in which neither tanh nor σ holds the state, or something got around them; 1 where
        they hold it in all."""
        return self._levels_of(name, "state")[0]

    def state_knee(self, name: str) -> float:
        """Beyond it the colours of the state are logarithmic, because one model would take the others theirs; 0: they
        are linear."""
        return self._levels_of(name, "state")[1]

    def gate_level(self, name: str) -> float:
        """The level of a gate or candidate."""
        return self._levels_of(name, "gate")[0]

    def gate_knee(self, name: str) -> float:
        """The knee of a gate or candidate."""
        return self._levels_of(name, "gate")[1]

    def held(self, name: str) -> bool:
        """Whether a state stays within what tanh and σ would hold it in: the convex mix of a GRU goes on with a first
        state beyond it, which a bridge or a what-if may give."""
        if name not in self._held:
            bounded = [model for model, node in self._having(name, "state") if node.limits and model.base is None]
            self._held[name] = not any(beyond_one(model.state(name)) for model in bounded)
        return self._held[name]

    def _levels_of(self, name: str, role: Role) -> tuple[float, float]:
        key = name, role
        if key not in self._levels:
            every = role == "state" and not self.held(name)
            free = [model for model, node in self._having(name, role) if every or node.limits is None]
            arrays = [getattr(model, role)(name) for model in free if model.base is None]
            high = level(arrays)
            bend = knee_at_one(high) if every else knee(arrays)
            self._levels[key] = high, bend
        return self._levels[key]

    def _having(self, name: str, role: Role) -> list[tuple[ShownModel, Node]]:
        """The models whose cell has such a node, each with its own."""
        having = [(model, model.structure.equations.by_name.get(name)) for model in self.models]
        return [(model, node) for model, node in having if node is not None and node.role == role]

    @cached_property
    def _levels(self) -> dict[tuple[str, Role], tuple[float, float]]:
        return {}

    @cached_property
    def _held(self) -> dict[str, bool]:
        return {}

    @cached_property
    def highest_gradient(self) -> float:
        """log₁₀ of the largest gradient magnitude of all models; 0 where none is finite."""
        finite = [m.log_gradient[np.isfinite(m.log_gradient)] for m in self.models]
        return max((float(part.max()) for part in finite if part.size), default=0.0)

    @cached_property
    def sweep(self) -> Sweep:
        """How far the cursor's sweep has come."""
        last, first = self.time_steps, 1
        if self.cursor.phase not in (Phase.FORWARD, Phase.LOSS):
            first += self.cuts.beyond  # where the backward sweep ends
        t = min(max(self.cursor.time_step, 1), last)
        before, after = range(first, t), range(t + 1, last + 1)
        if LayerId.read(self.cursor.layer).reverse:  # which goes through the sequence from its end
            before, after = after, before
        match self.cursor.phase:
            case Phase.FORWARD:
                return Sweep(t, False, before)
            case Phase.LOSS:
                return Sweep(t, False, range(1, last + 1))
            case Phase.BACKWARD:
                return Sweep(t, True, after)
            case _:
                return Sweep(t, True, range(first, last + 1))

    def at(self, cursor: Cursor) -> "Shown":
        """The same pictures with the cursor elsewhere."""
        moved = replace(self, cursor=cursor)
        for name in _OF_TRACES:
            if name in self.__dict__:
                moved.__dict__[name] = self.__dict__[name]
        return moved

    @property
    def _any_model(self) -> ShownModel | None:
        """The last one that has a trace: a what-if may read another input."""
        return next((model for model in reversed(self.models) if model.trace is not None), None)


def resolve(state: State) -> Shown:
    """What the lanes draw of `state`; a sequence number beyond the probe shows its last sequence."""
    colors = theme(state.look.theme)
    traces = state.recorded.traces + (None,) * (len(state.run.models) - len(state.recorded.traces))
    first = next((trace for trace in traces if trace is not None), None)
    sample = min(state.place.sample, first.sequences - 1) if first is not None else 0
    lengths = (1,) if first is None else [max(first.sequence_length(n), 1) for n in range(first.sequences)]
    time_steps, longest = lengths[sample], max(lengths)
    cells = [model.structure.cell for model in state.run.models]
    looks = zip(colors.model_colors(cells), model_dashes(cells), strict=True)
    models = []
    for model, (hue, dash), trace in zip(state.run.models, looks, traces, strict=False):
        names = model.network.layer_names
        layer_name = state.place.cursor.layer if state.place.cursor.layer in names else names[0]
        models.append(
            ShownModel(
                model.number,
                model.name,
                hue,
                model.network,
                layer_name,
                trace,
                sample,
                time_steps,
                dash,
                asking=dict(state.recorded.asking).get(model.number, ""),
            )
        )
    models = _what_if(state, models, colors) or models
    experiment = state.run.experiment
    windowed = experiment is not None and experiment.training.truncation == "windows"
    return Shown(
        colors,
        state.run.task,
        tuple(models),
        sample,
        time_steps,
        longest,
        state.place.cursor,
        state.look.hidden_lanes,
        state.look.fitting_lanes,
        state.place.kind,
        windowed,
    )


def _what_if(state: State, models: list[ShownModel], colors: Theme) -> list[ShownModel]:
    """The sequence as it was, or as a variant has it, and what the interventions make of it; [] for history."""
    found = state.what_if
    if found is None or found.changed is None or found.whatif.model >= len(models):
        return []
    original = replace(models[found.whatif.model], trace=found.original, sample=0)
    if found.against:
        original = replace(original, name=f"{original.name}, {found.against}")
    name = f"{models[found.whatif.model].name}, what-if"
    changed = replace(original, name=name, color=colors.color("what_if"), dash=(), trace=found.changed)
    return [original, replace(changed, base=original if state.trial.difference else None)]


def level(arrays: list[Array]) -> float:
    """The end of a symmetric range that holds all finite values, rounded up so that it seldom changes; at least 1."""
    largest = 1.0
    for array in arrays:
        finite = array[np.isfinite(array)] if array.size else array
        if finite.size:
            largest = max(largest, float(np.abs(finite).max()))
    return round_up(largest)


def knee(arrays: list[Array]) -> float:
    """Where a range that holds (T, U) `arrays` of several models turns logarithmic: at what is usual in the calmest of
    them, if the largest value is far beyond; 0 where it stays linear."""
    usual = min((_usual(array) for array in arrays if array.size), default=1.0)
    return round_up(usual) if level(arrays) > _FAR * usual else 0.0


def round_up(value: float) -> float:
    """The next number above `value` > 0 that is easily read: 1.2, 1.5, 2, 2.5, 3, …, at any power of ten."""
    with np.errstate(over="ignore"):
        size = np.float64(10.0) ** np.floor(np.log10(value))
        found = next((n * size for n in _NICE if n * size >= value * (1 - 1e-9)), value)
    return float(f"{found:.3g}") if np.isfinite(found) else value


def _usual(values: Array) -> float:
    """Of a model's (T, U) values the largest of each time step, and of these the one in the middle; 1 at least."""
    sizes = np.abs(values).max(axis=1)
    sizes = sizes[np.isfinite(sizes)]
    return max(float(np.median(sizes)), 1.0) if sizes.size else 1.0

"""Places: where a person is in a run, and the functions that alone change that, pure and without a window.

Each takes a place and gives one; the very same one where nothing changes. What they have to know of the run comes in
as a `Walkable`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rnnviz.core.equations.around import PLAIN, CallForm, around
from rnnviz.core.network import Network
from rnnviz.core.stopping.marks import Bookmark
from rnnviz.core.structure import LayerId
from rnnviz.core.sweeps.capture import KIND_WORDS, CaptureKind
from rnnviz.debugger.bookmarks import bookmarked
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.program import Program
from rnnviz.debugger.rows import Ends, rows_of, spoken, stretches
from rnnviz.debugger.walking import Jump, Walk

if TYPE_CHECKING:
    from rnnviz.core.optimising.update import UpdateRule
    from rnnviz.core.sweeps.capture import HeadKind
    from rnnviz.core.sweeps.cuts import Cuts
    from rnnviz.core.sweeps.trace import Trace
    from rnnviz.debugger.phase_operations import AnyOperation

NO_UNIT = -1


@dataclass(frozen=True)
class Place:
    """Where a person is: the cursor in the traces shown, and which sequence, model and unit they look at.

    `cursor.training_step` is that of the traces shown. `wanted` is the training step that was asked for: it is on its
    way, or, where it was not kept, the nearest one is shown for it until that is left.
    """

    cursor: Cursor = field(default=Cursor(0, Phase.FORWARD, 1))
    kind: CaptureKind = "probe"  # whose sequences the traces shown are of: the probe's or a training batch's
    sample: int = 0  # which of these sequences, 0-based
    model: int = 0  # index of the model that is stepped through and whose equations are shown
    unit: int = NO_UNIT  # 0-based
    parameter: str = ""  # whose update is looked at: "weight_hh_l0", "head.weight"; "": the layer's leading matrix
    following: bool = True  # the newest capture is shown; False: the person looks at an earlier one
    wanted: int | None = None  # None: the newest, or none but the one shown
    trail: tuple[Jump, ...] = ()  # jumps of the debugger's commands that can be taken back

    @property
    def training_step(self) -> int:
        """The one that is meant: asked for or, where none was, shown."""
        return self.cursor.training_step if self.wanted is None else self.wanted

    @property
    def walk(self) -> Walk:
        """The walk that a command of the debugger goes on with."""
        return Walk(self.cursor, self.trail)


@dataclass(frozen=True)
class Walkable:
    """What there is to walk through, as far as it is known."""

    networks: tuple[Network, ...] = ()  # of each model
    lengths: tuple[int, ...] = ()  # time steps of each sequence of the traces shown; () while there is no trace
    captured: Sequence[int] = ()  # training steps that can be shown, ascending
    heads: "tuple[HeadKind | None, ...]" = ()  # of each model; None: it has none, or its trace is not there
    loss_time_steps: tuple[int, ...] = ()  # of each sequence, the last one with a loss; 0: none is known
    rule: "UpdateRule | None" = None  # of its updates; None: it is not trained
    stretches: tuple[tuple[Ends, ...], ...] = ()  # of each sequence, by stage; () where there is one stage
    batch_size: int = 0  # of the training batch whose first sequences are shown; 0: it is none
    cuts: "tuple[Cuts, ...]" = ()  # of each sequence
    forms: tuple[tuple[CallForm, ...], ...] = ()  # of each model, by stage; () where its trace is not there

    @staticmethod
    def of(
        networks: Iterable[Network],
        traces: "Sequence[Trace | None]",
        captured: Sequence[int] = (),
        rule: "UpdateRule | None" = None,
    ) -> "Walkable":
        """What models of these networks, their traces shown (None: not rebuilt) and the captured steps offer."""
        having = [trace for trace in traces if trace is not None]
        known = tuple(networks) or tuple(trace.network for trace in having)
        samples = range(having[0].sequences if having else 0)
        apart = next((trace for trace in having if len(trace.calls) > 1), None)
        found = tuple(stretches(apart, sample) for sample in samples) if apart is not None else ()
        lengths = [max(stop for _, stop in one) for one in found]
        lengths = lengths or [having[0].sequence_length(sample) for sample in samples]
        heads = [None if trace is None else trace.head for trace in traces]
        kinds = tuple(None if head is None else head.kind for head in heads)
        asking = next((trace for trace, head in zip(traces, heads, strict=True) if trace and head), None)
        last = tuple(asking.loss_time_step(sample) for sample in range(len(lengths))) if asking is not None else ()
        size = having[0].batch_size if having else 0
        cuts = tuple(having[0].cuts(sample) for sample in range(len(lengths))) if having else ()
        forms = tuple(() if trace is None else tuple(CallForm.of(one.call) for one in trace.calls) for trace in traces)
        return Walkable(known, tuple(lengths), captured, kinds, last, rule, found, size, cuts, forms)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The layers of all models, those of the encoder first, of each the deepest last."""
        stages = list(dict.fromkeys(stage.name for network in self.networks for stage in network.stages))

        def place(layer: LayerId) -> tuple[int, int, bool]:
            return stages.index(layer.call), layer.depth, layer.reverse

        layers = {layer for network in self.networks for layer in network.layer_ids}
        return tuple(layer.text for layer in sorted(layers, key=place))

    def words(self, layer: str) -> str:
        """What a layer is called: "layer 1", of an encoder–decoder "encoder, layer 1"."""
        own = next((network for network in self.networks if layer in network.layer_names), None)
        return LayerId.read(layer).words if own is None else own.words(layer)

    def time_steps(self, sample: int) -> int:
        """T of a sequence; 1 while there is no trace."""
        return self.lengths[min(sample, len(self.lengths) - 1)] if self.lengths else 1

    def sequence_words(self, place: Place) -> str:
        """Which sequence is looked at: "sequence 2 of 4", "training batch, sequence 2 of 32"; "": the only one."""
        number = min(place.sample, max(len(self.lengths) - 1, 0)) + 1
        if self.batch_size:
            return f"{KIND_WORDS['batch']}, sequence {number} of {self.batch_size}"
        return f"sequence {number} of {len(self.lengths)}" if len(self.lengths) > 1 else ""

    def batch_words(self, training_step: int) -> str:
        """Which training batch is shown, and which part of it is there; "": none is."""
        if not self.batch_size:
            return ""
        said = f"the training batch whose gradient makes training step {training_step + 1:,} of {training_step:,}"
        part = "" if len(self.lengths) == self.batch_size else f"the first {len(self.lengths)} of {self.batch_size} in "
        return f"{part}{said}, with the weights before that update"

    def cuts_in(self, sample: int) -> "Cuts | None":
        """Where truncation cuts the gradient of a sequence; None while there is no trace."""
        return self.cuts[min(sample, len(self.cuts) - 1)] if self.cuts else None

    def program(self, place: Place) -> Program:
        """The program of the model that is stepped through; of one time step while there is no trace."""
        if not self.lengths:
            return Program(1)
        from rnnviz.debugger.phase_operations import phase_keys  # late: the window starts without a trace

        network, head = self._walked(place)
        structure = network.stages[-1].structure
        keys = {phase: phase_keys(structure, head, self.rule, phase) for phase in (Phase.LOSS, Phase.UPDATE)}
        last = self.loss_time_steps[min(place.sample, len(self.lengths) - 1)] if self.loss_time_steps else 0
        time_steps = self.time_steps(place.sample)
        apart = network.several and self.stretches
        found = self.stretches[min(place.sample, len(self.stretches) - 1)] if apart else ()
        return Program(
            time_steps,
            rows_of(network, time_steps, found, self._forms(place)),
            self.captured,
            keys[Phase.LOSS],
            keys[Phase.UPDATE],
            last,
            spoken(network, self._forms(place)),
            0 if (cuts := self.cuts_in(place.sample)) is None else cuts.beyond,
        )

    def operations(self, place: Place, phase: Phase | None = None, parameter: str = "W") -> "tuple[AnyOperation, ...]":
        """The operations of a phase (None: that of the cursor) of the model that is stepped through, in the order it
        goes through them; `parameter` is the symbol of the one that an update is written for."""
        from rnnviz.debugger.phase_operations import phase_operations

        if not self.networks:
            return ()
        network, head = self._walked(place)
        phase, layer = phase or place.cursor.phase, place.cursor.layer
        if not phase.swept or layer not in network.layer_names:
            return phase_operations(network.stages[-1].structure, head, self.rule, phase, parameter)
        stage, forms = network.stage(layer), self._forms(place)
        number = network.stages.index(stage)
        beside = around(stage.structure, LayerId.read(layer), forms[number] if number < len(forms) else PLAIN)
        return phase_operations(stage.structure, head, self.rule, phase, parameter, beside)

    def operation(self, place: Place, parameter: str = "W") -> "AnyOperation | None":
        """The operation the cursor stands on; None: a whole time step or phase, or the model has no such operation."""
        key = place.cursor.operation
        having = self.operations(place, None, parameter) if key else ()
        return next((one for one in having if one.key == key), None)

    def _forms(self, place: Place) -> tuple[CallForm, ...]:
        """What stands around the cells of the model that is stepped through, by stage."""
        model = place.model if place.model < len(self.networks) else 0
        return self.forms[model] if model < len(self.forms) else ()

    def _walked(self, place: Place) -> "tuple[Network, HeadKind | None]":
        """Network and head of the model that is stepped through."""
        model = place.model if place.model < len(self.networks) else 0
        return self.networks[model], self.heads[model] if model < len(self.heads) else None


def begun(
    training_step: int = 0,
    layer: str = "l0",
    phase: Phase = Phase.FORWARD,
    time_step: int = 1,
    following: bool = True,
    kind: CaptureKind = "probe",
) -> Place:
    """Where a run that was just opened is looked at."""
    return Place(Cursor(training_step, phase, time_step, layer), kind, following=following)


# training steps


def asked(place: Place, training_step: int) -> Place:
    """Another training step was asked for: the newest is no longer followed."""
    if not place.following and place.wanted == training_step:
        return place
    return replace(place, following=False, wanted=training_step)


def followed(place: Place) -> Place:
    """The newest capture is followed again."""
    return place if place.following else replace(place, following=True, wanted=None)


def arrived(
    place: Place, walkable: Walkable, training_step: int, sample: int | None = None, kind: CaptureKind | None = None
) -> Place:
    """The traces of a training step are shown: phase and time step stay, as far as the sequence goes. `sample`: another
    sequence than so far is looked at in them. `kind`: of whose sequences they are."""
    if sample is not None and sample != place.sample:
        place = replace(place, sample=sample)
    if kind is not None and kind != place.kind:
        place = replace(place, kind=kind)
    return _stand(place, _fitting(place, walkable, replace(place.cursor, training_step=training_step)))


# points of the program


def to_point(place: Place, cursor: Cursor) -> Place:
    """Anywhere: a new walk begins there. Of another training step the point in the one shown, until it has arrived."""
    return walked(place, Walk(cursor))


def walked(place: Place, walk: Walk) -> Place:
    """Where a command of the debugger led, as `to_point`."""
    cursor = replace(walk.cursor, training_step=place.cursor.training_step)
    return (
        place
        if (cursor, walk.trail) == (place.cursor, place.trail)
        else replace(place, cursor=cursor, trail=walk.trail)
    )


def to_bookmark(place: Place, bookmark: Bookmark) -> Place:
    """Where a bookmark stands, as `to_point`."""
    return to_point(place, bookmarked(bookmark))


def to_time_step(place: Place, walkable: Walkable, time_step: int) -> Place:
    """A time step, held in 1…T, in the cursor's sweep."""
    return _stand(place, walkable.program(place).to_time_step(place.cursor, time_step))


def to_phase(place: Place, walkable: Walkable, phase: Phase | None, time_step: int | None) -> Place:
    """A whole time step of a phase; None: as it is."""
    program = walkable.program(place)
    held = _held(place.cursor.time_step if time_step is None else time_step, program.time_steps)
    phase = phase or place.cursor.phase
    if phase.swept:
        cursor = program.to_time_step(replace(place.cursor, phase=phase), held)
        return _stand(place, program.at(program.point(cursor), cursor))
    cursor = program.at(program.first_of(phase), place.cursor)
    answered = program.answered(held)
    return _stand(
        place, cursor if time_step is None or phase is not Phase.LOSS else replace(cursor, time_step=answered)
    )


def to_operation(place: Place, walkable: Walkable, phase: Phase, layer: str, operation: str) -> Place:
    """An operation, of a layer's cell, the loss or the update, at the time step where the cursor is, or the nearest one
    at which the layer exists."""
    cursor = walkable.program(place).to_layer(replace(place.cursor, phase=phase), layer)
    return _stand(place, replace(cursor, operation=operation))


def to_gradient(place: Place, layer: str, time_step: int, unit: int) -> Place:
    """One unit (0-based) of a layer in the backward sweep."""
    cursor = replace(place.cursor, phase=Phase.BACKWARD, layer=layer, time_step=time_step, operation="")
    return to_unit(_stand(place, cursor), unit)


def to_loss(place: Place, time_step: int) -> Place:
    """The loss of a time step."""
    return _stand(place, replace(place.cursor, phase=Phase.LOSS, time_step=time_step, operation=""))


# layers, models, sequences, units


def to_layer(place: Place, walkable: Walkable, layer: str) -> Place:
    """Another layer is looked at, in a sweep at the nearest time step at which it exists."""
    return _stand(place, walkable.program(place).to_layer(place.cursor, layer))


def by_layers(place: Place, walkable: Walkable, by: int) -> Place:
    """The layer `by` layers deeper; the last one stays."""
    names = walkable.layer_names
    if not names:
        return place
    index = names.index(place.cursor.layer) if place.cursor.layer in names else 0
    return to_layer(place, walkable, names[_held(index + by, len(names) - 1, 0)])


def to_model(place: Place, model: int, unit: int = NO_UNIT) -> Place:
    """Another model is stepped through; its operations are others, so a whole time step is."""
    if model == place.model:
        return to_unit(place, unit)
    return replace(_stand(place, replace(place.cursor, operation="")), model=model, unit=unit)


def to_next_model(place: Place, walkable: Walkable) -> Place:
    """The next model, round and round, at its first layer where it is not as deep."""
    model = (place.model + 1) % len(walkable.networks)
    names = walkable.networks[model].layer_names
    layer = place.cursor.layer if place.cursor.layer in names else names[0]
    moved = replace(_stand(place, replace(place.cursor, operation="")), model=model, unit=NO_UNIT)
    return to_layer(moved, walkable, layer)


def by_samples(place: Place, walkable: Walkable, by: int) -> Place:
    """The sequence `by` further, round and round; the cursor stays as far as the sequence goes."""
    if not walkable.lengths:
        return place
    sample = (place.sample + by) % len(walkable.lengths)
    if sample != place.sample:
        place = replace(place, sample=sample)
    return _stand(place, _fitting(place, walkable, place.cursor))


def to_unit(place: Place, unit: int) -> Place:
    """Another unit is looked at, 0-based; NO_UNIT: none."""
    return place if unit == place.unit else replace(place, unit=unit)


def to_parameter(place: Place, parameter: str) -> Place:
    """The update of another parameter is looked at; "": of the layer's leading matrix."""
    return place if parameter == place.parameter else replace(place, parameter=parameter)


# points that are not gone to


def run_target(place: Place, walkable: Walkable, time_step: int, direction: int) -> Cursor | None:
    """The nearest point ahead (1) or behind (−1) at `time_step` of the layer looked at; None where there is none."""
    program, here = walkable.program(place), replace(place.cursor, operation="")
    now = program.point(here)
    points = [program.to_time_step(replace(here, phase=phase), time_step) for phase in Phase if phase.swept]
    points = [point for point in points if point.time_step == time_step]  # the backward sweep ends at a cut
    found = [point for point in points if (program.point(point) - now) * direction > 0]
    return min(found, key=lambda point: abs(program.point(point) - now), default=None)


def _fitting(place: Place, walkable: Walkable, cursor: Cursor) -> Cursor:
    """The cursor as far as the sequence goes, in a sweep in a layer that exists there."""
    program = walkable.program(place)
    first = program.edge + 1 if cursor.phase is Phase.BACKWARD else 1
    held = _held(cursor.time_step, walkable.time_steps(place.sample), min(first, program.time_steps))
    if not cursor.phase.swept or cursor.layer not in program.layers:
        return replace(cursor, time_step=held)
    return program.to_time_step(cursor, held)


def _stand(place: Place, cursor: Cursor) -> Place:
    return place if cursor == place.cursor else replace(place, cursor=cursor)


def _held(number: int, last: int, first: int = 1) -> int:
    return min(max(number, first), last)

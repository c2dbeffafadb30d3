"""Commands that walk the program of one training step: the cursor's time step, phase, sequence and layer."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rnnviz.debugger.cursor import Cursor
from rnnviz.debugger.program import Program
from rnnviz.gui.commands.actions import Command
from rnnviz.gui.store import State, Store

MENU = "Debug"


def has_trace(state: State) -> bool:
    return any(trace is not None for trace in state.traces)


def sequences(state: State) -> int:
    """How many probe sequences the traces shown hold."""
    trace = next((trace for trace in state.traces if trace is not None), None)
    return trace.layers[0].x.shape[1] if trace is not None else 0


def layer_names(state: State) -> tuple[str, ...]:
    """The layers of all models, deepest last."""
    names = [name for model in state.models for name in model.structure.layer_names]
    return tuple(sorted(set(names)))


def walk(store: Store, move: Callable[[Program, Cursor], Cursor]) -> Callable[[], None]:
    """A command's action that moves the cursor as `move` says."""

    def run() -> None:
        state = store.state
        cursor = move(state.program, state.cursor)
        if cursor != state.cursor:
            store.update(cursor=cursor)

    return run


def show_time_step(store: Store, time_step: int) -> None:
    """The cursor goes to `time_step` (held in 1…T) in its sweep."""
    state = store.state
    cursor = state.program.to_time_step(state.cursor, time_step)
    if cursor != state.cursor:
        store.update(cursor=cursor)


def show_sequence(store: Store, by: int) -> None:
    """Shows the probe sequence `by` places further, round and round; the cursor stays as far as the sequence goes."""
    state = store.state
    count = sequences(state)
    if count:
        sample = (state.sample + by) % count
        changed = replace(state, sample=sample)
        time_step = min(state.cursor.time_step, changed.program.time_steps)
        store.update(sample=sample, cursor=replace(state.cursor, time_step=time_step))


def show_layer(store: Store, by: int) -> None:
    """Looks at the layer `by` places deeper; the last one stays."""
    state = store.state
    names = layer_names(state)
    if names:
        place = names.index(state.cursor.layer) if state.cursor.layer in names else 0
        layer = names[min(max(place + by, 0), len(names) - 1)]
        if layer != state.cursor.layer:
            store.update(cursor=replace(state.cursor, layer=layer))


def debug_commands(store: Store, ask_time_step: Callable[[], None]) -> Sequence[Command]:
    """The Debug menu, in its order. `ask_time_step` shows the field where a person types a time step."""

    def step(
        key: str, words: str, tooltip: str, keys: tuple[str, ...], icon: str, section: int, move: _Move
    ) -> Command:
        return Command(key, words, tooltip, walk(store, move), MENU, keys, icon, has_trace, section=section)

    return (
        step("step_forward", "Step forward", "one point further: the next time step of the sweep, the loss, the update",
             ("Right",), "step-forward", 0, Program.after),
        step("step_back", "Step back", "one point back", ("Left",), "step-back", 0, Program.before),
        step("phase_start", "Start of the phase", "to the first point of this phase, or of the one before",
             ("Home", "Ctrl+Left"), "phase-start", 1, Program.phase_start),
        step("phase_end", "End of the phase", "to the last point of this phase, or of the next",
             ("End", "Ctrl+Right"), "phase-end", 1, Program.phase_end),
        step("program_start", "Start of the training step", "to the forward sweep's first time step",
             ("Ctrl+Home",), "program-start", 1, lambda program, cursor: program.at(0, cursor)),
        step("program_end", "End of the training step", "to the update of the weights",
             ("Ctrl+End",), "program-end", 1, lambda program, cursor: program.at(len(program), cursor)),
        Command("jump", "Jump to time step …", "type where to go; a click in any lane goes there too",
                ask_time_step, MENU, ("T", "Ctrl+G"), "jump", has_trace, section=1),
        Command("next_sequence", "Next sequence", "show the next sequence of the probe",
                lambda: show_sequence(store, 1), MENU, ("]",), "", lambda state: sequences(state) > 1, section=2),
        Command("previous_sequence", "Previous sequence", "show the sequence of the probe before this one",
                lambda: show_sequence(store, -1), MENU, ("[",), "", lambda state: sequences(state) > 1, section=2),
        Command("layer_above", "Next layer", "look at the layer above, which reads this one",
                lambda: show_layer(store, 1), MENU, ("Up",), "arrow-up",
                lambda state: len(layer_names(state)) > 1, section=3),
        Command("layer_below", "Previous layer", "look at the layer below, which this one reads",
                lambda: show_layer(store, -1), MENU, ("Down",), "arrow-down",
                lambda state: len(layer_names(state)) > 1, section=3),
    )  # fmt: skip


_Move = Callable[[Program, Cursor], Cursor]

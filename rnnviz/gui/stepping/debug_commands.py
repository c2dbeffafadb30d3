"""Commands that walk the program of one training step: the cursor's time step, phase, sequence and layer."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rnnviz.debugger.walking import Command as Step
from rnnviz.gui.commands.actions import Command
from rnnviz.gui.state.store import State, Store
from rnnviz.gui.stepping.walker import Stepping

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


def show_model(store: Store) -> None:
    """Steps through the next model, round and round; an operation that it does not have is left."""
    state = store.state
    model = (state.model + 1) % len(state.models)
    names = state.models[model].structure.layer_names
    layer = state.cursor.layer if state.cursor.layer in names else names[0]
    store.update(model=model, unit=-1, cursor=replace(state.cursor, layer=layer, operation=""))


def debug_commands(store: Store, stepping: Stepping, ask_place: Callable[[], None]) -> Sequence[Command]:
    """The Debug menu, in its order. `ask_place` shows the field where a person types where to go."""

    def step(key: str, words: str, tooltip: str, keys: tuple[str, ...], icon: str, run: Callable[[], object],
             section: int = 1) -> Command:  # fmt: skip
        return Command(key, words, tooltip, run, MENU, keys, icon, has_trace, section=section)

    def take(command: Step, direction: int = 1, across: bool = False) -> Callable[[], object]:
        return lambda: stepping.step(command, direction, across=across)

    return (
        step("step_forward", "Step forward", "over one time step, or inside a time step over one operation",
             ("Right",), "step-forward", take(Step.OVER), 0),
        step("step_back", "Step back", "one point back, as far as a step forward goes",
             ("Left",), "step-back", take(Step.OVER, -1), 0),
        step("step_into", "Step into", "into the time step: the operations of its cell, one by one",
             ("I",), "step-into", take(Step.INTO), 0),
        step("step_into_back", "Step into, back", "the very point before this one, be it an operation or a time step",
             ("Shift+I",), "", take(Step.INTO, -1), 0),
        step("step_out", "Step out", "behind the time step, then behind its sweep, then to the next training step",
             ("O",), "step-out", take(Step.OUT, 1, True), 0),
        step("step_out_back", "Step out, back", "back to where it was stepped out of, else before this time step",
             ("Shift+O",), "", take(Step.OUT, -1, True), 0),
        step("phase_start", "Restart the phase", "to the first point of this phase, or of the one before",
             ("Home", "Ctrl+Left"), "phase-start", lambda: stepping.phase_edge(Step.RESTART_PHASE)),
        step("phase_start_back", "Take the restart back", "where the phase was restarted from, else its last point",
             ("Shift+Home",), "", take(Step.RESTART_PHASE, -1)),
        step("phase_end", "Run to the end of the phase", "to the last point of this phase, or of the next",
             ("End", "Ctrl+Right"), "phase-end", lambda: stepping.phase_edge(Step.PHASE_END)),
        step("phase_end_back", "Take the run back", "to where the run to the end of the phase began, else to its start",
             ("Shift+End",), "", take(Step.PHASE_END, -1)),
        step("program_start", "Start of the training step", "to the forward sweep's first time step",
             ("Ctrl+Home",), "program-start",
             lambda: stepping.jump(store.state.program.at(0, store.state.cursor))),
        step("program_end", "End of the training step", "to the update of the weights",
             ("Ctrl+End",), "program-end",
             lambda: stepping.jump(store.state.program.at(len(store.state.program), store.state.cursor))),
        Command("jump", "Go to …", "type a time step, or more: k=1200 b t=17 l1 o; a click in any lane goes there too",
                ask_place, MENU, ("T", "Ctrl+G"), "jump", has_trace, section=1),
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
        Command("next_model", "Next model", "step through the operations of the next model",
                lambda: show_model(store), MENU, ("M",), "",
                lambda state: has_trace(state) and len(state.models) > 1, section=3),
    )  # fmt: skip

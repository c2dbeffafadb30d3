"""Commands that walk the program of one training step: the cursor's time step, phase, sequence and layer."""

from collections.abc import Callable, Sequence

from rnnviz.debugger.places import by_layers, to_model, to_next_model, to_time_step
from rnnviz.debugger.walking import StepCommand
from rnnviz.gui.commands.actions import Command
from rnnviz.gui.commands.needs import has_trace, need
from rnnviz.gui.state.store import Store
from rnnviz.gui.stepping.walker import Walker

MENU = "Debug"


# The entries below the Debug menu's own.
RUN_TO, LOOK_AT, CONTINUE = "Run to", "Look at", "Continue"

_has_sequences = need(lambda state: len(state.walkable.lengths) > 1, "there is only one sequence")
_has_layers = need(lambda state: len(state.walkable.layer_names) > 1, "the model has only one layer")
_has_models = need(lambda state: len(state.run.models) > 1, "there is only one model")


def show_time_step(store: Store, time_step: int) -> None:
    """The cursor goes to `time_step` (held in 1…T) in its sweep."""
    store.go(to_time_step, store.state.walkable, time_step)


def show_moment(
    store: Store, show_training_step: Callable[[int], None], training_step: int, model: str, time_step: int
) -> None:
    """A training step, there the model of this name ("": as it is) and the time step (0: as it is)."""
    show_training_step(training_step)
    names = [one.name for one in store.state.run.models]
    if model in names:
        store.go(to_model, names.index(model), store.state.place.unit)
    if time_step:
        show_time_step(store, time_step)


def debug_commands(store: Store, walker: Walker, ask_place: Callable[[], None]) -> Sequence[Command]:
    """The Debug menu, in its order. `ask_place` shows the field where a person types where to go."""

    def step(key: str, words: str, tooltip: str, keys: tuple[str, ...], icon: str, run: Callable[[], object],
             submenu: str = "", part: int = 0) -> Command:  # fmt: skip
        section = 1 if submenu else 0
        return Command(key, words, tooltip, run, MENU, keys, icon, has_trace, None, None, section, submenu, part)

    def take(command: StepCommand, direction: int = 1, across: bool = False) -> Callable[[], object]:
        return lambda: walker.step(command, direction, across=across)

    return (
        step("step_forward", "Step forward", "over one time step, or inside a time step over one operation",
             ("Right",), "step-forward", take(StepCommand.OVER)),
        step("step_back", "Step back", "one point back, as far as a step forward goes",
             ("Left",), "step-back", take(StepCommand.OVER, -1)),
        step("step_into", "Step into", "into the time step, the loss or the update: its operations, one by one",
             ("I",), "step-into", take(StepCommand.INTO)),
        step("step_into_back", "Step into, back", "the very point before this one, be it an operation or a time step",
             ("Shift+I",), "", take(StepCommand.INTO, -1)),
        step("step_out", "Step out", "behind the time step, then behind its sweep, then to the next training step",
             ("O",), "step-out", take(StepCommand.OUT, 1, True)),
        step("step_out_back", "Step out, back", "back to where it was stepped out of, else before this time step",
             ("Shift+O",), "", take(StepCommand.OUT, -1, True)),
        Command("jump", "Go to …",
                "type a time step, or more: step 500 t 17 backward; a click in any lane goes there too",
                ask_place, MENU, ("T", "Ctrl+G"), "jump", has_trace, section=1),
        step("phase_start", "Restart the phase", "to the first point of this phase, or of the one before",
             ("Home", "Ctrl+Left"), "phase-start", lambda: walker.phase_edge(StepCommand.RESTART_PHASE),
             RUN_TO),
        step("phase_start_back", "Undo jump to start", "where the phase was restarted from, else its last point",
             ("Shift+Home",), "", take(StepCommand.RESTART_PHASE, -1), RUN_TO),
        step("phase_end", "Run to the end of the phase", "to the last point of this phase, or of the next",
             ("End", "Ctrl+Right"), "phase-end", lambda: walker.phase_edge(StepCommand.PHASE_END),
             RUN_TO),
        step("phase_end_back", "Undo run to end", "to where the run to the end of the phase began, else to its start",
             ("Shift+End",), "", take(StepCommand.PHASE_END, -1), RUN_TO),
        step("program_start", "Start of the training step", "to the forward sweep's first time step",
             ("Ctrl+Home",), "program-start",
             lambda: walker.jump(store.state.program.at(0, store.state.place.cursor)), RUN_TO, 1),
        step("program_end", "End of the training step", "to the update of the weights",
             ("Ctrl+End",), "program-end",
             lambda: walker.jump(store.state.program.at(len(store.state.program), store.state.place.cursor)),
             RUN_TO, 1),
        Command("next_sequence", "Next sequence", "show the next sequence of the probe or the training batch",
                lambda: walker.show_sequence(1), MENU, ("]",), "",
                _has_sequences, section=1, submenu=LOOK_AT),
        Command("previous_sequence", "Previous sequence", "show the sequence before this one",
                lambda: walker.show_sequence(-1), MENU, ("[",), "",
                _has_sequences, section=1, submenu=LOOK_AT),
        Command("layer_above", "Next layer", "look at the layer above, which reads this one",
                lambda: store.go(by_layers, store.state.walkable, 1), MENU, ("Up",), "arrow-up",
                _has_layers, section=1, submenu=LOOK_AT, part=1),
        Command("layer_below", "Previous layer", "look at the layer below, which this one reads",
                lambda: store.go(by_layers, store.state.walkable, -1), MENU, ("Down",), "arrow-down",
                _has_layers, section=1, submenu=LOOK_AT, part=1),
        Command("next_model", "Next model", "step through the operations of the next model",
                lambda: store.go(to_next_model, store.state.walkable), MENU, ("M",), "",
                has_trace & _has_models, section=1, submenu=LOOK_AT, part=2),
    )  # fmt: skip

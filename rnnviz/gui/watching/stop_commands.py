"""Commands about what was stopped for, which the message of the stop offers as buttons."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rnnviz.core.stopping.marks import Breakpoint, with_not_finite
from rnnviz.core.stopping.marks_file import shortened
from rnnviz.gui.commands.actions import Command
from rnnviz.gui.commands.needs import need
from rnnviz.gui.live.session import engine_lives, is_running
from rnnviz.gui.state.marks import with_breakpoints
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.window import STOP_COMMANDS, Stopped

MENU = "Debug"


def stop_told(state: State) -> Stopped | None:
    """What the message in the bar says it has stopped for; None where it says no such thing."""
    message = state.notices.message
    if message is None or message.stop is not None:
        return None if message is None else message.stop
    hits = [event for event in state.recorded.events if event.kind == "hit"]
    if message.commands != STOP_COMMANDS or not hits:
        return None
    met = next((event for event in reversed(hits) if message.sentence.startswith(event.sentence)), hits[-1])
    time_step, told = met.details.get("time_step", 0), met.details.get("breakpoint")
    return Stopped(
        met.training_step,
        str(met.details.get("model", "")),
        time_step if isinstance(time_step, int) and time_step > 0 else 0,
        told if isinstance(told, dict) else None,
    )


def breakpoint_told(state: State) -> Breakpoint | None:
    """The breakpoint that was stopped for, while it is there and enabled."""
    stop = stop_told(state)
    if stop is None or stop.breakpoint is None:
        return None
    having = with_not_finite(state.debugging.marks.breakpoints)
    return next((one for one in having if one.enabled and shortened(one) == stop.breakpoint), None)


_stopped = need(lambda state: stop_told(state) is not None, "no message tells of a stop")
_by_breakpoint = need(lambda state: breakpoint_told(state) is not None, "nothing has stopped at an enabled breakpoint")
_can_go_on = need(lambda state: engine_lives(state) and not is_running(state), "no paused engine is there to train")


def stop_commands(
    store: Store, go_to: Callable[[int, str, int], None], train: Callable[[], object]
) -> Sequence[Command]:
    """Go there, continue, and never stop there again. `go_to` takes a training step, a model's name and a time step."""

    def show() -> None:
        stop = stop_told(store.state)
        if stop is not None:
            go_to(stop.training_step, stop.model, stop.time_step)

    def disable() -> None:
        told, marks = breakpoint_told(store.state), store.state.debugging.marks
        kept = [replace(one, enabled=False) if one == told else one for one in with_not_finite(marks.breakpoints)]
        store.change(debugging=setting(marks=with_breakpoints(marks, kept)))

    return (
        Command("go_to_stop", "Go there", "shows the training step, model and time step that was stopped for", show,
                MENU, ("G",), "", _stopped, section=5),
        Command("continue_training", "Continue training", "trains on from here, to the next breakpoint  (Space)", train,
                enabled=_stopped & _can_go_on),
        Command("disable_stop", "Disable this breakpoint", "does not stop for this any more; the list keeps it",
                disable, MENU, ("Shift+F9",), "", _by_breakpoint, section=5),
    )  # fmt: skip

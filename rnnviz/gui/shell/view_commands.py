"""Commands about the window itself: theme, lanes, layout, size, help."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from rnnviz.gui.commands.actions import Command, Face
from rnnviz.gui.commands.needs import need
from rnnviz.gui.look.scale import STEPS, stepped
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.window import Message

MENU = "View"
HELP = "Help"
TEXT = "Text size"
NORMAL_PRESENTED = 1.5
INTERFACE_STEPS = (0.8, 1.0, 1.25, 1.5, 1.75, 2.0)
INTERFACE_VARIABLE = "QT_SCALE_FACTOR"
PRESENTATION_WORDS = "Presentation: F5 or Esc leaves it, Ctrl + and Ctrl − change the size of the text."


@dataclass(frozen=True)
class WindowWishes:
    """What only the window itself can do."""

    reset_layout: Callable[[], None]
    full_screen: Callable[[], None]
    set_trace_memory: Callable[[], None]
    show_menu: Callable[[], None]
    find_command: Callable[[], None]
    show_shortcuts: Callable[[], None]
    show_about: Callable[[], None]
    dismiss: Callable[[], None]


def toggle_theme(store: Store) -> None:
    store.change(look=setting(theme="light" if store.state.look.theme == "dark" else "dark"))


def set_text_scale(store: Store, scale: float) -> None:
    """Text of that size, in a presentation or outside it, wherever the window is now."""
    name = "presentation_scale" if store.state.look.presenting else "text_scale"
    store.change(look=setting(**{name: scale}))


def toggle_presentation(store: Store) -> None:
    """Begins a presentation and says how it ends, or ends it."""
    presenting = not store.state.look.presenting
    store.change(look=setting(presenting=presenting))
    if presenting:
        store.say(Message("info", PRESENTATION_WORDS))
    elif store.state.notices.message == Message("info", PRESENTATION_WORDS):
        store.say(None)


def set_interface_scale(store: Store, scale: float) -> None:
    """Remembers it for the next start: Qt cannot change it while the window is open."""
    store.change(look=setting(interface_scale=scale))
    taken = "; but QT_SCALE_FACTOR is set, and goes before" if INTERFACE_VARIABLE in os.environ else ""
    store.say(Message("info", f"Interface scale {percent(scale)}: applies at the next start{taken}."))


def percent(scale: float) -> str:
    return f"{round(100 * scale)} %"


def _text_commands(store: Store) -> Sequence[Command]:
    def step(steps: int) -> None:
        set_text_scale(store, stepped(store.state.look.scale, steps))

    def normal() -> None:
        set_text_scale(store, NORMAL_PRESENTED if store.state.look.presenting else 1.0)

    def face(state: State) -> Face:
        size = NORMAL_PRESENTED if state.look.presenting else 1.0
        now = "" if state.look.scale == size else f" (now {percent(state.look.scale)})"
        return Face(f"Text at {percent(size)}{now}", "")

    larger = need(lambda state: state.look.scale < STEPS[-1], f"text is at {percent(STEPS[-1])}, the largest")
    smaller = need(lambda state: state.look.scale > STEPS[0], f"text is at {percent(STEPS[0])}, the smallest")
    return (
        Command("larger_text", "Larger text", "all text of the window, and what holds it, one size up",
                lambda: step(1), MENU, ("Ctrl++", "Ctrl+="), enabled=larger, section=1, submenu=TEXT),
        Command("smaller_text", "Smaller text", "all text of the window, and what holds it, one size down",
                lambda: step(-1), MENU, ("Ctrl+-",), enabled=smaller, section=1, submenu=TEXT),
        Command("normal_text", "Text at 100 %", "text as large as it was designed",
                normal, MENU, ("Ctrl+0",), face=face, section=1, submenu=TEXT),
    )  # fmt: skip


def _interface_commands(store: Store) -> Sequence[Command]:
    return tuple(
        Command(f"interface_{round(100 * scale)}", f"Interface at {percent(scale)}",
                "all of the window, icons too; applies at the next start",
                partial(set_interface_scale, store, scale), MENU, section=1, submenu="Interface scale",
                checked=partial(_is_interface, scale))
        for scale in INTERFACE_STEPS
    )  # fmt: skip


def _is_interface(scale: float, state: State) -> bool:
    return state.look.interface_scale == scale


def view_commands(store: Store, wishes: WindowWishes) -> Sequence[Command]:
    """The View and Help menus, in their order."""

    has_notice = need(
        lambda state: bool(state.notices.message or state.notices.busy or state.look.presenting), "there is no message"
    )

    def theme_face(state: State) -> Face:
        return Face("Light theme" if state.look.theme == "dark" else "Dark theme", "theme")

    def presentation_face(state: State) -> Face:
        return Face("Leave the presentation" if state.look.presenting else "Presentation", "eye")

    return (
        Command("theme", "Light theme", "light for daylight and paper, dark for a dim room",
                lambda: toggle_theme(store), MENU, ("Ctrl+T",), "theme", face=theme_face, section=1),
        *_text_commands(store),
        *_interface_commands(store),
        Command("presentation", "Presentation", "lanes and training curve alone, with larger text, on the whole screen",
                lambda: toggle_presentation(store), MENU, ("F5",), "eye", section=2, face=presentation_face),
        Command("full_screen", "Full screen", "the window without its frame",
                wishes.full_screen, MENU, ("F11",), section=2),
        Command("reset_layout", "Reset layout", "every panel back to its place and size",
                wishes.reset_layout, MENU, section=2),
        Command("trace_memory", "Memory for traces …", "how much rebuilt traces may take in memory",
                wishes.set_trace_memory, MENU, section=3),
        Command("find_command", "Find a command …", "every command by its name, its key or what it does",
                wishes.find_command, HELP, ("Ctrl+Shift+P",), "search"),
        Command("shortcuts", "Keyboard shortcuts", "every key on one page",
                wishes.show_shortcuts, HELP, ("F1",), "keyboard"),
        Command("about", "About rnnviz", "version, licence, where settings and runs lie",
                wishes.show_about, HELP, section=1),
        Command("menu", "Menus", "opens the first menu; the arrows go on from there",
                wishes.show_menu, shortcuts=("F10",)),
        Command("dismiss", "Dismiss", "closes the message, cancels what is running, or leaves the presentation",
                wishes.dismiss, shortcuts=("Esc",), enabled=has_notice),
    )  # fmt: skip

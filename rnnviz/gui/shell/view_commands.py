"""Commands about the window itself: theme, lanes, layout, size, help."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rnnviz.gui.commands.actions import Command, Face
from rnnviz.gui.commands.needs import need
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting

MENU = "View"
HELP = "Help"


@dataclass(frozen=True)
class WindowWishes:
    """What only the window itself can do."""

    reset_layout: Callable[[], None]
    full_screen: Callable[[], None]
    presentation: Callable[[], None]
    set_trace_memory: Callable[[], None]
    show_menu: Callable[[], None]
    find_command: Callable[[], None]
    show_shortcuts: Callable[[], None]
    show_about: Callable[[], None]
    dismiss: Callable[[], None]


def toggle_theme(store: Store) -> None:
    store.change(look=setting(theme="light" if store.state.look.theme == "dark" else "dark"))


def view_commands(store: Store, wishes: WindowWishes) -> Sequence[Command]:
    """The View and Help menus, in their order."""

    has_notice = need(lambda state: bool(state.notices.message or state.notices.busy), "there is no message")

    def theme_face(state: State) -> Face:
        return Face("Light theme" if state.look.theme == "dark" else "Dark theme", "theme")

    return (
        Command("theme", "Light theme", "light for daylight and paper, dark for a dim room",
                lambda: toggle_theme(store), MENU, ("Ctrl+T",), "theme", face=theme_face, section=1),
        Command("presentation", "Presentation", "the lanes alone, on the whole screen",
                wishes.presentation, MENU, ("F5",), "eye", section=2),
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
        Command("dismiss", "Dismiss", "puts the message away, or cancels what goes on", wishes.dismiss,
                shortcuts=("Esc",), enabled=has_notice),
    )  # fmt: skip

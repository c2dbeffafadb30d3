"""What is typed finds the command that is meant: by its name, its key, what it does, and with a slip."""

import pytest

from rnnviz.gui.commands.matching import Described, matches

COMMANDS = (
    Described("forward", "Step forward", "Debug", "over one time step", ("Right", "→")),
    Described("back", "Step back", "Debug", "one point back", ("Left", "←")),
    Described("into_back", "Step into, back", "Debug", "the very point before this one", ("Shift+I",)),
    Described("breakpoint", "Breakpoint here", "Debug", "a walk stops at this place", ("F9",)),
    Described("bookmark", "Bookmark here", "Debug", "a note at this place", ("B",)),
    Described("train", "Train", "Training", "lets all models learn", ("Space",)),
    Described("reset", "Reset", "Training", "begin again with the same initial weights", ("Ctrl+R",)),
    Described("hits", "Find all hits", "Debug › Continue", "where a breakpoint is met", ("Ctrl+F",)),
    Described("save", "Save run as", "File", "a copy of everything", ("Ctrl+Shift+S",)),
)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("step b", "back"),
        ("STEP", "forward"),  # equals keep their order
        ("stfo", "forward"),
        ("sib", "into_back"),
        ("brkpt", "breakpoint"),
        ("brekpiont", "breakpoint"),  # nothing has these letters: what is nearly the same
        ("b", "bookmark"),  # its key besides
        ("f9", "breakpoint"),
        ("ctrl+r", "reset"),
        ("shift+s", "save"),
        ("→", "forward"),
        ("initial weights", "reset"),
        ("note", "bookmark"),
        ("here stops", "breakpoint"),
        ("continue", "hits"),
    ],
)
def test_what_is_typed_finds_what_is_meant(typed: str, first: str) -> None:
    assert matches(typed, COMMANDS)[0].key == first


def test_the_letters_that_were_found_can_be_shown() -> None:
    assert matches("stfo", COMMANDS)[0].letters == {0, 1, 5, 6}
    assert matches("ook", COMMANDS)[0].letters == {1, 2, 3}
    assert matches("f9", COMMANDS)[0].letters == frozenset()


def test_every_word_must_have_to_do_with_it() -> None:
    assert [match.key for match in matches("breakpoint met", COMMANDS)] == ["hits"]
    assert matches("step xyzzy", COMMANDS) == []
    assert matches("q", COMMANDS) == []


def test_nothing_typed_lists_all_as_they_came() -> None:
    assert [match.key for match in matches("  ", COMMANDS)] == [command.key for command in COMMANDS]

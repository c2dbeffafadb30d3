"""Painting that fails: the painter is ended all the same, the program lives on and says what happened, once."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press

import rnnviz.gui
from rnnviz.gui.look.theme import theme
from rnnviz.gui.network import network_view
from rnnviz.gui.network.network_view import NetworkView
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import setting

PACKAGE = Path(rnnviz.gui.__file__).parent
OPENERS = {"QPainter", "painter"}
HAND_OVER = ("look/painting.py", "look/scale.py")


def test_a_drawing_that_fails_is_told_once_and_the_program_lives_on(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.contents is not None and None not in app.store.state.recorded.traces)
    app.store.change(look=setting(animated=False, theme="light"))
    said: list[str] = []

    def fails(*_: object) -> None:
        raise ZeroDivisionError("while drawing")

    def listen(old: State, new: State) -> None:
        if new.notices.message is not None and new.notices.message is not old.notices.message:
            said.append(new.notices.message.sentence)

    app.store.changed.connect(listen)
    with monkeypatch.context() as broken:
        broken.setattr(network_view, "draw_unrolled", fails)
        press(app, Qt.Key.Key_2)
        qtbot.waitUntil(lambda: "(ZeroDivisionError: while drawing)" in app.message_bar.sentence)
        view = next(one for one in app.window.findChildren(NetworkView) if one.isVisible())
        for _ in range(3):
            view.grab()  # paints again, and again it fails
        qtbot.wait(1)
    assert len(said) == 1
    press(app, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: bool(view.drawing.regions))
    image = view.grab().toImage()
    assert image.pixelColor(3, 3).name() == theme("light").background
    assert len({image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}) > 9


def openings() -> Iterator[tuple[str, int, bool]]:
    """Where a painter is opened: file, line, and whether a `with` ends it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        ended = {id(item.context_expr) for one in ast.walk(tree) if isinstance(one, ast.With) for item in one.items}
        for call in (one for one in ast.walk(tree) if isinstance(one, ast.Call)):
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name in OPENERS:
                yield path.relative_to(PACKAGE).as_posix(), call.lineno, id(call) in ended


def test_every_painter_is_ended_whatever_happens() -> None:
    """One on a picture by `with`; one on a widget by `painting`, which tells what went wrong, too."""
    found = list(openings())
    assert len(found) > 4
    assert [f"{path}:{line}" for path, line, ended in found if not ended and not path.startswith(HAND_OVER)] == []
    for path in PACKAGE.rglob("*.py"):
        ours = not path.relative_to(PACKAGE).as_posix().startswith(HAND_OVER)
        assert not ours or "QPainter(self)" not in path.read_text(encoding="utf-8"), path

"""PySide6 6.12 loses references of None, True and False in each call: every upgrade of Qt must pass this."""

import sys

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

CALLS = 500


def test_calls_into_qt_lose_no_references(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    before = [sys.getrefcount(value) for value in (None, True, False)]
    for _ in range(CALLS):
        widget.update()
        widget.isVisible()
        widget.isEnabled()
    after = [sys.getrefcount(value) for value in (None, True, False)]
    assert all(now - then > -100 for now, then in zip(after, before, strict=True)), (before, after)

"""Marked text: symbols with real subscripts: "‖∂L/∂h_{41}‖" drawn as it is written on paper."""

import re
from functools import lru_cache
from html import escape

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from rnnviz.gui.look import fonts

_SUB_SIZE = 0.75  # of the text size
_SUB_DROP = 0.22
_SUP_RISE = 0.36
_MARKED = re.compile(r"([_^])(?:([^{])|\{([^}]*)\})", re.DOTALL)


@lru_cache(maxsize=4096)
def pieces(markup: str) -> tuple[tuple[str, int], ...]:
    """(text, level) with level −1 for subscripts, 1 for superscripts, 0 else; _x and _{…}, ^x and ^{…} are markup.

    A sign with nothing after it, or with a bracket that is not closed, is text: also a name may hold one.
    """
    result: list[tuple[str, int]] = []
    place = 0
    for found in _MARKED.finditer(markup):
        if found.start() > place:
            result.append((markup[place : found.start()], 0))
        sign, one, several = found.groups()
        result.append((several if one is None else one, -1 if sign == "_" else 1))
        place = found.end()
    return tuple(result + ([(markup[place:], 0)] if markup[place:] else []))


@lru_cache(maxsize=4096)
def width(markup: str, size: int, *, bold: bool = False) -> float:
    """Pixels that `markup` takes at the text size `size`."""
    return sum(_advance(text, size, level, bold) for text, level in pieces(markup))


@lru_cache(maxsize=4096)
def shortened(markup: str, size: int, room: float) -> str:
    """`markup` without the words at its end for which there is no room; the first one stays."""
    words = markup.split(" ")
    for number in range(len(words), 1, -1):
        kept = " ".join((*words[:number], "…")) if number < len(words) else markup
        if width(kept, size) <= room:
            return kept
    return f"{words[0]} …" if words[1:] else markup


def draw(
    painter: QPainter, x: float, baseline: float, markup: str, size: int, color: QColor, *, bold: bool = False
) -> None:
    """Draws `markup` from `x` on its baseline."""
    painter.setPen(color)
    for text, level in pieces(markup):
        painter.setFont(_font(size, level, bold))
        shift = _SUB_DROP if level < 0 else -_SUP_RISE if level > 0 else 0.0
        painter.drawText(QPointF(x, baseline + shift * size), text)
        x += _advance(text, size, level, bold)


def rich(markup: str) -> str:
    """`markup` as the rich text of a label; an empty line parts paragraphs, and a symbol is not broken in two."""
    return "<br>".join(" ".join(map(_rich_word, line.split(" "))) for line in markup.split("\n"))


def _rich_word(word: str) -> str:
    tags = {-1: "sub", 1: "sup"}
    written = "".join(
        f"<{tags[level]}><big>{escape(text)}</big></{tags[level]}>" if level else escape(text)
        for text, level in pieces(word)
    )
    return f"<nobr>{written}</nobr>" if len(pieces(word)) > 1 else written


def plain(markup: str) -> str:
    """`markup` as a line of text for the clipboard and for tooltips: ‖∂L/∂h_41‖."""
    return markup.replace("{", "").replace("}", "")


@lru_cache(maxsize=64)
def _font(size: int, level: int, bold: bool) -> QFont:
    pixels = round(size * _SUB_SIZE) if level else size
    return fonts.semibold(pixels) if bold else fonts.text(pixels)


@lru_cache(maxsize=4096)
def _advance(text: str, size: int, level: int, bold: bool) -> float:
    return QFontMetricsF(_font(size, level, bold)).horizontalAdvance(text)

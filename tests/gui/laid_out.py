"""Whether what a drawing of the network is made of lies apart: texts, strips, wires."""

import itertools

from PySide6.QtCore import QPointF, QRectF

from rnnviz.gui.network.drawing import Box, Drawing, Line, Strip, Text


def rects(drawing: Drawing, kind: type[Text] | type[Box] | type[Strip]) -> dict[str, QRectF]:
    return {mark.key: mark.rect for mark in drawing.marks if isinstance(mark, kind)}


def check(drawing: Drawing, size: tuple[int, int]) -> None:
    """Texts apart, no strip under a text, all of it in the picture."""
    whole = QRectF(0, 0, *size).adjusted(-1, -1, 1, 1)
    texts, strips = rects(drawing, Text), rects(drawing, Strip)
    assert texts
    for key, rect in texts.items():
        assert whole.contains(rect), key
        for other, strip in strips.items():
            assert not rect.adjusted(1, 2, -1, -2).intersects(strip), (key, other)
    for (key, rect), (other, second) in itertools.combinations(texts.items(), 2):
        assert not rect.adjusted(1, 2, -1, -2).intersects(second.adjusted(1, 2, -1, -2)), (key, other)


def parts(line: Line) -> list[QRectF]:
    """What a line covers: its straight parts, and the tip of its arrow."""
    half = line.width / 2
    found = [QRectF(*ends).normalized().adjusted(-half, -half, half, half) for ends in itertools.pairwise(line.points)]
    if line.head:
        before, tip = line.points[-2:]
        long = (tip - before).manhattanLength()
        base = tip + (before - tip) * (line.head / long)
        wide = QPointF(line.head / 2, 0) if abs(tip.x() - before.x()) < 0.5 else QPointF(0, line.head / 2)
        found.append(QRectF(base - wide, tip + wide).normalized())
    return found


def check_lines(drawing: Drawing) -> None:
    """No number on a wire or on the tip of an arrow; no subscript on the strip below it."""
    lines = [(mark.key, part) for mark in drawing.marks if isinstance(mark, Line) for part in parts(mark)]
    for text in (mark for mark in drawing.marks if isinstance(mark, Text)):
        rect = text.rect.adjusted(0.5, 0.5, -0.5, -0.5)
        assert [key for key, part in lines if rect.intersects(part)] == [], text.key
        deep = rect.adjusted(
            0, 0, 0, 0.06 * text.size + 0.5 if "_" in text.markup else 0
        )  # how low a subscript reaches
        for key, strip in rects(drawing, Strip).items():
            assert not deep.intersects(strip), (text.key, key)

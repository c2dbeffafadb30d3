"""The most probable next symbols at every time step, shaded by their probability, and whether they were right."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.gui.canvas.items.canvas_item import CanvasItem, pen
from rnnviz.gui.canvas.items.symbols import readable
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Theme

_LETTER_PITCH = 9.0
_ROW = 13.0  # pixels of a row below which there are fewer of them
_NUMBER_PITCH = 38.0
_FAINT = 0.05  # probability below which the ground is the panel's still, and a muted letter can be read


class TopChoices(CanvasItem):
    """Rows: the target, then the best symbols. Where letters do not fit, the probability of the target as a strip."""

    def __init__(self, theme: Theme, color: QColor, labels: Sequence[str], choices: int = 3) -> None:
        super().__init__(theme)
        self._color = color
        self._labels = labels
        self._count = min(choices, len(labels))
        self._cursor = 0
        self._targets: Array = np.zeros(0, np.int64)
        self._asked: Array = np.zeros(0, bool)
        self._best: Array = np.zeros((0, self._count), np.int64)
        self._chances: Array = np.zeros((0, 0))
        self._there = range(0)  # time steps with choices

    def set_probabilities(self, probabilities: Array, targets: Array, asked: Array, there: range | None = None) -> None:
        """`probabilities` (T, V), or predicted values, which may lie beyond 0 and 1, `targets` (T,) class numbers,
        `asked` (T,) bool: where there is a loss; `there`: the time steps with a prediction, all unless it is said."""
        self._there = range(1, len(targets) + 1) if there is None else there
        self._chances, self._targets, self._asked = probabilities, targets, asked
        order = np.argsort(-np.nan_to_num(probabilities, nan=-np.inf), axis=1, kind="stable")
        self._best = order[:, : self._count]  # (T, 3)
        self.update()

    def set_cursor(self, time_step: int) -> None:
        """Frames the column of `time_step`; only the old and the new column are painted."""
        old, self._cursor = self._cursor, time_step
        for t in {old, time_step}:
            self.update(self._column(t).adjusted(-2, 0, 2, 0).intersected(self.rect))

    def draw(self, painter: QPainter) -> None:
        box = self._box()
        painter.fillRect(box, self.theme.color("panel"))
        painter.save()
        painter.setClipRect(self.rect)
        letters = self.axis.pitch >= _LETTER_PITCH
        for t in self.exposed_steps():
            if t not in self._there:
                continue
            if letters:
                self._draw_column(painter, t)
            else:
                self._draw_sliver(painter, t)
        painter.restore()
        self._draw_cursor(painter)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(self.theme.color("line")))
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))

    def _box(self) -> QRectF:
        """What there is of the plot column."""
        left, right = self.axis.x(self._there.start - 0.5), self.axis.x(self._there.stop - 0.5)
        return self.rect.intersected(QRectF(left, self.rect.top(), max(right - left, 0.0), self.rect.height()))

    def tip(self, x: float, y: float) -> str:
        t = self.axis.time_step_at(x)
        if t not in self._there:
            return ""
        best = ", ".join(
            f"{readable(self._labels[k])} {short(float(self._chances[t - 1, k]))}" for k in self._best[t - 1]
        )
        if not self._asked[t - 1]:
            return f"t = {t}: {best}"
        target = int(self._targets[t - 1])
        return f"t = {t}: {best}; target {readable(self._labels[target])} {short(float(self._chances[t - 1, target]))}"

    def _column(self, t: int) -> QRectF:
        left, right = self.axis.x(t - 0.5), self.axis.x(t + 0.5)
        return QRectF(left, self.rect.top(), right - left, self.rect.height())

    def _draw_cursor(self, painter: QPainter) -> None:
        """A frame where letters can be read inside it, else the line the other lanes have."""
        column = self._column(self._cursor)
        if self._cursor not in self.axis.visible() or self._cursor not in self._there:
            return
        painter.setClipRect(self.time_box(1))
        if self.axis.pitch >= _LETTER_PITCH:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen(self.theme.color("cursor"), 2.0))
            painter.drawRect(column)
        else:
            painter.fillRect(
                QRectF(column.center().x() - 1, column.top(), 2, column.height()), self.theme.color("cursor")
            )

    def _draw_column(self, painter: QPainter, t: int) -> None:
        rows = min(self._count + 1, max(2, int(self.rect.height() / _ROW)))
        height = self.rect.height() / rows
        left, right = self.axis.x(t - 0.5), self.axis.x(t + 0.5)
        target = int(self._targets[t - 1])
        right_guess = bool(self._asked[t - 1]) and int(self._best[t - 1, 0]) == target
        for row in range(rows):
            cell = QRectF(left, self.rect.top() + row * height, right - left, height)
            if row == 0:
                if self._asked[t - 1]:
                    painter.setPen(self.theme.color("good" if right_guess else "bad"))
                    painter.setFont(fonts.bold(12))
                    painter.drawText(
                        cell.adjusted(-3, 0, 3, 0), Qt.AlignmentFlag.AlignCenter, readable(self._labels[target])
                    )
                continue
            label = int(self._best[t - 1, row - 1])
            chance = float(np.nan_to_num(self._chances[t - 1, label]))
            share = 0.04 + 0.76 * _within(chance)
            shade = QColor(self._color)
            shade.setAlphaF(share)
            painter.fillRect(cell.adjusted(0.5, 0.5, -0.5, -0.5), shade)
            painter.setFont(fonts.text(12))
            plain = chance <= _FAINT and label != target
            painter.setPen(
                self.theme.color("muted") if plain else self.theme.text_on(self.theme.mixed(self._color, share))
            )
            words = readable(self._labels[label])
            if self.axis.pitch >= _NUMBER_PITCH:
                words += f" {_number(chance, after_digit=words[-1:].isdigit())}"
            painter.drawText(cell.adjusted(-3, 0, 3, 0), Qt.AlignmentFlag.AlignCenter, words)

    def _draw_sliver(self, painter: QPainter, t: int) -> None:
        if not self._asked[t - 1]:
            return
        left, right = self.axis.x(t - 0.5), self.axis.x(t + 0.5)
        target = int(self._targets[t - 1])
        chance = float(np.nan_to_num(self._chances[t - 1, target]))
        hit = int(self._best[t - 1, 0]) == target
        painter.fillRect(QRectF(left, self.rect.top(), right - left, 5), self.theme.color("good" if hit else "bad"))
        height = _within(chance) * (self.rect.height() - 7)
        painter.fillRect(QRectF(left, self.rect.bottom() - height, right - left, height), self._color)


def _within(chance: float) -> float:
    return min(max(chance, 0.0), 1.0)


def _number(chance: float, after_digit: bool) -> str:
    """ ".87" where there is little room, but "0.87" after a label that it would make one number with."""
    words = f"{chance:.2f}".replace("-", "−")
    return words if after_digit or abs(chance) >= 1 else words.replace("0.", ".", 1)

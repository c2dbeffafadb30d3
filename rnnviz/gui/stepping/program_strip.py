"""Where the cursor is in the whole training step: both sweeps, loss, accumulate and update in one line."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from rnnviz.core.numbers import whole
from rnnviz.debugger import goto
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.program import Program
from rnnviz.gui.commands.needs import has_trace
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.columns import LABEL_COLUMN, SCALE_COLUMN
from rnnviz.gui.look.focus_ring import paint_ring
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.stepping.cursor_label import PHASE_TOKENS
from rnnviz.gui.stepping.program_marks import ProgramMark, program_marks
from rnnviz.gui.widgets.live_tip import LiveTip

KEYS = "← → step, Home and End go to the ends of the phase, Ctrl+Home and Ctrl+End to those of the training step"
_HIGH, _BAR = 34, 14  # pixels: of the strip and of its bars
_FREE = 3  # of a line where the word of its bar is
_TOP = 10.0
_GAP = 3.0
_NEAR, _MOST_TOLD = 5.0, 4  # pixels from a mark that is told; how many are
_SINGLE = 30.0  # width of a phase of one point
_SWEPT = {"dark": 0.35, "light": 0.5}  # of a phase's colour in its bar: the word on both its grounds can be read


@dataclass(frozen=True)
class Segment:
    """The bar of one phase: `count` points from number `first` on."""

    phase: Phase
    first: int
    count: int
    left: float
    width: float

    def x(self, place: float) -> float:
        """Pixels of the point `place`; its operations lie between it and the next one."""
        return self.left + (place - self.first) / self.count * self.width

    def point(self, x: float) -> int:
        """The point at pixel `x`, held inside the phase."""
        return self.first + min(max(int((x - self.left) / self.width * self.count), 0), self.count - 1)


def segments(program: Program, left: float, width: float) -> tuple[Segment, ...]:
    """The bars of all phases; the two sweeps share what the phases of one point leave."""
    single = min(_SINGLE, max(width - 4 * _GAP, 10.0) / len(Phase))  # all alike where there is hardly any room
    sweep = max((width - 3 * single - 4 * _GAP) / 2, single)
    found: list[Segment] = []
    x = left
    for phase in Phase:
        wide = sweep if phase.swept else single
        first = program.first_of(phase)
        found.append(Segment(phase, first, program.last_of(phase) - first + 1, x, wide))
        x += wide + _GAP
    return tuple(found)


_SHOWN = Fields(
    "place.cursor",
    "recorded.traces",
    "place.sample",
    "look.theme",
    "look.scale",
    "place.model",
    "debugging.marks",
    "recorded.events",
)


class ProgramStrip(QWidget):
    """`chosen(cursor)` when a point is clicked or dragged to. Behind the cursor the bars are full; marks are below."""

    chosen = Signal(object)

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._program = store.state.program
        self._marks = program_marks(store.state)
        scale.fit(self, height=_HIGH)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the arrows to the lanes
        self.setAccessibleName("Program")
        self.setAccessibleDescription(KEYS)
        self._tip = LiveTip(self, lambda place: self.tooltip(scale.to_design(place.x())))
        if not has_trace(store.state):
            self.hide()
        store.changed.connect(self.show_state)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The bars as they are drawn, in pixels of the design."""
        return segments(self._program, LABEL_COLUMN, max(scale.width(self) - LABEL_COLUMN - SCALE_COLUMN, 40.0))

    @property
    def cursor_x(self) -> float:
        """Where the cursor stands, in pixels of the design."""
        return self.x_of(self._store.state.place.cursor)

    def x_of(self, cursor: Cursor) -> float:
        """Where a place lies, in pixels of the design."""
        program = self._program
        point = program.point(cursor)
        inside = program.fine_point(cursor) - program.fine_point(program.at(point, cursor))
        segment = next(each for each in self.segments if each.phase is cursor.phase)
        return segment.x(point + (inside + 0.5) / (1 + len(program.operations_at(cursor))))

    def cursor_at(self, x: float) -> Cursor:
        """The place at pixel `x` of the design."""
        segment = min(self.segments, key=lambda each: max(each.left - x, x - each.left - each.width))
        return self._program.at(segment.point(x), self._store.state.place.cursor)

    def tooltip(self, x: float) -> str:
        """The place at pixel `x` of the design and what is marked there."""
        near = dict.fromkeys(mark.words for mark in self._marks if abs(self.x_of(mark.cursor) - x) <= _NEAR)
        return "\n".join([goto.words(self.cursor_at(x)), *list(near)[:_MOST_TOLD], "A click goes there", KEYS])

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if _SHOWN.changed(old, new):
            self._program = new.program
            self._marks = program_marks(new)
            self.setVisible(has_trace(new))
            self.update()
            self._tip.refresh()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._choose(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        state = self._store.state
        look = theme(state.look.theme)
        with scale.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(scale.rect(self), look.color("background"))
            painter.setFont(fonts.semibold())
            painter.setPen(look.color("text"))
            painter.drawText(
                QRectF(14, _TOP - 4, LABEL_COLUMN - 14, _BAR + 8), Qt.AlignmentFlag.AlignVCenter, "Program"
            )
            here = self.cursor_x
            for segment in self.segments:
                self._paint_segment(painter, segment, here)
            for mark in self._marks:
                self._paint_mark(painter, mark)
            tip = QPolygonF([QPointF(here, _TOP), QPointF(here - 5, _TOP - 7), QPointF(here + 5, _TOP - 7)])
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("cursor"))
            painter.drawPolygon(tip)
            painter.drawRect(QRectF(here - 1, _TOP - 2, 2, _BAR + 4))
            painter.setFont(fonts.text(fonts.SMALL))
            painter.setPen(look.color("muted"))
            count = f"{whole(self._program.point(state.place.cursor) + 1)} of {whole(len(self._program))}"
            box = QRectF(scale.width(self) - SCALE_COLUMN + 6, _TOP - 4, SCALE_COLUMN - 6, _BAR + 8)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, count)
            if self.hasFocus():
                paint_ring(painter, QRectF(scale.rect(self)), look)

    def _paint_segment(self, painter: QPainter, segment: Segment, here: float) -> None:
        look = theme(self._store.state.look.theme)
        color = look.mixed(look.color(PHASE_TOKENS[segment.phase]), _SWEPT[look.name], "raised")
        bar = QRectF(segment.left, _TOP, segment.width, _BAR)
        done = QRectF(bar)
        done.setRight(min(max(here, bar.left()), bar.right()))
        ground = look.color("raised")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(bar, 3, 3)
        painter.setBrush(color)
        painter.drawRoundedRect(done, 3, 3)
        painter.setPen(QPen(look.color("border"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(bar, 3, 3)
        painter.setFont(fonts.text(fonts.SMALL))
        metrics, phase = QFontMetricsF(painter.font()), segment.phase.value
        fitting = (
            words for words in (phase, phase[:3], phase[:1]) if metrics.horizontalAdvance(words) < bar.width() - 6
        )
        words = next(fitting, "")
        half = metrics.horizontalAdvance(words) / 2 + 2
        for border in self._program.borders(segment.phase):
            x = segment.x(border)
            through = words and abs(x - bar.center().x()) < half  # the word stays free of a line
            for top, bottom in ((0, _FREE), (_BAR - _FREE, _BAR)) if through else ((0, _BAR),):
                painter.drawLine(QPointF(x, _TOP + top), QPointF(x, _TOP + bottom))
        painter.setPen(look.color("text"))
        painter.drawText(bar, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_mark(self, painter: QPainter, mark: ProgramMark) -> None:
        """Below the bars: a ring for a breakpoint, full where it was hit; a flag for a bookmark."""
        look = theme(self._store.state.look.theme)
        x, y = self.x_of(mark.cursor), _TOP + _BAR + 5
        color = look.color("accent" if mark.kind == "bookmark" else "bad")
        painter.setPen(QPen(color, 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush if mark.kind == "breakpoint" else color)
        if mark.kind == "bookmark":
            painter.drawPolygon(QPolygonF([QPointF(x, y - 3), QPointF(x - 3, y + 3), QPointF(x + 3, y + 3)]))
        else:
            painter.drawEllipse(QPointF(x, y), 3, 3)

    def _choose(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.chosen.emit(self.cursor_at(scale.to_design(event.position().x())))
            event.accept()

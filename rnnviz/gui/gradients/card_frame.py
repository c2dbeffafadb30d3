"""Card frame: one card on the page: picture and cursor, what is pressed in it, and how it is taken elsewhere."""

from itertools import zip_longest
from time import perf_counter
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QContextMenuEvent,
    QDrag,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QMenu, QToolButton, QWidget

from rnnviz.gui.gradients.card import Card, Sight
from rnnviz.gui.gradients.card_deeds import WORDS, Deed, deeds_menu, pressed
from rnnviz.gui.gradients.card_head import BUTTON, EDGE, HEIGHT, CardHead, card_head
from rnnviz.gui.gradients.plots.marks import Ring
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.focus_ring import FocusFrame
from rnnviz.gui.look.theme import theme
from rnnviz.gui.network.drawing import Box, Drawing, Line, Mark
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets import marked_text
from rnnviz.gui.widgets.live_tip import LiveTip
from rnnviz.gui.widgets.spoken import Part, teach_screen_readers

MIME = "application/x-rnnviz-card"
_LATE = 1.5  # seconds after which it is said that a picture is that of the moment before


class CardFrame(QWidget):
    """Draws a card's sight. Knows no page: what a person wishes of the place of the card is a signal."""

    spoken_role = QAccessible.Role.Graphic
    spot_pressed = Signal(object)  # Spot
    moved = Signal(int)  # places farther on, or back
    dropped = Signal(str)  # the key of a card that was let go on this one
    enlarged = Signal()
    taken_away = Signal()
    held = Signal(bool)  # at its training step
    loss_stepped = Signal(int)
    loss_pointed_at = Signal(int)  # 0: none any more
    options_changed = Signal(object)

    def __init__(self, card: Card, store: Store, number: int | None, parent: QWidget, *, picture: bool = False) -> None:
        """`number`: of the model, for a card of one alone."""
        super().__init__(parent)
        self.card, self.number = card, number
        self._store = store
        self.sight: Sight | None = None
        self.held_at: int | None = None  # the training step that stays
        self._static: Drawing | None = None
        self._pixmap: QPixmap | None = None
        self._late_since: float | None = None  # since when its numbers are looked for anew
        self._progress = ""  # said meanwhile, in place of what stands at the right
        self.behind_since: float | None = None  # when a part of what comes after its whole picture was known
        self._marked = Drawing()  # the cursor as it is seen
        self._pressed = QPoint()
        self._pointed_at = 0  # the loss under the pointer
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        teach_screen_readers()
        self.setAccessibleName(card.name.words)
        self.setAccessibleDescription(f"{card.name.tooltip}. {WORDS}")
        self.menu_button = QToolButton(self)
        self.menu_button.setProperty("flat", "true")
        self.menu_button.setAutoRaise(True)
        self.menu_button.setText("⋯")
        self.menu_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.menu_button.setAccessibleName(f"What can be done with {card.name.words}")
        self.menu_button.setToolTip("What can be done with this card  (menu key)")
        self.menu_button.clicked.connect(self._open_menu_below)
        self.menu_button.setVisible(not picture)
        self.controls = None if picture else card.controls(store, self.options_changed.emit)
        if self.controls is not None:
            self.controls.setParent(self)
        self._tip = LiveTip(self, self._words_at)
        self._frame = FocusFrame(self, theme(store.state.look.theme))

    # what is drawn

    def show_sight(self, sight: Sight) -> None:
        """Draws anew; what is held only in the colours of another theme."""
        if self.held_at is not None:
            if self.sight is not None and self.sight.theme is not sight.theme:
                self.sight = self.sight.in_colors_of(sight)
                self.forget()
            return
        self.sight = sight
        if (model := self._own_model()) is not None and len(sight.shown.models) > 1:
            self.setAccessibleName(f"{self.card.name.words}, {model.name}")
        if self.controls is not None:
            self.card.show_controls(self.controls, sight)
        self.forget()

    def show_progress(self, share: float | None) -> None:
        """How much is known of what comes after the picture, if that takes long; None: the picture is what is asked."""
        self._late_since = None if share is None else self._late_since or perf_counter()
        late = self._late_since is not None and perf_counter() - self._late_since >= _LATE and self.held_at is None
        words = f"computing {100 * (share or 0.0):.0f} %" if late else ""
        if words != self._progress:
            self._progress, self._pixmap = words, None
            self.update()

    def forget(self) -> None:
        """Everything is drawn anew."""
        self._frame.set_theme(theme(self._store.state.look.theme))
        self._static = self._pixmap = None
        self.update()
        self._tip.refresh()

    def move_cursor(self, sight: Sight) -> None:
        """Draws the cursor elsewhere on the same picture."""
        if self.held_at is None:
            again = self.sight is not None and sight.loss != self.sight.loss and self.card.draws_loss
            self.sight = sight
            if again:
                self._static = self._pixmap = None
                self.update()
            else:
                self._update_mark()
            self._tip.refresh()

    def _update_mark(self) -> None:
        """Paints anew where the cursor was and is; nothing where it stays."""
        before = self._marked
        self._marked = self._mark()
        for old, new in zip_longest(before.marks, self._marked.marks):
            if old is None or new is None or type(old) is not type(new) or _outline(old) != _outline(new):
                for mark in (old, new):
                    self._update_around(mark)

    def _update_around(self, mark: Mark | None) -> None:
        rect = _outline(mark) if mark is not None else QRectF()
        if rect is None:
            self.update()
        elif not rect.isNull():
            left, top = scale.px(rect.left()), scale.px(rect.top())
            self.update(left, top, scale.px(rect.width()) + 1, scale.px(rect.height()) + 1)

    def _mark(self) -> Drawing:
        return self.card.mark(self.sight, self.area) if not self.sentence and self.sight is not None else Drawing()

    @property
    def area(self) -> QRectF:
        """Where the picture lies, in pixels of the design."""
        shown = self.controls is not None and not self.controls.isHidden()
        beside = self.card.controls_beside if shown else 0
        above = shown or (self.controls is not None and self.sight is not None and self.card.leaves_room(self.sight))
        left, top = EDGE + beside, HEIGHT + (self._controls_height() if above and not beside else 0)
        return QRectF(left, top, scale.width(self) - left - EDGE, max(scale.height(self) - top - EDGE + 4, 40))

    @property
    def stops(self) -> list[QWidget]:
        """Where Tab stops: the card, then its fields in their order."""
        return [self, *(getattr(self.controls, "stops", [self.controls]) if self.controls is not None else [])]

    @property
    def least_height(self) -> float:
        """Pixels of the design below which fields beside the picture would lie on each other; 0 without such."""
        if self.controls is None or not self.card.controls_beside:
            return 0.0
        return HEIGHT + 4 + scale.to_design(self.controls.minimumSizeHint().height()) + EDGE

    def _controls_height(self) -> float:
        assert self.controls is not None  # its callers looked
        return scale.to_design(self.controls.sizeHint().height()) + 4

    @property
    def drawing(self) -> Drawing:
        """Everything but the cursor."""
        if self._static is None:
            sight = self.sight
            assert sight is not None  # its callers looked
            self._static = self.card.draw(sight, self.area).without_overlaps()
        return self._static

    @property
    def sentence(self) -> str:
        """Said in place of a picture; "" where there is one."""
        if self.sight is None or not self.sight.shown.ready:
            return "Nothing is recorded yet."
        if self.sight.known:
            return ""
        problems = [found.problem for found in self.sight.models if found.problem]
        if problems:
            return " ".join(dict.fromkeys(problems))
        share = max((found.share for found in self.sight.models), default=0.0)
        return f"Computing … {100 * share:.0f} %" if share else "Computing …"

    def paintEvent(self, event: QPaintEvent) -> None:
        with scale.painting(self) as painter:
            pixmap = self._painted()
            painter.save()
            painter.resetTransform()
            shown, ratio = QRectF(event.rect()), pixmap.devicePixelRatioF()
            part = QRectF(shown.x() * ratio, shown.y() * ratio, shown.width() * ratio, shown.height() * ratio)
            painter.drawPixmap(shown, pixmap, part)
            painter.restore()
            self._marked = self._mark()
            self._marked.paint(painter)

    def _painted(self) -> QPixmap:
        """The card without the cursor, kept until something else changes."""
        ratio = self.devicePixelRatioF()
        if self._pixmap is not None and self._pixmap.devicePixelRatioF() == ratio:
            return self._pixmap
        pixmap = QPixmap((self.size() * ratio).expandedTo(self.minimumSize()))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        drawing = self.drawing if not self.sentence else None
        with QPainter(pixmap) as painter:
            painter.scale(scale.text_scale(), scale.text_scale())
            self._head.paint(painter, self._colors, scale.width(self), scale.height(self))
            if drawing is not None:
                drawing.paint(painter)
            else:
                painter.setFont(fonts.text())
                painter.setPen(self._colors.color("muted"))
                painter.drawText(self.area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.sentence)
        self._pixmap = pixmap
        return pixmap

    @property
    def _colors(self) -> Any:
        return theme(self._store.state.look.theme)

    @property
    def _head(self) -> CardHead:
        return card_head(self.card, self._own_model(), self.sight, self.held_at, self._progress)

    @property
    def title(self) -> str:
        """What it is called: a card of one model alone by that one, if there are several."""
        return self._head.title

    def _aside(self) -> str:
        return self._head.asides[0]

    def _own_model(self) -> Any:
        if self.number is None or self.sight is None:
            return None
        return next((found.model for found in self.sight.models), None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        side = scale.px(BUTTON)
        self.menu_button.setGeometry(self.width() - side - scale.px(6), scale.px(6), side, side)
        if self.controls is not None:
            left, top = scale.px(EDGE), scale.px(HEIGHT - 2)
            if beside := self.card.controls_beside:
                self.controls.setGeometry(left, top + scale.px(4), scale.px(beside - 12), self.height() - top - left)
            else:
                self.controls.setGeometry(left, top, self.width() - 2 * left, self.controls.sizeHint().height())
        self._static = self._pixmap = None

    # what a person does

    def _spot(self, point: QPointF) -> Any:
        if self.sentence or self.sight is None:
            return None
        design = QPointF(scale.to_design(point.x()), scale.to_design(point.y()))
        return self.card.spot(self.sight, self.area, design)

    def _words_at(self, place: QPoint) -> str:
        if scale.to_design(place.y()) < HEIGHT:
            return self.card.name.tooltip
        spot = self._spot(QPointF(place))
        return spot.words if spot is not None else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._pressed = event.position().toPoint()
        spot = self._spot(event.position())
        if spot is not None:
            self.spot_pressed.emit(spot)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        in_head = scale.to_design(self._pressed.y()) < HEIGHT
        far = (event.position().toPoint() - self._pressed).manhattanLength() >= QApplication.startDragDistance()
        if event.buttons() & Qt.MouseButton.LeftButton and in_head and far:
            drag, data = QDrag(self), QMimeData()
            data.setData(MIME, self.card.key.encode())
            drag.setMimeData(data)
            drag.exec(Qt.DropAction.MoveAction)
            return
        if event.buttons() & Qt.MouseButton.LeftButton and not in_head:
            spot = self._spot(event.position())
            if spot is not None:
                self.spot_pressed.emit(spot)
        spot = self._spot(event.position())
        hand = (
            Qt.CursorShape.OpenHandCursor
            if scale.to_design(event.position().y()) < HEIGHT
            else Qt.CursorShape.ArrowCursor
        )
        self.setCursor(hand if spot is None else Qt.CursorShape.CrossCursor)
        self._point_at(spot.loss or 0 if spot is not None else 0)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(0)

    def _point_at(self, loss: int) -> None:
        if loss != self._pointed_at:
            self._pointed_at = loss
            self.loss_pointed_at.emit(loss)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if scale.to_design(event.position().y()) < HEIGHT:
            self.enlarged.emit()

    def dragEnterEvent(self, event: Any) -> None:
        if event.mimeData().hasFormat(MIME):
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        if event.mimeData().hasFormat(MIME):
            event.acceptProposedAction()
            self.dropped.emit(bytes(event.mimeData().data(MIME).data()).decode())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        deed = pressed(event)
        if deed is None:
            super().keyPressEvent(event)
        else:
            self._do(deed)

    def _do(self, deed: Deed) -> None:
        match deed.name:
            case "enlarge":
                self.enlarged.emit()
            case "hold":
                self.hold(self.held_at is None)
            case "copy":
                self.copy()
            case "move back" | "move on":
                self.moved.emit(1 if deed.name == "move on" else -1)
            case "take away":
                self.taken_away.emit()
            case "loss after" | "loss before":
                self.loss_stepped.emit(1 if deed.name == "loss after" else -1)

    def hold(self, on: bool) -> None:
        """Keeps the picture of its training step while the others go on, or follows them again."""
        self.held_at = self.sight.shown.cursor.training_step if on and self.sight is not None else None
        self.forget()
        self.held.emit(on)

    def copy(self) -> None:
        """Its numbers, tab-separated, as a spreadsheet takes them."""
        if self.sight is not None and not self.sentence:
            QGuiApplication.clipboard().setText(self.card.table(self.sight).text())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._menu().popup(event.globalPos())

    def _open_menu_below(self) -> None:
        self._menu().popup(self.menu_button.mapToGlobal(QPoint(0, self.menu_button.height())))

    def _menu(self) -> QMenu:
        """All that can be done with the card."""
        large = self._store.state.look.laboratory.enlarged == self.card.key
        done = {"enlarge"} if large else set()
        if self.held_at is not None:
            done.add("hold")
        return deeds_menu(self, done, self.card.has_loss, self._do)

    def spoken_parts(self) -> list[Part]:
        """What the card says in words."""
        if self.sentence:
            return [Part(self.sentence)]
        return [Part(marked_text.plain(words)) for words in self.drawing.texts.values()]


def _outline(mark: Mark) -> QRectF | None:
    """What a mark covers, in pixels of the design; None where that is not known."""
    match mark:
        case Line(points=points):
            xs, ys = [point.x() for point in points], [point.y() for point in points]
            rect = QRectF(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
        case Box() | Ring():
            rect = mark.rect
        case _:
            return None
    return rect.adjusted(-3, -3, 3, 3)

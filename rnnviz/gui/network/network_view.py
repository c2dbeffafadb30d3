"""The network view: folded, unrolled, or inside the cell, at the cursor; what is pressed in it is gone to."""

from typing import Any

from PySide6.QtCore import QEasingCurve, QEvent, QPoint, QPointF, QRectF, Qt, QVariantAnimation, Signal, Slot
from PySide6.QtGui import (
    QAccessible,
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.places import NO_UNIT, to_layer, to_loss, to_model, to_operation, to_parameter, to_time_step
from rnnviz.gui.canvas.lane_menus import held_choices, offer_what_ifs
from rnnviz.gui.canvas.lane_stack import waiting_sentence
from rnnviz.gui.canvas.lanes.shown import Shown, resolve
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.focus_ring import FocusFrame
from rnnviz.gui.look.theme import theme
from rnnviz.gui.network.chain import draw_loss, draw_update
from rnnviz.gui.network.drawing import Drawing, Region, Target, between
from rnnviz.gui.network.folded import draw_folded
from rnnviz.gui.network.inside import draw_inside
from rnnviz.gui.network.levels import LEVELS, Level, deeper
from rnnviz.gui.network.reading import Look, parameter_of, weights_of
from rnnviz.gui.network.steps import LEAST_PITCH, MOST_PITCH, USUAL_PITCH, Steps
from rnnviz.gui.network.unknown import draw_unknown
from rnnviz.gui.network.unrolled import draw_unrolled, height_of
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.updating import update_at
from rnnviz.gui.widgets.live_tip import LiveTip
from rnnviz.gui.widgets.marked_text import plain
from rnnviz.gui.widgets.spoken import Part, teach_screen_readers

WORDS = (
    "← → step through the program, I and O step into the cell and out, + − zoom from the loop to the inside of the "
    "cell, 0 the usual size, the menu key shows what else can be done"
)
FOLDING = 500  # ms
_GLIDES = 0.6  # of the time between two steps of a slow walk
_SHOWN = Fields(
    *("recorded.traces", "place", "look.theme", "look.scale", "look.level", "run.task", "run.models", "trial"),
)
_ZOOM = 1.25  # a notch of the wheel or a key
_MARGIN = 10.0
_LEAST_PICTURE, _USUAL_PICTURE = 330, 460  # pixels
_ABOVE_INSIDE, _LEAST_INSIDE = 150.0, 300.0  # pixels for the time steps above the diagram, and that it needs itself
_ROOM_INSIDE = 330.0  # pixels below the time steps from which the diagram stands there, too


class NetworkView(QWidget):
    """Draws the traces of the state. As a `picture` it moves nothing and marks nothing that can be pressed."""

    spoken_role = QAccessible.Role.Grouping
    run_wanted = Signal(int, int)  # time step; 1: on to it, −1: back to it
    what_if_wanted = Signal(int, object)  # model, what is to be set by hand
    what_if_asked = Signal(int, str, int)  # model, quantity, unit from 1 or 0
    origin_wanted = Signal()

    def __init__(self, store: Store, parent: QWidget | None = None, *, picture: bool = False) -> None:
        super().__init__(parent)
        self._store, self._picture = store, picture
        self._shown: Shown | None = None
        self._drawing: Drawing | None = None
        self._before: Drawing | None = None  # what is left while something folds
        self._pitch = USUAL_PITCH
        self._first = 1  # time step
        self._lit = self._pinned = ""  # the weight under the pointer, and the one that stays lit
        self._memory: dict[Any, Any] = {}  # of the drawings: what they read of the traces shown
        self._fold = QVariantAnimation(self)
        self._fold.setStartValue(0.0)
        self._fold.setEndValue(1.0)
        self._fold.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._fold.valueChanged.connect(self._folds)
        self._fold.finished.connect(self._folded)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(120)
        teach_screen_readers()
        self.setAccessibleName("Network")
        self.setAccessibleDescription(WORDS)
        self._tip = LiveTip(self, self._words_at)
        self._frame = FocusFrame(self, theme(store.state.look.theme))
        store.changed.connect(self.show_state)

    # what is drawn

    @property
    def drawing(self) -> Drawing:
        """What is seen, once nothing moves any more."""
        if self._drawing is None:
            self._drawing = self._drawn()
        return self._drawing

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        """Follows the state; a view that is not seen only remembers that it must be drawn anew."""
        if new.look.theme != old.look.theme:
            self._frame.set_theme(theme(new.look.theme))
        if not _SHOWN.changed(old, new):
            return
        if new.look.level != old.look.level:
            self._begin_folding(FOLDING)
        elif old.place.cursor != new.place.cursor:
            self._follow(old, new)
        self._shown = self._moved(old, new)
        self._drawing = None
        self.update()
        self._tip.refresh()

    def _moved(self, old: State, new: State) -> Shown | None:
        """What is known of the traces stays, where only the cursor moved."""
        here, there = old.place.cursor, new.place.cursor
        same = old.recorded is new.recorded and old.look is new.look and old.trial is new.trial and old.run is new.run
        if self._shown is None or not same or here.layer != there.layer or old.place.sample != new.place.sample:
            return None
        return self._shown.at(there)

    def _follow(self, old: State, new: State) -> None:
        """Stepping into the cell looks inside, stepping out of it looks at the time steps again."""
        stood, stands = bool(old.place.cursor.operation), bool(new.place.cursor.operation)
        level, same_model = new.look.level, old.place.model == new.place.model
        if stands and not stood and level == "unrolled":
            self._store.change(look=setting(level="inside"))
        elif stood and not stands and same_model and level == "inside":
            self._store.change(look=setting(level="unrolled"))
        elif new.look.walking:
            self._begin_folding(min(round(_GLIDES * 1000 / new.look.walk_speed), FOLDING))

    def _resolved(self) -> Shown:
        if self._shown is None:
            self._shown, self._memory = resolve(self._store.state), {}
        return self._shown

    @property
    def area(self) -> QRectF:
        """What is drawn on, in pixels of the design."""
        return QRectF(0, _MARGIN / 2, scale.width(self), max(scale.height(self) - _MARGIN, 40))

    def _drawn(self) -> Drawing:
        shown = self._resolved()
        if not shown.ready:
            return Drawing()
        state, area = self._store.state, self.area
        updating = state.look.level == "folded" and shown.cursor.phase is Phase.UPDATE
        updates = {model.number: update_at(state, model.number) for model in shown.models} if updating else {}
        unit = NO_UNIT if self._picture else state.place.unit
        look = Look(shown, self._model(shown), unit, self._lit or self._pinned, updates, self._memory)
        match state.look.level:
            case "folded":
                drawing = draw_folded(look, area)
            case "inside":
                drawing = self._inside(look, area)
            case _:
                drawing = self._unrolled(look, area)
        return drawing.without_overlaps()

    def _unrolled(self, look: Look, area: QRectF) -> Drawing:
        """The time steps, and where they leave room for it the inside of the cell below them."""
        steps = self._steps(look.shown, area, self._pitch)
        high = height_of(look, steps) + 2 * _MARGIN
        recorded = look.shown.models[look.model].structure.equations.recorded
        if area.height() - high < _ROOM_INSIDE or recorded:
            return draw_unrolled(look, area, steps)
        above = draw_unrolled(look, QRectF(area.left(), area.top(), area.width(), high), steps)
        below = self._closest(look, area.adjusted(8, high, -8, 0))
        return Drawing(above.marks + below.marks, above.regions + below.regions)

    def _inside(self, look: Look, area: QRectF) -> Drawing:
        """The diagram, and above it the time steps of its model where there is room."""
        room = area.height() - _ABOVE_INSIDE
        if room < _LEAST_INSIDE:
            return self._closest(look, area.adjusted(8, 0, -8, 0))
        above = QRectF(area.left(), area.top(), area.width(), _ABOVE_INSIDE)
        drawing = draw_unrolled(look, above, self._steps(look.shown, above, USUAL_PITCH), look.model)
        below = self._closest(look, QRectF(area.left() + 8, above.bottom(), area.width() - 16, room))
        return Drawing(drawing.marks + below.marks, drawing.regions + below.regions)

    def _closest(self, look: Look, area: QRectF) -> Drawing:
        """The inside of the cell, or of the loss or the update where the cursor stands in them."""
        state, model = self._store.state, look.shown.models[look.model]
        match look.shown.cursor.phase:
            case Phase.LOSS if model.sequence is not None:
                return draw_loss(look, model, area)
            case Phase.UPDATE if model.sequence is not None:
                return draw_update(look, model, area, update_at(state, model.number), state.place.parameter)
            case _ if model.structure.equations.recorded:
                return draw_unknown(look, area)
            case _:
                return draw_inside(look, area)

    def _steps(self, shown: Shown, area: QRectF, pitch: float) -> Steps:
        steps = Steps.around(shown.sweep.time_step, self._first, shown.time_steps, area.width(), pitch)
        self._first = steps.first
        return steps

    def _model(self, shown: Shown) -> int:
        """The index of the model stepped through, the what-if's own picture before its history."""
        number = self._store.state.place.model
        found = [place for place, model in enumerate(shown.models) if model.number == number]
        return found[-1] if found else 0

    def needed_height(self) -> int:
        """Pixels of a picture that is as high as is good for it."""
        return scale.px(_USUAL_PICTURE)

    def picture_height(self) -> int:
        """Pixels below which a picture would not hold everything."""
        return _LEAST_PICTURE

    def paintEvent(self, event: QPaintEvent) -> None:
        with scale.painting(self) as painter:
            look = theme(self._store.state.look.theme)
            painter.fillRect(scale.rect(self), look.color("background"))
            self.paint(painter)

    def paint(self, painter: QPainter) -> None:
        """Everything in pixels of the design, on whatever `painter` paints."""
        shown = self._resolved()
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        if not shown.ready:
            painter.setFont(fonts.text(fonts.TITLE))
            painter.setPen(shown.theme.color("muted"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.area, flags, waiting_sentence(self._store.state))
            return
        drawing = self.drawing
        if self._before is not None:  # whose first frame is the old one: it is also that in which the new one is made
            share = float(self._fold.currentValue())
            drawing = between(self._before, drawing, share) if share > 0 else self._before
        drawing.paint(painter)

    # folding and zooming

    def _begin_folding(self, milliseconds: int) -> None:
        animated = self._store.state.look.animated and not self._picture and self.isVisible()
        if not animated or self._drawing is None or not milliseconds:
            return
        self._before = self._drawing
        self._fold.stop()
        self._fold.setDuration(milliseconds)
        self._fold.start()

    @Slot()
    def _folds(self) -> None:
        self.update()

    @Slot()
    def _folded(self) -> None:
        self._before = None
        self.update()

    def zoom(self, factor: float) -> None:
        """Closer or farther: over the ends of a level into the next one."""
        level: Level = self._store.state.look.level
        closer = factor > 1
        if level == "unrolled":
            pitch = self._pitch * factor
            if LEAST_PITCH <= pitch <= MOST_PITCH:
                self._pitch = pitch
                self._drawing = None
                self.update()
                return
        found = deeper(level, 1 if closer else -1)
        if found != level:
            self._pitch = USUAL_PITCH if level != "unrolled" else self._pitch
            self._store.change(look=setting(level=found))

    def show_usual(self) -> None:
        """The time steps at the usual size."""
        self._pitch = USUAL_PITCH
        self._drawing = None
        self._store.change(look=setting(level="unrolled"))
        self.update()

    # what a person does

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if turned:
                self.zoom(_ZOOM if turned > 0 else 1 / _ZOOM)
        elif turned and self._store.state.look.level != "folded" and self._resolved().ready:
            self._pan(-1 if turned > 0 else 1)
        event.accept()

    def _pan(self, by: int) -> None:
        """The time steps beside, as far as the cursor stays in sight."""
        self._first += by
        self._drawing = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        alt = event.modifiers() == Qt.KeyboardModifier.AltModifier
        match event.key():
            case Qt.Key.Key_Plus if plain:
                self.zoom(_ZOOM)
            case Qt.Key.Key_Minus if plain:
                self.zoom(1 / _ZOOM)
            case Qt.Key.Key_0 if plain:
                self.show_usual()
            case Qt.Key.Key_Up | Qt.Key.Key_Down as key if alt:
                self._next_unit(1 if key == Qt.Key.Key_Down else -1)
            case _:
                super().keyPressEvent(event)

    def _next_unit(self, direction: int) -> None:
        place, shown = self._store.state.place, self._resolved()
        if shown.ready:
            count = shown.models[self._model(shown)].structure.hidden_size
            self._store.go(to_model, place.model, min(max(place.unit + direction, NO_UNIT), count - 1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        region = self._region(event.position())
        if event.button() == Qt.MouseButton.LeftButton and region is not None:
            self._go(region.target)
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        region = self._region(event.position())
        inside = region is not None and region.target.time_step is not None and not region.target.phase
        if event.button() == Qt.MouseButton.LeftButton and inside and self._store.state.look.level == "unrolled":
            self._store.change(look=setting(level="inside"))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        region = self._region(event.position())
        self._light(region.target.parameter if region is not None else "")
        self.setCursor(Qt.CursorShape.PointingHandCursor if region is not None else Qt.CursorShape.ArrowCursor)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._light("")
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._drawing = None

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with what is under the pointer."""
        keyboard = event.reason() is QContextMenuEvent.Reason.Keyboard
        region = None if keyboard else self._region(QPointF(event.pos()))
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        shown = self._resolved()
        if shown.ready:
            self._offer_values(menu, region.target if region is not None else self._own_target(shown))
        if shown.ready:
            self._offer_weights(menu.addMenu("Light up"), shown)
        for level, words in LEVELS.items():
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(level == self._store.state.look.level)
            action.triggered.connect(lambda _on, level=level: self._store.change(look=setting(level=level)))
        menu.popup(event.globalPos())

    def _offer_weights(self, menu: QMenu, shown: Shown) -> None:
        """All places of a weight, with what each adds to its gradient, until it is chosen again."""
        model = shown.models[self._model(shown)]
        assert model.sequence is not None  # something is shown
        for name, symbol in weights_of(model.structure, model.sequence):
            action = menu.addAction(plain(symbol))
            action.setCheckable(True)
            action.setChecked(name == self._pinned)
            action.triggered.connect(lambda on, name=name: self._pin(name if on else ""))

    def _pin(self, parameter: str) -> None:
        self._pinned, self._drawing = parameter, None
        self.update()

    def _own_target(self, shown: Shown) -> Target:
        """What the cursor stands on."""
        cursor, model = shown.cursor, self._model(shown)
        cell = shown.models[model].structure.equations
        nodes = [node.name for node in cell.nodes if node.step == cursor.operation and node.symbol]
        node = nodes[-1] if nodes else cell.output
        return Target(model=model, layer=cursor.layer, time_step=shown.sweep.time_step, node=node)

    def _offer_values(self, menu: QMenu, target: Target) -> None:
        """What if the node were set by hand, and where its gradient comes from."""
        shown, state = self._resolved(), self._store.state
        place = self._model(shown) if target.model is None else target.model
        model = shown.models[place]
        t = target.time_step or shown.sweep.time_step
        for direction, words in ((1, "Run to"), (-1, "Run back to")):
            run = menu.addAction(f"{words} time step {t}")
            run.triggered.connect(lambda _on, direction=direction: self.run_wanted.emit(t, direction))
        cell = model.structure.equations
        node = cell.by_name.get(target.node)
        if node is not None and node in cell.settable:
            inner = menu.addMenu(f"What if, in {model.name.removesuffix(', what-if')}")
            inner.setEnabled(not state.trial.whatif.active or state.trial.whatif.model == model.number)
            unit = state.place.unit + 1 if state.place.unit >= 0 else None
            offer_what_ifs(
                inner,
                held_choices(node, target.layer or model.layer_name, unit, t),
                lambda clamp: self.what_if_wanted.emit(model.number, clamp),
                lambda: self.what_if_asked.emit(model.number, node.name, unit or 0),
            )
        if node is not None:
            origin = menu.addAction("Where its gradient comes from")
            origin.triggered.connect(lambda: self._ask_origin(target))
        menu.addSeparator()

    def _ask_origin(self, target: Target) -> None:
        self._go(target)
        self.origin_wanted.emit()

    def _region(self, point: QPointF) -> Region | None:
        if not self._resolved().ready:
            return None
        return self.drawing.at(QPointF(scale.to_design(point.x()), scale.to_design(point.y())))

    def _light(self, parameter: str) -> None:
        """Lights up all places of a weight."""
        if parameter != self._lit:
            self._lit = parameter
            self._drawing = None
            self.update()

    def _words_at(self, place: QPoint) -> str:
        region = self._region(QPointF(place))
        return region.words if region is not None else ""

    def _go(self, target: Target) -> None:
        """To what was pressed: model, layer, time step, operation, loss, in this order."""
        store, shown = self._store, self._resolved()
        if target.model is not None:
            number = shown.models[target.model].number
            if number != store.state.place.model:
                store.go(to_model, number)
        if target.layer:
            store.go(to_layer, store.state.walkable, target.layer)
        if target.phase == "loss" and target.time_step is not None and target.operation is None:
            store.go(to_loss, target.time_step)
        elif target.time_step is not None and target.time_step != shown.sweep.time_step:
            store.go(to_time_step, store.state.walkable, target.time_step)
        if target.operation is not None:
            sweep = Phase.BACKWARD if shown.sweep.backward else Phase.FORWARD
            phase = Phase(target.phase) if target.phase else sweep
            store.go(to_operation, store.state.walkable, phase, store.state.place.cursor.layer, target.operation)
        if target.parameter and target.time_step is None and shown.cursor.phase is Phase.UPDATE:
            self._look_at_update_of(target)
        if target.level:
            store.change(look=setting(level=target.level))

    def _look_at_update_of(self, target: Target) -> None:
        """The update of the weight that was pressed, from the inside."""
        shown = self._resolved()
        model = shown.models[self._model(shown)]
        name = parameter_of(model, target.parameter)
        if name:
            self._store.go(to_parameter, name)
            self._store.change(look=setting(level="inside"))

    def spoken_parts(self) -> list[Part]:
        """What can be pressed, in words."""
        if not self._resolved().ready:
            return []
        found = []
        for region in self.drawing.regions:
            if region.words:
                box = QRectF(*(scale.px(side) for side in region.rect.getRect())).toRect()  # type: ignore[attr-defined]
                found.append(Part(region.words, box, QAccessible.Role.Graphic))
        return found

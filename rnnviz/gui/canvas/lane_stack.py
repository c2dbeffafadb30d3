"""The centre of the window: all lanes of all models on one time axis, with one cursor line across them."""

from dataclasses import dataclass, replace
from math import ceil

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QAccessible, QContextMenuEvent, QCursor, QImage, QKeyEvent, QPainter, QPixmapCache, QTransform
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QMenu, QVBoxLayout, QWidget

from rnnviz.debugger.places import NO_UNIT, run_target, to_model
from rnnviz.gui.canvas import lane_keys
from rnnviz.gui.canvas.items.canvas_view import CanvasView
from rnnviz.gui.canvas.items.skeleton import Skeleton
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lane_keys import lane_wish
from rnnviz.gui.canvas.lane_menus import held_choices, lanes_menu, layers_menu, offer_what_ifs
from rnnviz.gui.canvas.lane_overlays import ABOVE_CURSOR, LaneOverlays
from rnnviz.gui.canvas.lanes.heat_lane import HeatLane
from rnnviz.gui.canvas.lanes.heights import fitting, gaps, least_height, share_out
from rnnviz.gui.canvas.lanes.lane import Heights, Lane, LaneSlot
from rnnviz.gui.canvas.lanes.row import row_key
from rnnviz.gui.canvas.lanes.ruler import RulerLane
from rnnviz.gui.canvas.lanes.selection import folded, lane_slots
from rnnviz.gui.canvas.lanes.shown import Shown, resolve
from rnnviz.gui.canvas.lanes.unit_lanes import GateLane, StateLane
from rnnviz.gui.look import scale
from rnnviz.gui.look.columns import LABEL_COLUMN, SCALE_COLUMN
from rnnviz.gui.look.focus_ring import FocusFrame
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.views import shown_view
from rnnviz.gui.widgets.live_tip import LiveTip
from rnnviz.gui.widgets.marked_text import plain
from rnnviz.gui.widgets.spoken import Part, teach_screen_readers

_PICTURES = Fields(  # that the lanes' data come from
    *("recorded.traces", "place.sample", "look.theme", "run.task", "run.models", "look.hidden_lanes"),
    *("look.fitting_lanes", "look.scale", "trial", "run.path"),
)
_MARGIN = 8.0  # pixels above the first and below the last lane
_PICTURES_KIB = 64 * 1024  # memory Qt may use for the pictures of the lanes


@dataclass(frozen=True, eq=False)
class _Built:
    """What the lanes were made for: as long as it stays, only their data is replaced."""

    theme: Theme
    task: object
    models: object
    slots: tuple[LaneSlot, ...]

    def same(self, other: "_Built") -> bool:
        return (self.theme.name, self.task, self.models, self.slots) == (
            other.theme.name,
            other.task,
            other.models,
            other.slots,
        )


class LaneStack(QWidget):
    """Draws the traces of the state at its cursor. A click or drag in any lane chooses a time step, a click in
    a lane of units the unit and its model, too. As a `picture` it has nothing to be pressed: no scroll bar, no unit
    that is looked at, all lanes that are on however low it is, and its axes are named."""

    spoken_role = QAccessible.Role.Grouping
    time_step_chosen = Signal(int)
    run_wanted = Signal(int, int)  # time step; 1: on to it, −1: back to it
    what_if_wanted = Signal(int, object)  # model, what is to be set by hand
    what_if_asked = Signal(int, str, int)  # model, quantity, unit from 1 or 0: where a value is still to be typed

    def __init__(self, store: Store, parent: QWidget | None = None, *, picture: bool = False) -> None:
        super().__init__(parent)
        self._store, self._picture = store, picture
        self._lanes: list[Lane] = []
        self._built: _Built | None = None
        self._shown = resolve(store.state)
        self._left_at: State | None = None  # what is drawn, behind another view
        self._axis = TimeAxis.whole(LABEL_COLUMN, 100.0, 1)
        self._scene = QGraphicsScene(self)
        self._scene.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self._view = CanvasView(self._scene, self)
        self._overlays: LaneOverlays | None = None
        self._skeleton: Skeleton | None = None
        self._tip = LiveTip(self._view.viewport(), self._words_at)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)
        teach_screen_readers()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Lanes")
        self.setAccessibleDescription(lane_keys.WORDS.replace("\n", " "))
        self._frame = FocusFrame(self, self._shown.theme)
        QPixmapCache.setCacheLimit(max(QPixmapCache.cacheLimit(), _PICTURES_KIB))
        self._view.taken.connect(self._take)
        self._view.pressed.connect(self._press)
        self._view.hovered.connect(self._hover)
        self._view.zoomed.connect(self._zoom)
        self._view.panned.connect(self._pan)
        self._view.fitted.connect(self.show_all_time_steps)
        self._view.resized.connect(self._resized)
        store.changed.connect(self.show_state)
        self._rescale()
        self._rebuild(store.state)

    def show_state(self, old: State, new: State) -> None:
        """Replaces what changed: size of the text, lanes, data, or only the cursor; behind another view nothing, until
        the lanes are looked at again."""
        old = self._left_at or old
        behind = not self._picture and shown_view(new).key != "lanes"
        self._left_at = old if behind else None
        if behind:
            return
        if new.look.scale != old.look.scale:
            self._rescale()
        other_row = row_key(old.place.cursor.layer) != row_key(new.place.cursor.layer)
        if _PICTURES.changed(old, new) or other_row:
            self._shown = resolve(new)
            self._refresh(new)
            self._fit()
            if new.place.sample != old.place.sample:
                self._follow_cursor()
        elif old.place.cursor != new.place.cursor:
            self._shown = self._shown.at(new.place.cursor)
            self._follow_cursor()
        if (old.place.unit, old.place.model) != (new.place.unit, new.place.model):
            self._mark_unit(new)
        if not self._shown.ready and self._skeleton is not None:
            self._skeleton.set_sentence(waiting_sentence(new))
        self._tip.refresh()

    def show_all_time_steps(self) -> None:
        """Ends zooming."""
        self._axis = TimeAxis.whole(self._axis.left, self._axis.width, self._axis.time_steps)
        self._lay_out()

    @property
    def axis(self) -> TimeAxis:
        """The time steps that are seen, and where."""
        return self._axis

    def show_time_steps(self, axis: TimeAxis) -> None:
        """Shows the part of the time that `axis` shows."""
        if axis.time_steps == self._axis.time_steps:
            self._axis = replace(self._axis, first=axis.first, last=axis.last)
            self._lay_out()

    def image(self, dots: int = 1) -> QImage:
        """The whole stack, also what is scrolled away, at `dots` pixels for each of the screen."""
        area, each = self._scene.sceneRect(), dots * scale.text_scale()
        image = QImage(round(area.width() * each), round(area.height() * each), QImage.Format.Format_RGB32)
        image.fill(self._shown.theme.color("background"))
        with QPainter(image) as painter:
            painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
            self._scene.render(painter, QRectF(image.rect()), area)
        image.setDevicePixelRatio(dots)
        return image

    def needed_height(self) -> int:
        """Pixels below which the lanes are compact."""
        return scale.px(ceil(least_height(self._wishes, compact=False) + 2 * _MARGIN)) if self._lanes else 0

    def picture_height(self) -> int:
        """Pixels below which a picture would not hold all lanes, be they compact."""
        return ceil(least_height(self._wishes, compact=True) + 2 * _MARGIN) if self._lanes else 0

    @property
    def _wishes(self) -> list[Heights]:
        return [lane.heights for lane in self._lanes]

    def spoken_parts(self) -> list[Part]:
        """The lanes from top to bottom: what each shows, of which model."""
        found = []
        for lane in self._lanes:
            of = f"{self._shown.models[lane.model].name}: " if lane.model is not None else ""
            name = of + lane.label.title if lane.label.title not in of else lane.label.title
            box = self._view.mapFromScene(lane.rect).boundingRect()
            found.append(Part(plain(name) or "Time steps", box, QAccessible.Role.Graphic, plain(lane.label.subtitle)))
        return found

    def set_cached(self, cached: bool) -> None:
        """Without cached pictures every painting is exact at any scale, as figures need it."""
        modes = QGraphicsItem.CacheMode
        for lane in self._lanes:
            for item in lane.items:
                item.setCacheMode(modes.DeviceCoordinateCache if cached and item.cached else modes.NoCache)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match lane_wish(event):
            case ("zoom", factor):
                self._zoom(factor, self._axis.x(self._shown.sweep.time_step))
            case ("whole", _):
                self.show_all_time_steps()
            case ("unit", direction):
                self._next_unit(round(direction))
            case ("scroll", pixels):
                bar = self._view.verticalScrollBar()
                bar.setValue(bar.value() + round(pixels))
            case ("pan", pixels):
                self._pan(pixels)
            case _:
                super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Which lanes are shown."""
        menu = lanes_menu(self._store, self)
        menu.addSeparator()
        point = self._view.mapToScene(self._view.mapFrom(self, event.pos()))
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            point.setX(self._axis.x(self._shown.sweep.time_step))
        self._offer_runs(menu, point)
        self._offer_what_ifs(menu, point)
        fit = menu.addAction("Show all time steps")
        fit.setEnabled(self._axis.zoomed)
        fit.triggered.connect(self.show_all_time_steps)
        menu.popup(event.globalPos())

    def _refresh(self, state: State) -> None:
        """New data into the lanes; lanes are made anew only when there are others."""
        slots = lane_slots(self._shown) if self._shown.ready else ()
        built = _Built(self._shown.theme, state.run.task, _models(self._shown), slots)
        if self._built is None or not built.same(self._built):
            self._rebuild(state)
            return
        if self._skeleton is not None:
            self._skeleton.set_sentence(waiting_sentence(state))
        for lane in self._lanes:
            self._fill(lane)
        if self._shown.longest != self._axis.time_steps:
            self._lay_out()
        else:
            self._hatch()
            self._move_cursor()

    def _rebuild(self, state: State) -> None:
        shown = self._shown
        self._clear()
        self._frame.set_theme(shown.theme)
        self._scene.setBackgroundBrush(shown.theme.color("background"))
        slots = lane_slots(shown) if shown.ready else ()
        self._built = _Built(shown.theme, state.run.task, _models(shown), slots)
        if not slots:
            self._skeleton = Skeleton(shown.theme)
            self._skeleton.set_sentence(waiting_sentence(state))
            self._scene.addItem(self._skeleton)
        for slot in slots:
            lane = slot.lane(shown, slot)
            for item in lane.items:
                if lane.over_cursor or item.above_cursor:
                    item.setZValue(ABOVE_CURSOR)
                self._scene.addItem(item)
            self._fill(lane)
            self._lanes.append(lane)
        self._mark_unit(state)
        if slots:
            self._overlays = LaneOverlays(shown.theme, self._scene)
        self._lay_out()

    def _fill(self, lane: Lane) -> None:
        lane.show(self._shown)
        if self._picture:
            lane.name_axes(self._shown)
        elif isinstance(lane, RulerLane):
            lane.show_folded(*folded(self._shown))

    def _clear(self) -> None:
        for lane in self._lanes:
            for item in lane.items:
                self._scene.removeItem(item)
        if self._overlays is not None:
            self._overlays.remove()
        if self._skeleton is not None:
            self._scene.removeItem(self._skeleton)
        self._lanes, self._overlays, self._skeleton = [], None, None

    def _rescale(self) -> None:
        """The view enlarges the lanes, which lie in pixels of the design; what is seen on top stays there."""
        bar = self._view.verticalScrollBar()
        share = bar.value() / max(1, bar.maximum())
        self._view.setTransform(QTransform.fromScale(scale.text_scale(), scale.text_scale()))
        self._lay_out()
        bar.setValue(round(share * bar.maximum()))

    def _resized(self) -> None:
        self._lay_out()
        self._fit()

    def _fit(self) -> None:
        """Lets the lanes come and go that are shown only where there is room."""
        if not self._shown.ready:
            return
        room = scale.height(self._view)
        if self._picture and self.picture_height() > room:
            return
        found = fitting(self._shown, room - 2 * _MARGIN)
        if found != self._shown.fitting:
            self._store.change(look=setting(fitting_lanes=found))

    def _lay_out(self) -> None:
        """Gives every lane its row; called when size, lanes, T or the visible time change."""
        width, height = scale.to_design(float(self._view.width())), scale.to_design(float(self._view.height()))
        # the scroll bar is switched by hand: left to Qt it comes and goes within one layout
        scrolls = not self._picture and least_height(self._wishes, compact=True) + 2 * _MARGIN > height
        policies = Qt.ScrollBarPolicy
        self._view.setVerticalScrollBarPolicy(policies.ScrollBarAlwaysOn if scrolls else policies.ScrollBarAlwaysOff)
        if scrolls:
            width -= scale.to_design(self._view.verticalScrollBar().sizeHint().width())
        plot = max(width - LABEL_COLUMN - SCALE_COLUMN, 40.0)
        self._axis = self._axis.moved_to(LABEL_COLUMN, plot, self._shown.longest)
        wishes = self._wishes  # a scroll bar that comes or goes may change which there are
        room = height - 2 * _MARGIN
        free = gaps(wishes, room)
        top = _MARGIN - (free[0] if free else 0.0)
        for lane, gap, high in zip(self._lanes, free, share_out(wishes, room), strict=True):
            top += gap
            lane.place(QRectF(0.0, top, width, high), self._axis)
            top += high
        if self._skeleton is not None:
            self._skeleton.place(QRectF(0.0, 0.0, width, height), self._axis)
        self._scene.setSceneRect(0.0, 0.0, width, max(height, top + _MARGIN) if self._lanes else height)
        self._hatch()
        self._move_cursor()

    def _hatch(self) -> None:
        if self._overlays is not None:
            self._overlays.lay_out(self._lanes, self._shown, self._axis)

    def _follow_cursor(self) -> None:
        """A cursor that leaves the visible time takes the axis with it."""
        axis = self._axis.showing(self._shown.sweep.time_step)
        if axis != self._axis:
            self._axis = axis
            self._lay_out()
        else:
            self._move_cursor()

    def _move_cursor(self) -> None:
        if self._overlays is not None:
            self._overlays.move_cursor(self._lanes, self._shown, self._axis)

    def _take(self, point: QPointF) -> None:
        """Looks at the unit that is clicked, and at the model of the lane."""
        lane = self._lane_at(point)
        if lane is None or lane.model is None or point.x() < LABEL_COLUMN:
            return
        unit = lane.map.row_at(point.y()) if isinstance(lane, HeatLane) else self._store.state.place.unit
        model = self._shown.models[lane.model].number
        self._store.go(to_model, model, unit)

    def _next_unit(self, direction: int) -> None:
        """Looks at the unit below or above the one that is looked at; before the first there is none."""
        state = self._store.state
        models = [model for model in self._shown.models if model.number == state.place.model]
        if self._shown.ready and models:
            count = models[0].structure.hidden_size
            self._store.go(to_model, state.place.model, min(max(state.place.unit + direction, NO_UNIT), count - 1))

    def _mark_unit(self, state: State) -> None:
        if self._picture:
            return
        for lane in self._lanes:
            if isinstance(lane, HeatLane):
                looked_at = lane.model is not None and self._shown.models[lane.model].number == state.place.model
                lane.map.mark_row(state.place.unit if looked_at and state.place.unit >= 0 else None)

    def _offer_runs(self, menu: QMenu, point: QPointF) -> None:
        """Runs to the time step under the pointer, there where they lead anywhere."""
        if not self._shown.ready or point.x() < LABEL_COLUMN:
            return
        time_step, state = self._time_step_at(point), self._store.state
        for direction, words in ((1, "Run to"), (-1, "Run back to")):
            run = menu.addAction(f"{words} time step {time_step}")
            run.setEnabled(run_target(state.place, state.walkable, time_step, direction) is not None)
            run.triggered.connect(lambda _on, direction=direction: self.run_wanted.emit(time_step, direction))
        menu.addSeparator()

    def _offer_what_ifs(self, menu: QMenu, point: QPointF) -> None:
        """What could be set by hand in the lane under the pointer."""
        lane = self._lane_at(point)
        if lane is None or lane.model is None or not isinstance(lane, StateLane | GateLane) or not self._shown.ready:
            return
        shown, state = self._shown.models[lane.model], self._store.state
        settable = {node.name for node in shown.structure.equations.settable}
        if lane.node.name not in settable or len(state.walkable.lengths) == 0:
            return
        row = lane.map.row_at(point.y()) if point.x() >= LABEL_COLUMN else -1
        unit = row + 1 if 0 <= row < shown.structure.units(lane.node.name) else None
        time_step = self._time_step_at(point) if unit is not None else self._shown.sweep.time_step
        inner = menu.addMenu(f"What if, in {shown.name.removesuffix(', what-if')}")
        whatif, model, name = state.trial.whatif, shown.number, lane.node.name
        inner.setEnabled(not whatif.active or whatif.model == model)  # one model at a time
        offer_what_ifs(
            inner,
            held_choices(lane.node, shown.layer_at(time_step), unit, time_step),
            lambda clamp: self.what_if_wanted.emit(model, clamp),
            lambda: self.what_if_asked.emit(model, name, unit or 0),
        )
        menu.addSeparator()

    def _press(self, point: QPointF) -> None:
        lane = self._lane_at(point)
        if lane is not None and lane.offers_layers and point.x() < LABEL_COLUMN:
            self._offer_layers(lane)
        elif lane is not None and lane.offers_lanes and point.x() < LABEL_COLUMN:
            lanes_menu(self._store, self).popup(QCursor.pos())
        elif lane is not None and point.x() >= LABEL_COLUMN:
            chosen = self._time_step_at(point)
            if chosen != self._shown.sweep.time_step:
                self.time_step_chosen.emit(chosen)

    def _offer_layers(self, lane: Lane) -> None:
        assert lane.model is not None
        model = self._shown.models[lane.model]
        if len(model.network.layer_names) > 1:
            layers_menu(self._store, model.network, model.layer_at(self._shown.sweep.time_step), self).popup(
                QCursor.pos()
            )

    def _lane_at(self, point: QPointF) -> Lane | None:
        return next((lane for lane in self._lanes if lane.rect.top() <= point.y() <= lane.rect.bottom()), None)

    def _time_step_at(self, point: QPointF) -> int:
        """Held inside the sequence."""
        return min(self._axis.time_step_at(point.x()), self._shown.time_steps)

    def _hover(self, point: QPointF) -> None:
        self._tip.rest_at(self._view.mapFromScene(point))

    def _words_at(self, place: QPoint) -> str:
        point = self._view.mapToScene(place)
        lane = self._lane_at(point)
        if lane is None:
            return ""
        t = self._axis.time_step_at(point.x()) if self._axis.left <= point.x() <= self._axis.right else 0
        return next((rest.words for rest in lane.rests(self._shown) if rest.holds(t)), "") or lane.tip(point)

    def _zoom(self, factor: float, x: float) -> None:
        self._axis = self._axis.scaled(factor, x)
        self._lay_out()

    def _pan(self, pixels: float) -> None:
        if self._axis.zoomed:
            self._axis = self._axis.panned(pixels)
            self._lay_out()


def _models(shown: Shown) -> tuple[object, ...]:
    """What lanes are made for: models, and whether they show a difference."""
    return tuple(
        (model.number, model.name, model.network, replace(model.structure, input_size=1), model.base is None)
        for model in shown.models
    )


def waiting_sentence(state: State) -> str:
    """Why there is nothing to draw yet."""
    if state.recorded.status is not None and state.recorded.status.state in ("failed", "stopped"):
        return state.recorded.status.sentence or "The engine has stopped before the first trace."
    if state.run.path is not None and state.recorded.status is None and not len(state.recorded.history.captured):
        return state.notices.busy or "No training step of this run was captured: there are no lanes to draw."
    return state.notices.busy or "The engine is starting …"

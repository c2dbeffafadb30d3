"""View switcher: the names of the views above the centre, and on the right how close the network is looked at and
whose sequences are."""

from collections.abc import Mapping
from typing import TypeVar

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from rnnviz.core.sweeps.capture import CaptureKind
from rnnviz.gui.live.batch_words import can_show_batch
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.theme import theme
from rnnviz.gui.network.levels import LEVELS, Level
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.views import VIEWS, shown_view
from rnnviz.gui.widgets import marked_text
from rnnviz.gui.widgets.page_tabs import PageTabs

HEIGHT = 30
_SHOWN = Fields(
    *("look.view", "look.level", "look.theme", "look.scale", "place.kind", "recorded.traces"),
    *("recorded.history", "recorded.status", "run.source"),
)
_BETWEEN = " · "
_KINDS: dict[CaptureKind, str] = {"probe": "Probe", "batch": "Training batch"}

Choice = TypeVar("Choice", bound=str)


class ViewSwitcher(QWidget):
    """Tabs on the left, words to choose from on the right. `kind_wanted(kind)` when the probe or the training batch is
    asked for."""

    kind_wanted = Signal(str)

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("role", "canvas")
        self.tabs = PageTabs()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the arrows to the view
        self.tabs.setAccessibleName("Views")
        self.tabs.setAccessibleDescription("← and → show another view of the same cursor")
        for number, view in enumerate(VIEWS, 1):
            self.tabs.addTab(view.words)
            self.tabs.setTabToolTip(number - 1, f"{view.words}: {view.tooltip}  ({number})")
        self.tabs.tabBarClicked.connect(self._choose)
        self.tabs.currentChanged.connect(self._turn)
        self.crumbs = Breadcrumb(store)
        self.sequences = SequenceSwitch(store)
        self.sequences.chosen.connect(self.kind_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self.tabs)
        row.addStretch(1)
        row.addWidget(self.crumbs)
        row.addWidget(self.sequences)
        scale.fit(self, height=HEIGHT)
        store.changed.connect(self.show_state)
        self._show(store.state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if _SHOWN.changed(old, new):
            self._show(new)

    def _show(self, state: State) -> None:
        self.tabs.setCurrentIndex(VIEWS.index(shown_view(state)))
        self.crumbs.setVisible(shown_view(state).key == "network")
        self.crumbs.update()
        self.sequences.show_state(state)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The switch goes first where there is no room: its command does the same."""
        taken = self.tabs.sizeHint().width() + (self.crumbs.width() if not self.crumbs.isHidden() else 0)
        room = self.width() - taken - self.sequences.width() - 36
        self.sequences.setVisible(room >= 0 and can_show_batch(self._store.state))

    @Slot(int)
    def _choose(self, number: int) -> None:
        if number >= 0:
            self._store.change(look=setting(view=VIEWS[number].key))

    @Slot(int)
    def _turn(self, number: int) -> None:
        """With the arrow keys."""
        if self.tabs.hasFocus():
            self._choose(number)


class SequenceSwitch(QWidget):
    """ "Probe · Training batch": whose sequences are looked at stands out; `chosen(kind)` when the other is pressed."""

    chosen = Signal(str)

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Shift+B does the same
        self.setAccessibleName("Whose sequences")
        wide = sum(marked_text.width(words, fonts.BODY) for words in _KINDS.values())
        scale.fit(self, width=round(wide + marked_text.width(_BETWEEN, fonts.BODY)) + 14, height=HEIGHT)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_state(self, state: State) -> None:
        """What it stands on, and in the tooltip what that is."""
        self.setAccessibleDescription(_KINDS[_kind(state)])
        batch = state.walkable.batch_words(state.place.cursor.training_step)
        told = f"Shown are {batch}" if batch else "Shown is the probe, the same sequences at every training step"
        tip = f"{told}\nPress for the other; breakpoints and searches always look at the probe  (Shift+B)"
        if tip != self.toolTip():
            self.setToolTip(tip)
        self.update()

    @property
    def places(self) -> dict[CaptureKind, QRectF]:
        """Where each word stands, in pixels of the design."""
        return _places(_KINDS)

    def paintEvent(self, event: QPaintEvent) -> None:
        _draw_choices(self, self._store.state, _KINDS, _kind(self._store.state))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        kind = _pressed(self.places, event)
        if kind is not None and kind != _kind(self._store.state):
            self.chosen.emit(kind)
        event.accept()


class Breadcrumb(QWidget):
    """ "Folded · Unrolled · Inside the cell": the one that is looked at stands out, a press looks at another."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # + and − do the same
        self.setAccessibleName("How close")
        wide = sum(marked_text.width(words, fonts.BODY) for words in LEVELS.values())
        wide += (len(LEVELS) - 1) * marked_text.width(_BETWEEN, fonts.BODY)
        scale.fit(self, width=round(wide) + 14, height=HEIGHT)
        self.setToolTip("How close the network is looked at  (+ and −, or Ctrl and the wheel)")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def places(self) -> dict[Level, QRectF]:
        """Where each level stands, in pixels of the design."""
        return _places(LEVELS)

    def paintEvent(self, event: QPaintEvent) -> None:
        _draw_choices(self, self._store.state, LEVELS, self._store.state.look.level)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        level = _pressed(self.places, event)
        if level is not None:
            self._store.change(look=setting(level=level))
        event.accept()


def _kind(state: State) -> CaptureKind:
    return "batch" if state.place.kind == "batch" else "probe"


def _places(choices: Mapping[Choice, str]) -> dict[Choice, QRectF]:
    """Where each word stands, in pixels of the design."""
    x, found = 4.0, dict[Choice, QRectF]()
    for choice, words in choices.items():
        wide = marked_text.width(words, fonts.BODY)
        found[choice] = QRectF(x, 0, wide, HEIGHT)
        x += wide + marked_text.width(_BETWEEN, fonts.BODY)
    return found


def _pressed(places: Mapping[Choice, QRectF], event: QMouseEvent) -> Choice | None:
    x = scale.to_design(event.position().x())
    return next((choice for choice, place in places.items() if place.left() - 4 <= x <= place.right() + 4), None)


def _draw_choices(widget: QWidget, state: State, choices: Mapping[Choice, str], now: Choice) -> None:
    """The words beside each other; the one that is chosen stands out."""
    look = theme(state.look.theme)
    with scale.painting(widget) as painter:
        for number, (choice, place) in enumerate(_places(choices).items()):
            if number:
                marked_text.draw(painter, place.left() - marked_text.width(_BETWEEN, fonts.BODY), 19, _BETWEEN,
                                 fonts.BODY, look.color("muted"))  # fmt: skip
            color = look.color("text" if choice == now else "muted")
            marked_text.draw(painter, place.left(), 19, choices[choice], fonts.BODY, color, bold=choice == now)

"""View switcher: the names of the views above the centre, and on the right how close the network is looked at."""

from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

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
_SHOWN = Fields("look.view", "look.level", "look.theme", "look.scale")
_BETWEEN = " · "


class ViewSwitcher(QWidget):
    """Tabs on the left, a breadcrumb on the right."""

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
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self.tabs)
        row.addStretch(1)
        row.addWidget(self.crumbs)
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

    @Slot(int)
    def _choose(self, number: int) -> None:
        if number >= 0:
            self._store.change(look=setting(view=VIEWS[number].key))

    @Slot(int)
    def _turn(self, number: int) -> None:
        """With the arrow keys."""
        if self.tabs.hasFocus():
            self._choose(number)


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
        x, found = 4.0, dict[Level, QRectF]()
        for level, words in LEVELS.items():
            wide = marked_text.width(words, fonts.BODY)
            found[level] = QRectF(x, 0, wide, HEIGHT)
            x += wide + marked_text.width(_BETWEEN, fonts.BODY)
        return found

    def paintEvent(self, event: QPaintEvent) -> None:
        look, now = theme(self._store.state.look.theme), self._store.state.look.level
        places = self.places
        with scale.painting(self) as painter:
            for number, (level, place) in enumerate(places.items()):
                if number:
                    marked_text.draw(painter, place.left() - marked_text.width(_BETWEEN, fonts.BODY), 19, _BETWEEN,
                                     fonts.BODY, look.color("muted"))  # fmt: skip
                color = look.color("text" if level == now else "muted")
                marked_text.draw(painter, place.left(), 19, LEVELS[level], fonts.BODY, color, bold=level == now)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        x = scale.to_design(event.position().x())
        for level, place in self.places.items():
            if place.left() - 4 <= x <= place.right() + 4:
                self._store.change(look=setting(level=level))
        event.accept()

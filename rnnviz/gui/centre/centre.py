"""The centre: the view in front, made when it is first looked at, below the switcher."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QApplication, QStackedLayout, QWidget

from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.views import shown_view

if TYPE_CHECKING:
    from rnnviz.gui.gradients.page import GradientsView
    from rnnviz.gui.network.network_view import NetworkView


class Centre(QWidget):
    """Lanes, network or gradients. Whoever has the keyboard in one has it in that which comes to the front."""

    run_wanted = Signal(int, int)
    what_if_wanted = Signal(int, object)
    what_if_asked = Signal(int, str, int)
    origin_wanted = Signal()
    training_step_wanted = Signal(int)

    def __init__(self, store: Store, lanes: LaneStack, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self.lanes = store, lanes
        self.network: NetworkView | None = None  # made when it is first looked at
        self.gradients: GradientsView | None = None
        self._stack = QStackedLayout(self)
        self._stack.addWidget(lanes)
        for wish in ("run_wanted", "what_if_wanted", "what_if_asked"):
            getattr(lanes, wish).connect(getattr(self, wish))
        store.changed.connect(self.show_state)
        self._show(store.state)

    @property
    def front(self) -> QWidget:
        """The view that is seen."""
        return self._stack.currentWidget()

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.look.view != old.look.view:
            self._show(new)

    def _show(self, state: State) -> None:
        match shown_view(state).key:
            case "network":
                wanted: QWidget = self._made_network()
            case "gradients":
                wanted = self._made_gradients()
            case _:
                wanted = self.lanes
        if wanted is self.front:
            return
        focused = QApplication.focusWidget()
        has_keyboard = focused is not None and (focused is self.front or self.front.isAncestorOf(focused))
        self._stack.setCurrentWidget(wanted)
        if has_keyboard:
            wanted.setFocus()

    def _made_network(self) -> "NetworkView":
        if self.network is None:
            from rnnviz.gui.network.network_view import NetworkView

            self.network = NetworkView(self._store)
            for wish in ("run_wanted", "what_if_wanted", "what_if_asked", "origin_wanted"):
                getattr(self.network, wish).connect(getattr(self, wish))
            self._stack.addWidget(self.network)
        return self.network

    def _made_gradients(self) -> "GradientsView":
        if self.gradients is None:
            from rnnviz.gui.gradients.page import GradientsView

            self.gradients = GradientsView(self._store)
            self.gradients.training_step_wanted.connect(self.training_step_wanted)
            self._stack.addWidget(self.gradients)
        return self.gradients

    def stop(self) -> bool:
        """Ends what a view looks for off the event loop; False if it did not end in time."""
        return self.gradients is None or self.gradients.stop()

"""Head row of the Gradients view: which cards, whose losses, which threshold, and what all cards have in common."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QPoint, QSize, Qt, Slot
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from rnnviz.core.numbers import bound, whole
from rnnviz.core.sweeps.capture import KIND_WORDS
from rnnviz.gui.canvas.lanes.shown import Shown
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.state.laboratory import CARDS, DEFAULT_CARDS, LEAST_THRESHOLD, MOST_THRESHOLD, Laboratory, Losses
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets.fields import Choice
from rnnviz.gui.widgets.line_popup import JumpField
from rnnviz.gui.widgets.number_field import NumberField, PartSlider
from rnnviz.gui.widgets.parsing import line, real, stepped_number
from rnnviz.gui.widgets.slider_scale import SliderScale

HEIGHT = 34
_LOSSES_WIDTH, _WIDTH, _LEAST = 132, 88, 36  # pixels of the design: of the fields, and of each at least
_LOSSES: tuple[tuple[Losses, str], ...] = (
    ("", "losses: automatic"),
    ("task", "losses: the task’s"),
    ("unit", "losses: unit"),
)


class _TickMenu(QMenu):
    """Stays open while ticks are set, by the mouse or by Space."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self._tick(self.actionAt(event.position().toPoint())):
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space or not self._tick(self.activeAction()):
            super().keyPressEvent(event)

    @staticmethod
    def _tick(action: QAction | None) -> bool:
        ticks = action is not None and action.isCheckable()
        if action is not None and ticks:
            action.trigger()
        return ticks


class HeadRow(QWidget):
    """Above the cards; what is set here holds for all of them."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._ask: JumpField | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 12, 2)
        row.setSpacing(8)
        self.choose = QPushButton("Cards")
        self.choose.setToolTip("Which cards are shown; layouts are saved and brought back here")
        self.choose.clicked.connect(self.open_menu)
        self.losses = Choice(_LOSSES, flat=True)
        self.losses.setAccessibleName("Losses")
        self.losses.setToolTip(
            "The losses whose gradients are looked at: those of the task, or a unit loss uᵀh_k at every time step k, "
            "u a fixed random direction of length 1; automatic: unit losses where the task asks at few time steps"
        )
        scale.fit(self.losses, width=_LOSSES_WIDTH)
        self.losses.chosen.connect(lambda value: self._arrange(lambda lab: replace(lab, losses=value)))
        number = real("The threshold", LEAST_THRESHOLD, MOST_THRESHOLD)
        slider = PartSlider(SliderScale(LEAST_THRESHOLD, MOST_THRESHOLD, whole=False, log=True))
        self.threshold = NumberField(number, bound, stepped_number, [slider])
        self.threshold.setAccessibleName("Threshold")
        self.threshold.setToolTip("Below it a gradient counts as vanished; it bounds the memory horizon")
        scale.fit(self.threshold, width=_WIDTH)
        self.threshold.entered.connect(lambda value: self._arrange(lambda lab: replace(lab, threshold=value)))
        self.relative = Choice(((True, "relative"), (False, "absolute")), flat=True)
        scale.fit(self.relative, width=_WIDTH)
        self.relative.setAccessibleName("Threshold is")
        self.relative.setToolTip("relative: of ‖∂L/∂h‖ where the loss enters; absolute: of the magnitude itself")
        self.relative.chosen.connect(lambda value: self._arrange(lambda lab: replace(lab, relative=value)))
        self.common = QLabel()
        self.common.setProperty("role", "label")
        scale.fit(self.common, font=fonts.text(fonts.SMALL))
        self._common: tuple[str, ...] = ("",)  # of all cards; then shorter
        self._words = QLabel("Threshold")
        self._words.setProperty("role", "label")
        row.addWidget(self.choose)
        row.addWidget(self.losses)
        row.addStretch(1)
        for widget in (self.common, self._words, self.threshold, self.relative):
            row.addWidget(widget)
        scale.fit(self, least_height=HEIGHT)
        store.changed.connect(self.show_state)
        self._show(store.state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if old.look.laboratory is not new.look.laboratory:
            self._show(new)

    def _show(self, state: State) -> None:
        laboratory = state.look.laboratory
        self.losses.set_value(laboratory.losses)
        self.threshold.set_value(laboratory.threshold)
        self.relative.set_value(laboratory.relative)

    @property
    def stops(self) -> list[QWidget]:
        """Where Tab stops, from left to right."""
        return [self.choose, self.losses, self.threshold, self.relative]

    def show_shown(self, shown: Shown) -> None:
        """What all cards have in common."""
        deep = shown.models and shown.models[0].network.layer_names[1:]
        layer = shown.models[0].network.words(shown.models[0].layer_name) if deep else ""
        scales = "same scales for all models" if len(shown.models) > 1 else ""
        batch = f"{KIND_WORDS['batch']}, " if shown.kind == "batch" else ""
        sequence = f"{batch}sequence {whole(shown.sample + 1)}"
        self._common = tuple(" · ".join(filter(None, (*more, sequence, layer))) for more in ((scales,), ()))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Holds all that can be set; what a window cannot give its fields do without."""
        return QSize(self._least(), super().minimumSizeHint().height())

    def _least(self) -> int:
        return self._beside() + sum(scale.px(width) for _, width in self._fields)

    def _beside(self) -> int:
        """Pixels for what is not one of the fields."""
        return 24 + self.choose.sizeHint().width() + 4 * 8

    @property
    def _fields(self) -> tuple[tuple[QWidget, int], ...]:
        """Those that give way where the text is large, and how wide they are in the design."""
        return (self.losses, _LOSSES_WIDTH), (self.threshold, _WIDTH), (self.relative, _WIDTH)

    def _fit(self) -> None:
        """Words that can be done without are left out where there is no room for all; then the fields are narrower."""
        room = self.width() - self._least()
        for words in self._common:
            self.common.setText(words)
            if self.common.sizeHint().width() + 8 <= room:
                break
        for label in (self._words, self.common):
            room -= label.sizeHint().width() + 8
            label.setVisible(room >= 0)
        wanted = self._least() - self._beside()
        share = min((self.width() - self._beside()) / wanted, 1.0)
        for field, width in self._fields:
            field.setFixedWidth(max(round(share * scale.px(width)), scale.px(_LEAST)))

    def open_menu(self) -> None:
        """Every card with a tick, and the layouts."""
        menu = _TickMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        laboratory = self._store.state.look.laboratory
        for card in CARDS:
            action = menu.addAction(card.words)
            action.setToolTip(card.tooltip)
            action.setCheckable(True)
            action.setChecked(card.key in laboratory.cards)
            action.triggered.connect(lambda on, key=card.key: self._arrange(lambda lab: lab.with_card(key, on)))
        menu.setToolTipsVisible(True)
        menu.addSeparator()
        usual = menu.addAction("Usual cards")
        usual.triggered.connect(lambda: self._arrange(lambda lab: lab.arranged(DEFAULT_CARDS)))
        for name, cards in laboratory.layouts:
            layout = menu.addAction(f"Layout “{name}”".replace("&", "&&"))
            layout.triggered.connect(lambda _=False, cards=cards: self._arrange(lambda lab: lab.arranged(cards)))
        menu.addAction("Keep this layout …").triggered.connect(self.ask_name)
        if laboratory.layouts:
            forget = menu.addMenu("Forget a layout")
            for name, _ in laboratory.layouts:
                action = forget.addAction(name.replace("&", "&&"))
                action.triggered.connect(lambda _=False, name=name: self._arrange(lambda lab: lab.without_layout(name)))
        menu.popup(self.choose.mapToGlobal(QPoint(0, self.choose.height())))

    def ask_name(self) -> None:
        """By which name the cards on the page are kept."""
        self._ask = JumpField(self._keep, self, "Name of the layout", "The cards on the page are kept by this name.")
        self._ask.ask("", self.choose)

    def _keep(self, text: str) -> None:
        name = line("The name", 40)(text)
        self._arrange(lambda lab: lab.with_layout(str(name)))

    def _arrange(self, change: Callable[[Laboratory], Laboratory]) -> None:
        self._store.change(look=lambda look: replace(look, laboratory=change(look.laboratory)))

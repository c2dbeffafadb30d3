"""Picture dialog: what is drawn, in which theme, how large and with how large texts."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.figures.figure import Curves, draw_figure, lanes_as_seen
from rnnviz.gui.figures.formats import FONT_SCALES, SCALES, SIDES, Measures
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.look.theme import ThemeName
from rnnviz.gui.state.state import State
from rnnviz.gui.state.views import shown_view
from rnnviz.gui.widgets.fields import Choice, Field, Row
from rnnviz.gui.widgets.open_dialogs import show_held
from rnnviz.gui.widgets.parsing import real, whole

VIEW, BOTH, CURVES = "view", "both", "curves"
_WIDE = 220  # pixels of the fields


@dataclass(frozen=True)
class Drawn:
    """What a picture from the window is made of."""

    state: State
    size: tuple[int, int]  # proposed
    curves: Curves
    axis: TimeAxis  # the part of the time that is seen


class PictureDialog(QDialog):
    """Asks for the measures of a picture; `image` is the answer, drawn before the dialog closes."""

    def __init__(self, drawn: Drawn, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawn = drawn
        self.image: QImage | None = None
        self.setWindowTitle("Save a picture")
        self.setMinimumWidth(400)
        view = shown_view(drawn.state).words
        what = [(VIEW, view), (BOTH, f"{view} and training curves"), (CURVES, "Training curves")]
        self.what = Choice(what if drawn.state.run.trainable else what[:1])
        self.theme = Choice([("dark", "Dark"), ("light", "Light")])
        self.theme.set_value(drawn.state.look.theme)
        self.width_field, self.height_field = (Field(whole(name, *SIDES)) for name in ("Width", "Height"))
        self.width_field.set_value(drawn.size[0])
        self.height_field.set_value(drawn.size[1])
        self.scale = Choice([(scale, f"{scale}×") for scale in SCALES])
        self.font_scale = Field(real("Font scale", *FONT_SCALES))
        self.font_scale.set_value(1.0)
        self.pixels = QLabel()
        self.pixels.setProperty("role", "note")
        self.problem = QLabel()
        self.problem.setProperty("role", "problem")
        self.problem.setWordWrap(True)
        self.accept_button = push_button("Save …", "Draws the picture and asks for its file", "primary")
        self.cancel_button = push_button("Cancel", "Draws nothing (Esc)")
        self._build()
        self._judge()

    def accept(self) -> None:
        """Draws; what does not fit is said, and the dialog stays."""
        try:
            self.image = self._draw()
        except RnnvizError as error:
            self._say(str(error))
            return
        super().accept()

    def _draw(self) -> QImage:
        theme: ThemeName = self.theme.currentData()
        state = replace(self._drawn.state, look=replace(self._drawn.state.look, theme=theme))
        what = self.what.currentData()
        return draw_figure(
            lanes_as_seen(state),
            self._measures(),
            view=what != CURVES,
            curves=None if what == VIEW else self._drawn.curves,
            axis=self._drawn.axis,
        )

    def _measures(self) -> Measures:
        """RnnvizError while a field makes no sense."""
        width, height, font_scale = (field.typed for field in (self.width_field, self.height_field, self.font_scale))
        assert isinstance(width, int)
        assert isinstance(height, int)
        assert isinstance(font_scale, float)
        return Measures((width, height), int(self.scale.currentData()), font_scale)

    def _judge(self) -> None:
        """Says how many pixels it will be, or what is wrong; of a field its row says it."""
        fields = (self.width_field, self.height_field, self.font_scale)
        self.accept_button.setEnabled(not any(field.judge() for field in fields))
        self._say("")
        if not self.accept_button.isEnabled():
            self.pixels.setText("")
            return
        measures = self._measures()
        try:
            measures.check()
        except RnnvizError as error:
            self._say(str(error))
            return
        width, height = (side * measures.scale for side in measures.size)
        self.pixels.setText(f"{width:,} × {height:,} pixels")

    def _say(self, problem: str) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.pixels.setVisible(not problem)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(8)
        for words, field, tooltip in (
            ("Picture", self.what, "What is drawn, without any controls"),
            ("Theme", self.theme, "Light for paper, dark for slides"),
            ("Width", self.width_field, "In pixels at 1×"),
            ("Height", self.height_field, "In pixels at 1×"),
            ("Scale", self.scale, "How many pixels each way for each of the size"),
            ("Font scale", self.font_scale, "How large texts and lines are, from 0.8 to 3"),
        ):
            column.addWidget(Row(words, field, tooltip, _WIDE))
        column.addWidget(self.pixels)
        column.addWidget(self.problem)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.accept_button)
        column.addLayout(buttons)
        for choice in (self.what, self.theme, self.scale):
            choice.currentIndexChanged.connect(self._judge)
        for field in (self.width_field, self.height_field, self.font_scale):
            field.textChanged.connect(self._judge)
        self.accept_button.clicked.connect(self.accept)
        self.cancel_button.clicked.connect(self.reject)
        self.accept_button.setDefault(True)


def ask_for_picture(drawn: Drawn, parent: QWidget, saved: Callable[[QImage], object]) -> PictureDialog:
    """Opens the dialog; `saved` is called with the picture."""
    dialog = PictureDialog(drawn, parent)

    def done() -> None:
        if dialog.image is not None:
            saved(dialog.image)

    dialog.accepted.connect(done)
    show_held(dialog)
    return dialog

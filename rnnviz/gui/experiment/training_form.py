"""The rows of the training settings; those that the engine takes while it runs are called live."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from rnnviz.core.experiment.settings import TrainingSettings
from rnnviz.gui.experiment.experiment_changes import OPTIMISER_WORDS
from rnnviz.gui.widgets.fields import Choice, Field, Row
from rnnviz.gui.widgets.parsing import real, show_or_off, stepped_number, whole

LIVE = frozenset({"learning_rate", "clip_norm", "training_steps"})


class TrainingForm(QWidget):
    """`changed(key, value)` for each valid edit of a field of TrainingSettings."""

    changed = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        at_once = "takes effect at the next training step"
        self.rows = {
            "optimiser": Row(
                "Optimiser", Choice(list(OPTIMISER_WORDS.items())), "How the weights are updated; needs a restart"
            ),
            "learning_rate": Row(
                "Rate",
                Field(real("Rate", 0, 100, above=True), step=stepped_number),
                f"Learning rate; {at_once} (↑ ↓ go along 1, 2, 5)",
            ),
            "clip_norm": Row(
                "Clip norm",
                Field(real("Clip norm", 0, 1e6, off=True), show_or_off, stepped_number),
                f"Gradients longer than this are scaled down to it, “off” for never; {at_once}",
            ),
            "training_steps": Row(
                "Training steps",
                Field(
                    whole("Training steps", 1, 10**9), step=lambda value, direction: int(str(value)) + 100 * direction
                ),
                f"Where training pauses by itself; {at_once}",
            ),
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for key, row in self.rows.items():
            column.addWidget(row)
            signal: Any = row.field.entered if isinstance(row.field, Field) else row.field.chosen  # type: ignore[attr-defined]
            signal.connect(lambda value, key=key: self.changed.emit(key, value))

    def set_settings(self, settings: TrainingSettings, reset: bool = False) -> None:
        """Shows `settings`; `reset` also forgets bad texts."""
        for key, row in self.rows.items():
            value = getattr(settings, key)
            if isinstance(row.field, Field) and reset:
                row.field.reset(value)
            elif isinstance(row.field, Field | Choice):
                row.field.set_value(value)

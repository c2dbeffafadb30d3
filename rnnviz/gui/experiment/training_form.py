"""Training form: the rows of the training settings."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from rnnviz.core.experiment.settings import TrainingSettings
from rnnviz.gui.widgets.fields import Choice, Field
from rnnviz.gui.widgets.setting_rows import setting_rows


class TrainingForm(QWidget):
    """`changed(key, value)` for each valid edit of a field of TrainingSettings."""

    changed = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        rows = setting_rows(TrainingSettings)
        self.rows = {key: row for key, row in rows.items() if key != "batch_size"}  # that stands with the task
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

"""Memory for traces: the dialog that asks how much rebuilt traces may take."""

from collections.abc import Callable

from PySide6.QtWidgets import QInputDialog, QSpinBox, QWidget

from rnnviz.gui.state.preferences import MOST_TRACE_MEMORY
from rnnviz.gui.widgets.open_dialogs import show_held

_LEAST, _STEP = 64, 64  # MiB
_WORDS = (
    "What rebuilt traces may take. Those of training steps and sequences that are not looked at go first\n"
    "and are rebuilt when you come back to them; the window itself takes about 200 MiB more."
)


def ask_trace_memory(window: QWidget, now: int, use: Callable[[int], None]) -> None:
    """Asks for MiB, with `now` in the field; `use` is told what was chosen."""
    dialog = QInputDialog(window)
    dialog.setWindowTitle("Memory for traces")
    dialog.setInputMode(QInputDialog.InputMode.IntInput)
    dialog.setLabelText(_WORDS)
    dialog.setIntRange(_LEAST, MOST_TRACE_MEMORY)
    dialog.setIntStep(_STEP)
    dialog.setIntValue(now)
    field = dialog.findChild(QSpinBox)
    if isinstance(field, QSpinBox):
        field.setSuffix(" MiB")
        field.setAccessibleName("Memory for traces")
    dialog.intValueSelected.connect(use)
    show_held(dialog)

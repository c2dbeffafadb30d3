"""Open dialogs: held while they are open. One that only its parent and its own signals hold may be collected by Python
as garbage while it is on the screen."""

from PySide6.QtWidgets import QDialog

_open: set[QDialog] = set()


def show_held(dialog: QDialog, *, modal: bool = True) -> None:
    """Shows it, above its window where it is `modal`; when it closes it goes for good."""

    def end() -> None:
        _open.discard(dialog)
        dialog.deleteLater()

    _open.add(dialog)
    dialog.finished.connect(end)
    if modal:
        dialog.open()
    else:
        dialog.show()

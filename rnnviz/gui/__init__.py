"""The window: PySide6 and pyqtgraph; the only floor that knows Qt."""

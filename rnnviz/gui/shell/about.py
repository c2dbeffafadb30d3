"""What "About rnnviz" says."""

import html
import platform

from PySide6.QtCore import qVersion

from rnnviz.core.files.allowed import config_folder
from rnnviz.gui.state.program_folders import data_folder
from rnnviz.version import __version__


def about_words() -> str:
    """As rich text: version, licence, and where the program keeps its files."""
    rows = (
        ("Settings", str(config_folder())),
        ("Runs and log", str(data_folder())),
        ("Python", platform.python_version()),
        ("Qt", qVersion()),
    )
    table = "".join(f"<tr><td>{name}&nbsp;&nbsp;</td><td>{html.escape(value)}</td></tr>" for name, value in rows)
    return (
        f"<b>rnnviz {__version__}</b><p>A debugger for recurrent neural networks: step through time and back through "
        f"the gradients.</p><p>MIT licence.</p><table>{table}</table>"
    )

"""The text font: Source Sans from its own package, so that pictures look the same on every machine."""

from functools import cache
from importlib.resources import files

from PySide6.QtGui import QFont, QFontDatabase

FAMILY = "Source Sans Pro"
SMALL, BODY, TITLE = 11, 13, 15  # pixels

_FILES = ("Regular", "It", "Semibold", "SemiboldIt", "Bold")


@cache
def load() -> str:
    """Registers the font's files with Qt once and returns the family; needs a QApplication.

    Without the package Qt's own sans serif is taken: the window is less pretty, never absent.
    """
    try:
        folder = files("font_source_sans_pro") / "files"
    except ModuleNotFoundError:
        return QFont().defaultFamily()
    for name in _FILES:
        QFontDatabase.addApplicationFontFromData((folder / f"SourceSansPro-{name}.ttf").read_bytes())
    return FAMILY if FAMILY in QFontDatabase.families() else QFont().defaultFamily()


@cache
def _font(size: int, weight: QFont.Weight, italic: bool) -> QFont:
    font = QFont(load())
    font.setPixelSize(size)
    font.setWeight(weight)
    font.setItalic(italic)
    if hasattr(font, "setFeature"):  # Qt ≥ 6.7: digits of one width, so that changing numbers do not dance
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


def text(size: int = BODY, *, italic: bool = False) -> QFont:
    """The regular font at `size` pixels."""
    return QFont(_font(size, QFont.Weight.Normal, italic))


def semibold(size: int = BODY) -> QFont:
    """For names and values that should be found first."""
    return QFont(_font(size, QFont.Weight.DemiBold, False))


def bold(size: int = BODY) -> QFont:
    """For single letters that stand out."""
    return QFont(_font(size, QFont.Weight.Bold, False))

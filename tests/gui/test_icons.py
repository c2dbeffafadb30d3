"""Every icon can be drawn in any colour; a wrong name is named."""

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from rnnviz.core.errors import RnnvizError
from rnnviz.core.resources import resource
from rnnviz.gui.look.icons import application_icon, icon, pixmap

NAMES = sorted(path.stem for path in resource("icons/play.svg").parent.glob("*.svg"))


@pytest.mark.parametrize("name", NAMES)
def test_every_icon_draws_something_in_its_colour(qapp: QApplication, name: str) -> None:
    image = pixmap(name, "#ff0000", 24).toImage()
    colors = {
        image.pixelColor(x, y).name() for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() > 250
    }
    assert colors, f"{name} draws nothing"
    if name != "application":
        assert colors == {"#ff0000"}


def test_an_icon_is_sharp_on_screens_with_more_pixels(qapp: QApplication) -> None:
    drawn = pixmap("play", "#ffffff", 20, scale=2.0)
    assert (drawn.width(), drawn.devicePixelRatio()) == (40, 2.0)


def test_a_disabled_icon_is_fainter(qapp: QApplication) -> None:
    shown = icon("pause", "#ffffff", 24)
    middle = [
        shown.pixmap(24, mode).toImage().pixelColor(9, 12).alpha() for mode in (shown.Mode.Normal, shown.Mode.Disabled)
    ]
    assert middle[0] == 255
    assert 60 < middle[1] < 120


def test_icons_are_made_once(qapp: QApplication) -> None:
    assert icon("play", "#123456", 20) is icon("play", "#123456", 20)


def test_an_unknown_icon_is_named(qapp: QApplication) -> None:
    with pytest.raises(RnnvizError, match=r"icons/no-such\.svg"):
        icon("no-such")


def test_the_application_icon_has_a_dark_ground(qapp: QApplication) -> None:
    assert application_icon().pixmap(64, 64).toImage().pixelColor(32, 10) == QColor("#181c22")

"""A page that scrolls: its content is as wide as the page, and what does not fit below is scrolled to."""

from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from rnnviz.gui.look.form_style import fill_scrolling


def test_content_takes_the_width_of_the_page(qtbot: QtBot) -> None:
    page, content = QWidget(), QWidget()
    qtbot.addWidget(page)
    column, field = QVBoxLayout(content), QLineEdit()
    column.addWidget(field)
    for number in range(30):
        column.addWidget(QLabel(str(number)))
    fill_scrolling(page, content)
    page.resize(200, 150)
    page.show()
    bar = page.findChildren(QScrollArea)[0].verticalScrollBar()
    widths = []
    for width in (200, 340):
        page.resize(width, 150)
        QApplication.processEvents()
        assert width - content.width() <= bar.sizeHint().width() + 2
        assert bar.maximum() > 0
        widths.append(field.width())
    assert widths[1] - widths[0] == 140

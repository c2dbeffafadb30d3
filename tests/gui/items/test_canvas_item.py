"""What every item of the canvas does: its kept picture goes with its place and its axis."""

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QGraphicsScene, QGraphicsView
from pytestqt.qtbot import QtBot

from rnnviz.gui.canvas.items.canvas_item import CanvasItem
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.look.theme import theme

FRAME = QRectF(20, 10, 400, 40)
WHOLE = TimeAxis.whole(20.0, 400.0, 20)


class Strokes(CanvasItem):
    """A stroke at every time step that is seen."""

    drawn = 0  # times

    def draw(self, painter: QPainter) -> None:
        self.drawn += 1
        for t in self.axis.visible():
            painter.fillRect(QRectF(self.axis.x(t), self.rect.top(), 2, self.rect.height()), QColor("red"))


def test_the_picture_kept_of_an_item_follows_its_axis_and_its_place(qtbot: QtBot) -> None:
    scene = QGraphicsScene()
    view = QGraphicsView(scene)
    qtbot.addWidget(view)
    view.resize(520, 220)
    scene.setSceneRect(0, 0, 480, 180)
    item = Strokes(theme("dark"))
    scene.addItem(item)
    view.show()

    def seen() -> QImage:
        return view.viewport().grab().toImage()

    pictures = []
    for frame, axis in ((FRAME, WHOLE), (FRAME, WHOLE.scaled(3.0, 200.0)), (FRAME.translated(0, 50), WHOLE)):
        item.place(frame, axis)
        once = seen()
        count = item.drawn
        item.place(QRectF(frame), axis)  # the same again: the picture that is kept will do
        assert seen() == once
        assert item.drawn == count
        fresh = Strokes(theme("dark"), cached=False)
        fresh.place(frame, axis)
        scene.removeItem(item)
        scene.addItem(fresh)
        assert seen() == once
        scene.removeItem(fresh)
        scene.addItem(item)
        pictures.append(once)
    assert pictures[0] != pictures[1] != pictures[2] != pictures[0]

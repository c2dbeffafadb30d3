"""Inside a user's own cell: one box, for its operations are not known."""

from PySide6.QtCore import QRectF

from rnnviz.core.cells.own import NOT_KNOWN
from rnnviz.gui.network.drawing import Box, Drawing, Text
from rnnviz.gui.network.reading import Look

_SIZE, _WIDE, _HIGH = 12, 460.0, 120.0


def draw_unknown(look: Look, area: QRectF) -> Drawing:
    """What goes in, what comes out, and that nothing is known in between."""
    drawing, model = Drawing(), look.shown.models[look.model]
    cell = model.structure.equations
    box = QRectF(0, 0, min(_WIDE, area.width() - 32), min(_HIGH, area.height() - 16))
    box.moveCenter(area.center())
    drawing.add(Box("unknown", box, model.color, 1.3, look.color("panel"), 10))
    before = [node.symbol.removesuffix("_t").removesuffix("_{t}") for node in map(cell.node, cell.states)]
    reads = ", ".join(("x_t", *(f"{symbol}_{{t−1}}" for symbol in before)))
    gives = ", ".join(f"{symbol}_t" for symbol in before)
    for place, (words, ink, bold) in enumerate(
        ((f"{gives} = {cell.words}({reads})", "text", True), (NOT_KNOWN, "muted", False))
    ):
        y = box.center().y() - 6 + 24 * place
        drawing.add(Text(f"unknown {place}", box.center().x(), y, words, _SIZE, look.color(ink), 0.5, bold=bold))
    return drawing

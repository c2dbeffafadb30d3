"""Bias of truncation: angle and ratio of norms between each truncated weight gradient and the full one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.gradients.truncation import ALL, Bias, biases, truncated
from rnnviz.core.numbers import short
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Card, Found, Partial, Sight, Spot, Table
from rnnviz.gui.look import fonts
from rnnviz.gui.network.drawing import Box, Drawing, Text
from rnnviz.gui.state.laboratory import Laboratory
from rnnviz.gui.widgets import marked_text

_ROW = fonts.SMALL + 9.0  # pixels
_RIGHT_ANGLE, _MOST = 90.0, 180.0  # degrees
_ANGLE, _RATIO = 62.0, 58.0  # pixels of the two columns of numbers
_GAP = 8.0


@dataclass(frozen=True)
class _Row:
    """One line: of which parameter, in words, and its bias."""

    name: str  # markup
    bias: Bias


@dataclass(frozen=True)
class BiasNumbers:
    """Of one model, in the order of its layers."""

    rows: tuple[_Row, ...]


class TruncationCard(Card):
    """A bar a parameter, from 0° to 180°, with angle and ratio beside it; all parameters together come first."""

    key = "truncation"
    of_operations = True
    each_model = True
    symbol = "angle, ratio"

    def lacks(self, model: ShownModel) -> str:
        if not model.carries:
            return f"The {model.structure.equations.words} cell carries no state: nothing can be cut."
        capture = model.trace.check.capture if model.trace is not None else None
        return "" if capture is None or truncated(capture) else "Nothing is truncated: the gradient is the full one."

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        assert model.trace is not None  # the caller looked
        found = biases(model.trace.check.capture)
        yield Partial(BiasNumbers(tuple(_Row(_name(model, one.parameter), one) for one in found)))

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, look = Drawing(), sight.theme
        for found in sight.known:
            rows, named = _fitting(found, area), _names_width(found)
            left = area.left() + named + _GAP
            right = area.right() - _ANGLE - _RATIO
            for place, row in enumerate(rows):
                baseline = area.top() + (place + 1) * _ROW - 5
                bold = row.bias.parameter == ALL
                color = look.color("text" if bold else "muted")
                drawing.add(Text(f"name {place}", area.left(), baseline, row.name, fonts.SMALL, color, bold=bold))
                angle, ratio = _numbers(row.bias)
                drawing.add(Text(f"angle {place}", right + _ANGLE, baseline, angle, fonts.SMALL, color, 1.0, bold=bold))
                drawing.add(Text(f"ratio {place}", area.right(), baseline, ratio, fonts.SMALL, color, 1.0, bold=bold))
                if right - left < 20:
                    continue
                ground = QRectF(left, baseline - fonts.SMALL + 4, right - left, 6.0)
                drawing.add(Box(f"ground {place}", ground, None, fill=look.color("line"), radius=2.0))
                if np.isfinite(row.bias.angle):
                    share = max(row.bias.angle / _MOST, 0.004)
                    shade = found.model.color if row.bias.angle < _RIGHT_ANGLE else look.color("bad")
                    bar = QRectF(ground.left(), ground.top(), share * ground.width(), ground.height())
                    drawing.add(Box(f"bar {place}", bar, None, fill=shade, radius=2.0))
            if len(rows) < len(found.value.rows):
                more = f"{len(found.value.rows) - len(rows)} more, when the card is enlarged"
                drawing.add(Text("more", area.left(), area.bottom() - 2, more, fonts.SMALL, look.color("muted")))
        return drawing

    def spot(self, sight: Sight, area: QRectF, point: QPointF) -> Spot | None:
        for found in sight.known:
            rows, place = _fitting(found, area), int((point.y() - area.top()) // _ROW)
            if 0 <= place < len(rows) and area.contains(point):
                row = rows[place]
                words = row.bias.unknown or (
                    f"{short(row.bias.angle)}° from the full gradient, {short(row.bias.ratio)} times as long"
                )
                return Spot(f"{found.model.name}, {marked_text.plain(row.name)}: {words}")
        return None

    def table(self, sight: Sight) -> Table:
        columns: dict[str, list[Any]] = {}
        for found in sight.known:
            rows, name = found.value.rows, found.model.name
            columns[f"{name} parameter"] = [row.bias.parameter or "all" for row in rows]
            columns[f"{name} degrees"] = [row.bias.angle for row in rows]
            columns[f"{name} ratio"] = [row.bias.ratio for row in rows]
        return Table(columns)


def _name(model: ShownModel, parameter: str) -> str:
    """Markup: "all weights", "W_{hh}", where there are several layers "W_{hh} l1"."""
    if parameter == ALL:
        return "all weights"
    layers = model.trace.layers if model.trace is not None else ()
    for layer in layers:
        module, _, suffix = layer.name.rpartition(".")
        bare = parameter.removeprefix(f"{module}.") if module else parameter
        known = layer.equations.parameter_named
        name = bare.removesuffix(f"_{suffix}")
        if name != bare and name in known and parameter.startswith(module):
            return f"{known[name].symbol} {layer.name}" if len(layers) > 1 else known[name].symbol
    return parameter


def _numbers(bias: Bias) -> tuple[str, str]:
    """Angle and ratio as they stand in the table; what is not known is a dash."""
    angle = f"{short(bias.angle)}°" if np.isfinite(bias.angle) else "–"
    return angle, f"×{short(bias.ratio)}" if np.isfinite(bias.ratio) else "–"


def _names_width(found: Found) -> float:
    return max(marked_text.width(row.name, fonts.SMALL, bold=True) for row in found.value.rows)


def _fitting(found: Found, area: QRectF) -> tuple[_Row, ...]:
    """The rows that have room; where not all have, the last line says how many are left out."""
    rows: tuple[_Row, ...] = found.value.rows
    room = max(int(area.height() // _ROW), 1)
    return rows if len(rows) <= room else rows[: max(room - 1, 1)]

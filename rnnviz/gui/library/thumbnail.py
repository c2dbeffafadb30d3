"""Thumbnail: the loss of a run's models as small curves; drawn off the event loop and kept beside the summary."""

import contextlib
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPen, QPolygonF

from rnnviz.core.arrays import Array
from rnnviz.gui.look.theme import Theme
from rnnviz.runs.library.summary import RunSummary

SIZE = QSize(88, 36)  # pixels on screen
_SCALE = 2  # device pixels drawn for each
_PAD = 3.0
_DECADES = 3.0  # losses over more powers of ten than that are drawn as log₁₀


def thumbnail(run: RunSummary, look: Theme, kept: Path) -> QImage:
    """The picture kept at `kept`, else one that is drawn now and kept there."""
    if kept.exists():
        image = QImage(str(kept))
        if not image.isNull():
            image.setDevicePixelRatio(_SCALE)
            return image
    image = draw(run, look)
    if run.kind != "broken":
        with contextlib.suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            new = kept.with_suffix(".new.png")
            if image.save(str(new)):
                new.replace(kept)
    return image


def draw(run: RunSummary, look: Theme) -> QImage:
    """Each model's loss in its colour over one range; a line across where nothing was learnt yet."""
    image = QImage(SIZE * _SCALE, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(_SCALE)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(0.5, 0.5, SIZE.width() - 1, SIZE.height() - 1)
        painter.setPen(QPen(look.color("line"), 1))
        painter.setBrush(look.color("background"))
        painter.drawRoundedRect(box, 4, 4)
        inner = box.adjusted(_PAD, _PAD + 1, -_PAD, -_PAD - 1)
        curves = [(np.array(model.steps, float), np.array(model.losses)) for model in run.models]
        if any(len(steps) > 1 for steps, _ in curves):
            colors = look.model_colors([model.cell for model in run.models])
            for (steps, losses), color in zip(_scaled(curves), colors, strict=True):
                painter.setPen(QPen(color, 1.5))
                painter.drawPolyline(
                    QPolygonF(
                        [
                            QPointF(inner.left() + x * inner.width(), inner.bottom() - y * inner.height())
                            for x, y in zip(steps.tolist(), losses.tolist(), strict=True)
                        ]
                    )
                )
        elif run.kind == "broken":
            painter.setPen(QPen(look.color("bad", 0.8), 1.5))
            centre = inner.center()
            for way in (-5, 5):
                painter.drawLine(centre + QPointF(-5, way), centre + QPointF(5, -way))
        else:
            painter.setPen(QPen(look.color("muted", 0.6), 1, Qt.PenStyle.DotLine))
            painter.drawLine(
                QPointF(inner.left() + 4, inner.center().y()), QPointF(inner.right() - 4, inner.center().y())
            )
    return image


def _scaled(curves: list[tuple[Array, Array]]) -> list[tuple[Array, Array]]:
    """Training steps and losses of all models in 0…1 of what they span together."""
    steps, losses = (np.concatenate(parts) for parts in zip(*curves, strict=True))
    positive = losses[losses > 0]
    if len(positive) == len(losses) and np.log10(positive.max()) - np.log10(positive.min()) > _DECADES:
        curves = [(x, np.log10(y)) for x, y in curves]
        losses = np.log10(losses)
    return [(_share(x, steps), _share(y, losses)) for x, y in curves]


def _share(values: Array, among: Array) -> Array:
    low, high = float(among.min()), float(among.max())
    return (values - low) / (high - low) if high > low else np.full(len(values), 0.5)

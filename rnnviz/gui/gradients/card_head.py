"""Card head: the first row of a card, its title at the left and at the right what is said of its numbers."""

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from rnnviz.core.numbers import whole
from rnnviz.gui.gradients.card import Card, Sight
from rnnviz.gui.look import fonts
from rnnviz.gui.widgets import marked_text

HEIGHT, EDGE = 34.0, 12.0  # pixels of the design: of the row, and around the picture
BUTTON = 22  # of the menu at its right end


@dataclass(frozen=True)
class CardHead:
    """What stands in it, and the panel it is painted on."""

    title: str
    kind: str  # of the card, where its title is the name of a model; "" where it is not
    color: Any  # of its one model; None without one
    asides: list[str]  # what stands at the right, and what is left of it where there is less room
    held: bool

    def paint(self, painter: QPainter, look: Any, wide: float, high: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(look.color("line"))
        painter.setBrush(look.color("panel"))
        painter.drawRoundedRect(QRectF(0.5, 0.5, wide - 1, high - 1), 8, 8)
        if self.color is not None:
            painter.fillRect(QRectF(0, 9, 3, 16), self.color)
        right = wide - EDGE - BUTTON
        title = marked_text.shortened(self.title, fonts.BODY, right - EDGE)
        marked_text.draw(painter, EDGE, 22, title, fonts.BODY, look.color("text"), bold=True)
        taken: float = EDGE + marked_text.width(title, fonts.BODY, bold=True) + 12
        if self.kind:
            long = marked_text.width(self.kind, fonts.SMALL)
            if taken - 4 + long <= right:
                marked_text.draw(painter, taken - 4, 22, self.kind, fonts.SMALL, look.color("muted"))
                taken += long + 8
        if self.asides[0] and taken < right - 30:
            self._paint_aside(painter, look, taken, right)

    def _paint_aside(self, painter: QPainter, look: Any, left: float, right: float) -> None:
        fitting = [aside for aside in self.asides if aside and marked_text.width(aside, fonts.SMALL) <= right - left]
        words = (fitting or [marked_text.shortened(self.asides[0], fonts.SMALL, right - left)])[0]
        long = marked_text.width(words, fonts.SMALL)
        if long <= right - left:
            color = look.text_color("cursor") if self.held else look.color("muted")
            marked_text.draw(painter, right - long, 22, words, fonts.SMALL, color)


def card_head(card: Card, model: Any, sight: Sight | None, held_at: int | None, progress: str) -> CardHead:
    """`model`: of a card of one alone, as soon as it is known; `held_at`: the training step it stays at, if it does;
    `progress`: said while its numbers are looked for anew."""
    title, kind = card.title or card.name.words, ""
    if model is not None and card.by_model and sight is not None and len(sight.shown.models) > 1:
        title = str(model.name)
    if model is not None and title == model.name:
        kind = card.name.words[0].lower() + card.name.words[1:]
    asides = _asides(card, model, sight, held_at, progress)
    return CardHead(title, kind, None if model is None else model.color, asides, held_at is not None)


def _asides(card: Card, model: Any, sight: Sight | None, held_at: int | None, progress: str) -> list[str]:
    """Its colour names a model, too, so that its name need not stand there."""
    if sight is None:
        return [""]
    if held_at is not None:
        return [f"held at training step {whole(held_at)}"]
    if progress:
        return [progress]
    share = min((found.share for found in sight.known), default=1.0)
    known = f"{100 * share:.0f} %, " if share < 1 else ""
    aside = card.aside(sight)
    if model is None or card.by_model or len(sight.shown.models) < 2:
        return [known + aside, known + card.short_aside(sight)]
    return [known + ", ".join(filter(None, (model.name, aside))), known + aside, known + model.name]

"""Written text in a picture: equations as right-aligned lines, the numbers muted below each; sentences in lines."""

from collections.abc import Sequence

from rnnviz.gui.cursor.equation_view import ink_color
from rnnviz.gui.cursor.equation_words import EquationLine, Word
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.network.drawing import Drawing, Text
from rnnviz.gui.widgets import marked_text

_SIZES = {False: 13, True: 11}
_HIGH = {False: 17.0, True: 16.0}
_MOST = 2  # lines


def draw_equations(
    drawing: Drawing, lines: Sequence[EquationLine], right: float, baseline: float, room: float, theme: Theme
) -> None:
    """As many lines as there is room for; one that is too long ends with an ellipsis."""
    for number, line in enumerate(lines[:_MOST]):
        size = _SIZES[line.small]
        texts = [(word, (" " if word.spaced else "") + word.markup) for word in line.words]
        kept, wide = list[tuple[Word | None, str]](), 0.0
        for one_word, text in texts:
            one = marked_text.width(text, size)
            if wide + one > room - 14:
                kept.append((None, " …"))
                wide += marked_text.width(" …", size)
                break
            kept.append((one_word, text))
            wide += one
        x = right - wide
        for place, (word, text) in enumerate(kept):
            color = theme.color("muted") if word is None else ink_color(theme, word.ink)
            drawing.add(Text(f"equation {number} {place}", x, baseline, text, size, color))
            x += marked_text.width(text, size)
        baseline += _HIGH[line.small]


def broken(sentences: str, room: float, size: int) -> tuple[str, ...]:
    """Sentences as the lines that `room` pixels hold, broken between words."""
    lines = list[str]()
    for word in sentences.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and marked_text.width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(lines)


def cut_to(text: str, width: float, size: int) -> str:
    """As much of a text as fits."""
    if marked_text.width(text, size) <= width:
        return text
    while text and marked_text.width(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"

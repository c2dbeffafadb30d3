"""Words of a hit: "Training step 1,006: in LSTM, norm(dh[1]) rose above 10⁻³ (8.2·10⁻⁴ → 1.1·10⁻³)."."""

from collections.abc import Sequence

from rnnviz.core.numbers import bound, short, whole
from rnnviz.core.stopping.marks import Breakpoint


def hit_words(
    one: Breakpoint, training_step: int, model: str, time_step: int, values: Sequence[tuple[str, str]]
) -> str:
    """Where and of which model it was met, and the numbers that made it. `values`: texts of expressions and numbers."""
    where = f"Training step {whole(training_step)}" + (f", time step {time_step:,}" if time_step else "")
    return f"{where}: in {model}, {_what(one, values)}."


def _what(one: Breakpoint, values: Sequence[tuple[str, str]]) -> str:
    if one.kind == "data" and len(values) == 2:
        (_, before), (_, now) = values
        return f"{one.expression} {_moved(one, before, now)} ({_figure(before)} → {_figure(now)})"
    said = ", ".join(f"{text} is {_figure(value)}" for text, value in values)
    if one.kind == "not finite" and not one.expression:
        bad = [text for text, value in values if _number(value) is None]
        return f"{_named(bad or [text for text, _ in values])} became NaN or infinite" + (f" ({said})" if said else "")
    if one.kind == "not finite":
        return said
    return f"{one.plain_words} ({said})" if said else one.plain_words


def _moved(one: Breakpoint, before: str, now: str) -> str:
    """ "rose above 10⁻³", of the very number "reached 10⁻³"; "grew 12 times"."""
    first, second = _number(before), _number(now)
    up = first is None or second is None or second > first
    if one.crosses is not None:
        moved = "reached" if up and second == one.crosses else "rose above" if up else "fell below"
        return f"{moved} {bound(one.crosses)}"
    if first is None or second is None or not first or not second:
        return "changed"
    ratio = abs(second / first)
    times = max(ratio, 1 / ratio)
    said = f"{times:.1f}" if times < 10 else whole(round(times)) if times < 1e6 else short(times)
    return f"{'grew' if ratio > 1 else 'shrank'} {said} times"


def _figure(text: str) -> str:
    """A value as a person reads it: 1,006 and 8.2·10⁻⁴."""
    number = _number(text)
    if number is None:
        return text
    if number.is_integer():
        return whole(int(number))
    return text if 0.01 <= abs(number) < 1e5 else short(number)


def _number(text: str) -> float | None:
    """None for what is no finite number: "yes", "NaN", "+∞"."""
    try:
        number = float(text.replace("−", "-"))
    except ValueError:
        return None
    return number if number - number == 0 else None


def _named(names: Sequence[str]) -> str:
    """ "the loss and the gradient's norm"."""
    said = [{"loss": "the loss", "grad_norm": "the gradient's norm"}.get(name, name) for name in names]
    return " and ".join(said) or "the loss or gradient"

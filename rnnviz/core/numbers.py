"""Numbers as a person reads them: 0.58, 5.3·10⁻⁸, 0, NaN, +∞."""

import math
from typing import Any

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SMALLEST_PLAIN = 0.01  # below it a number is written with a power of ten
_LARGEST_PLAIN = 1e5


def superscript(number: int) -> str:
    """⁻¹² for −12."""
    return str(number).translate(_SUPERSCRIPTS)


def power(exponent: int) -> str:
    """10⁻⁸ for −8."""
    return "10" + superscript(exponent)


def short(value: float) -> str:
    """Two or three digits of `value`, with a power of ten where plain digits would say nothing."""
    value = float(value)
    if not math.isfinite(value):
        return _not_finite(value)
    if value == 0:
        return "0"
    size = abs(value)
    sign = "−" if value < 0 else ""
    if size < _SMALLEST_PLAIN or size >= _LARGEST_PLAIN:
        return sign + _scientific(size)
    decimals = 2 if size < 10 else 1 if size < 100 else 0
    return f"{sign}{size:.{decimals}f}"


def tick(value: float) -> str:
    """`value` beside an axis: no zeros that carry nothing (1, −1, 0.5, 10⁻⁵)."""
    value = float(value)
    if not math.isfinite(value):
        return _not_finite(value)
    size = abs(value)
    if size != 0 and (size < 1e-3 or size >= _LARGEST_PLAIN):
        text = _scientific(size)
        text = text.removeprefix("1.0·")
    else:
        text = f"{size:.4g}"
    return ("−" if value < 0 else "") + text


def bound(value: float) -> str:
    """A number that somebody has set, with all its digits: 10⁻³, 2.5·10⁻⁷, 0.125, 1,000."""
    size = abs(value)
    if not math.isfinite(value) or size == 0:
        return "0" if size == 0 else _not_finite(value)
    if 0.01 <= size < _LARGEST_PLAIN:
        return f"{value:,.12g}".replace("-", "−")
    mantissa, exponent = f"{size:e}".split("e")
    mantissa = f"{size / 10 ** int(exponent):.6g}" if int(exponent) > -300 else mantissa
    text = power(int(exponent)) if mantissa == "1" else f"{mantissa}·{power(int(exponent))}"
    return ("−" if value < 0 else "") + text


def whole(number: int) -> str:
    """23,744 for 23744."""
    return f"{number:,}".replace("-", "−")


def file_size(count: int) -> str:
    """3.1 MB for 3,100,000 bytes."""
    for unit, bytes_each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= bytes_each:
            return f"{count / bytes_each:.1f} {unit}"
    return f"{count} bytes"


def exact(value: object) -> str:
    """Shortest text that reads back as the same number."""
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def span(value: Any) -> str:
    """(60, 80) as "60–80", (50, 50) as "50", and pairs of them with a comma between."""
    if not isinstance(value, tuple):
        return str(value)
    if isinstance(value[0], tuple):
        return ", ".join(span(pair) for pair in value)
    return f"{value[0]}" if value[0] == value[1] else f"{value[0]}–{value[1]}"


def _scientific(size: float) -> str:
    mantissa, exponent = f"{size:.1e}".split("e")
    return f"{mantissa}·{power(int(exponent))}"


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "+∞" if value > 0 else "−∞"

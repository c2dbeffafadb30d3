"""Cells of a table: which of them are numbers, however people write those, which are gaps, and which are neither."""

import functools
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array, frozen

_GAPS = frozenset(
    {
        *("", "nan", "-nan", "+nan", "na", "n/a", "n.a.", "<na>", "nat", "null", "(null)", "none", "nil", "missing"),
        *("(blank)", "\\n", "?", "-", "--", "---", "–", "—", "−", ".", "..", "...", "…", "*", "k.a.", "k. a."),
        *("#n/a", "#na", "#n/a n/a", "#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!"),  # as Excel writes it
        *("1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind"),  # as Windows writes NaN
    }
)
_PAIRS = (  # what means 1 and what means 0
    ("true", "false"),
    ("yes", "no"),
    ("y", "n"),
    ("t", "f"),
    ("on", "off"),
    ("ja", "nein"),
    ("wahr", "falsch"),
    ("oui", "non"),
    ("vrai", "faux"),
    ("sí", "no"),
)
_LONGEST = 64  # characters of a number
_SPACES = "\u0020\u00a0\u2007\u2009\u202f"
_THOUSANDS = {
    "comma": ",",
    "point": ".",
    "apostrophe": "'’‘",
    "space": _SPACES,
}
_MINUS, _PLUS = "-−–", "+"
_CODES = "USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|RUB|TRY|KRW|HKD|SGD"
_CURRENCY = rf"(?:US|C|A|R|HK|S|NZ)?\$|[€£¥₹₽₩₪₺₫฿₴₦₱]|{_CODES}|Fr\.|Rs\.?"
_UNIT = r"(?:[^\W\d_]|[%‰°€$£¥₹₽₩₪₺₫฿₴₦₱])[^\d\s(),;+\-−–\"']{0,11}"
_PLAIN = {sign: re.compile(rf"[+-]?(\d+\{sign}?\d*|\{sign}\d+)([eE][+-]?\d+)?") for sign in ".,"}


@dataclass(frozen=True, eq=False)
class Numbers:
    """The cells of one column as numbers."""

    values: Array  # (R,) float64, NaN where no number stands
    gaps: int  # cells that say that there is no number
    wrong: int | None  # the first row whose cell is neither a number nor a gap
    why: str = ""  # what is wrong with it, where it nearly is a number
    words: tuple[str, ...] = ()  # how the numbers are written, where a person should know

    @property
    def count(self) -> int:
        return int(np.isfinite(self.values).sum())


def column_numbers(cells: Sequence[str], decimal: str) -> Numbers:
    """The numbers of a column whose decimal sign is `decimal`, "." or ","; true and false are 1 and 0."""
    return _truths(cells) or _numbers(cells, decimal)


def is_number(cell: str, decimal: str) -> bool:
    """Whether a cell alone is a number; of what unit is not asked."""
    return bool(_PLAIN[decimal].fullmatch(cell)) or _written(cell, decimal) is not None


def is_gap(cell: str) -> bool:
    """Whether a cell says that there is no number."""
    return cell.lower() in _GAPS


def decimal_sign(cells: Sequence[str], delimiter: str) -> str:
    """The decimal sign of a file, "." or ",": the one under which more of its cells are numbers.

    Where both read all of them, as with 1,234 alone, the comma is the decimal sign unless it parts the cells, too.
    """
    only: Counter[str] = Counter()
    undecided: Counter[str] = Counter()  # by the sign that stands in them
    for cell, count in Counter(cell for cell in cells if "," in cell or "." in cell).items():
        readable = [sign for sign in ".," if is_number(cell, sign)]
        if len(readable) == 1:
            only[readable[0]] += count
        elif readable:
            undecided.update(sign for sign in ".," if sign in cell)
    if only["."] != only[","]:
        return max(only, key=lambda sign: only[sign])
    return "," if delimiter != "," and undecided[","] and not undecided["."] and not only else "."


def _truths(cells: Sequence[str]) -> Numbers | None:
    """The column where it holds only true and false or the like."""
    kinds = {cell.lower() for cell in cells}
    found = kinds - _GAPS
    for yes, no in _PAIRS:
        if found and found <= {yes, no} and (len(found) == 2 or yes == "true"):
            value = {yes: 1.0, no: 0.0}
            values = frozen(np.array([value.get(cell.lower(), math.nan) for cell in cells]))
            return Numbers(values, int(np.isnan(values).sum()), None, words=(f"{yes} is 1, {no} is 0",))
    return None


@dataclass(frozen=True)
class _Written:
    """One number as it is written."""

    value: float
    unit: str
    thousands: str  # the name of the sign that parts them
    brackets: bool

    def add_ways(self, ways: dict[str, str], cell: str) -> None:
        """Adds how `cell` is written, with it as the example, where a person should know and no example is there."""
        for way, used in (
            (f"a{'n' * (self.thousands == 'apostrophe')} {self.thousands} separates thousands", self.thousands),
            ("brackets mean minus", self.brackets),
        ):
            if used:
                ways.setdefault(way, f"{cell} is {self.value:.12g}")


def _numbers(cells: Sequence[str], decimal: str) -> Numbers:
    values = np.full(len(cells), math.nan)
    gaps, wrong, why = 0, None, ""
    unit: str | None = None  # that of the first number
    in_unit = ""  # the first number with it, as it is written and read
    ways: dict[str, str] = {}  # how they are written, and an example
    plain = _PLAIN[decimal].fullmatch
    for row, cell in enumerate(cells):
        if plain(cell):
            written = None
            value, own = float(cell.replace(",", ".")), ""
        elif is_gap(cell):
            gaps += 1
            continue
        elif (written := _written(cell, decimal)) is not None:
            value, own = written.value, written.unit
        else:
            wrong = row if wrong is None else wrong
            continue
        if unit is None and (own or value):
            unit = own
        if not math.isfinite(value):
            reason = "beyond float64's range"
        elif own != (unit or "") and value:
            reason = f"in {own or 'no unit'}, the first in {unit or 'no unit'}"
        else:
            values[row] = value
            if written is not None:
                written.add_ways(ways, cell)
                in_unit = in_unit or (f" ({cell} is {value:.12g})" if own else "")
            continue
        if wrong is None:
            wrong, why = row, reason
    words = [f"{way} ({example})" for way, example in ways.items()]
    return Numbers(frozen(values), gaps, wrong, why, tuple([f"in {unit}{in_unit}"] * bool(unit) + words))


def _written(cell: str, decimal: str) -> _Written | None:
    if len(cell) > _LONGEST or not (match := _pattern(decimal).fullmatch(cell)):
        return None
    brackets = bool(match["open"])
    signs = [match[name] for name in ("sign", "inner", "after") if match[name]]
    if brackets != bool(match["close"]) or len(signs) + brackets > 1 or (match["before"] and match["unit"]):
        return None
    sign = match["thousands"] or ""
    digits = match["number"].replace(sign, "") if sign else match["number"]
    value = float(digits.replace(",", ".").translate(_ASCII_MINUS))
    negative = brackets or (bool(signs) and signs[0] in _MINUS)
    name = next((name for name, several in _THOUSANDS.items() if sign and sign in several), "")
    return _Written(-value if negative else value, match["before"] or match["unit"] or "", name, brackets)


_ASCII_MINUS = str.maketrans(_MINUS, "-" * len(_MINUS))


@functools.cache
def _pattern(decimal: str) -> re.Pattern[str]:
    other = re.escape("".join(_THOUSANDS.values()).replace(decimal, ""))
    whole = rf"(?:\d{{1,3}}(?P<thousands>[{other}])(?:\d{{2,3}}(?P=thousands))*\d{{3}}|\d+)"
    exponent = rf"(?:[eE][+{re.escape(_MINUS)}]?\d+)?"
    sign, gap = rf"[+{re.escape(_MINUS)}]", rf"[{_SPACES}]*"
    return re.compile(
        rf"(?P<sign>{sign})?{gap}(?P<open>\()?{gap}(?P<before>{_CURRENCY})?{gap}(?P<inner>{sign})?{gap}"
        rf"(?P<number>(?:{whole}(?:\{decimal}\d*)?|\{decimal}\d+){exponent}){gap}"
        rf"(?P<unit>{_UNIT})?{gap}(?P<after>[{re.escape(_MINUS)}])?(?P<close>\))?{gap}"
    )

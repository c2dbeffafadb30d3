"""Setting: what one field of a record may be and how it is called, said once for files, form and "what changed".

It stands in the field's metadata: `length: int = field(default=50, metadata=setting("Length", WholeNumber(2, 99)))`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol

from rnnviz.core.numbers import exact, span
from rnnviz.core.plain_records import refuse

_KEY = "setting"


class Range(Protocol):
    """Which values a setting takes."""

    def check(self, value: Any, source: str, key: str) -> None:
        """RnnvizError in one sentence, with file and key, for a value outside."""

    def show(self, value: Any) -> str:
        """A value as a person reads it."""


@dataclass(frozen=True)
class WholeNumber:
    """A whole number from `low` to `high`."""

    low: int
    high: int

    def check(self, value: int, source: str, key: str) -> None:
        if not self.low <= value <= self.high:
            raise refuse(source, key, f"a whole number from {self.low} to {self.high}", value)

    def show(self, value: object) -> str:
        return str(value)


@dataclass(frozen=True)
class RealNumber:
    """A finite number from `low` to `high`; either may be excluded."""

    low: float
    high: float = math.inf
    low_excluded: bool = False
    high_excluded: bool = False

    def check(self, value: float, source: str, key: str) -> None:
        above = value > self.low if self.low_excluded else value >= self.low
        below = value < self.high if self.high_excluded else value <= self.high
        if not (math.isfinite(value) and above and below):
            raise refuse(source, key, self._wanted(), value)

    def show(self, value: object) -> str:
        return exact(value)

    def _wanted(self) -> str:
        if self.high == math.inf:
            return f"a finite number {'above' if self.low_excluded else 'of at least'} {self.low:g}"
        if self.low_excluded and self.high_excluded:
            return f"between {self.low:g} and {self.high:g}, both excluded"
        excluded = self.low if self.low_excluded else self.high
        without = f", {excluded:g} excluded" if self.low_excluded or self.high_excluded else ""
        return f"a number from {self.low:g} to {self.high:g}{without}"


@dataclass(frozen=True)
class Span:
    """Two whole numbers from `low` to `high`, the smaller first."""

    low: int
    high: int

    def check(self, value: tuple[int, int], source: str, key: str) -> None:
        if not self.low <= value[0] <= value[1] <= self.high:
            wanted = f"two whole numbers from {self.low} to {self.high}, the smaller first"
            raise refuse(source, key, wanted, list(value))

    def show(self, value: Any) -> str:
        return span(value)


@dataclass(frozen=True)
class OneOf:
    """One of a few values, each with its words; that it is one of them is the field's type."""

    words: Mapping[Any, str]

    def check(self, value: object, source: str, key: str) -> None:
        """Nothing: the reader of records has compared it with the type."""

    def show(self, value: object) -> str:
        return self.words[value]


@dataclass(frozen=True)
class OneLine:
    """One printable line of 1 to `longest` characters."""

    longest: int

    def check(self, value: str, source: str, key: str) -> None:
        if not value.strip() or not value.isprintable() or len(value) > self.longest:
            raise refuse(source, key, f"one line of 1 to {self.longest:,} characters", value)

    def show(self, value: object) -> str:
        return str(value)


@dataclass(frozen=True)
class DataFile:
    """The path of a data file; empty stands for what comes with the program."""

    built_in: str  # its words in the form

    def check(self, value: str, source: str, key: str) -> None:
        if "\0" in value or not encodable(value):
            raise refuse(source, key, "a path in UTF-8 without a zero character", ascii(value))

    def show(self, value: str) -> str:
        return value.replace("\\", "/").rsplit("/", 1)[-1] or "built in"


@dataclass(frozen=True)
class PythonFile:
    """The path of a Python file, which is run once a person has allowed it; empty: none is chosen yet."""

    def check(self, value: str, source: str, key: str) -> None:
        if "\0" in value or not encodable(value):
            raise refuse(source, key, "a path in UTF-8 without a zero character", ascii(value))

    def show(self, value: str) -> str:
        return value.replace("\\", "/").rsplit("/", 1)[-1] or "none yet"


@dataclass(frozen=True)
class ColumnNames:
    """Names of columns of a table; none stands for what `none` says."""

    none: str = "all numeric"

    def check(self, value: tuple[str, ...], source: str, key: str) -> None:
        for place, column in enumerate(value):
            if not column or not encodable(column) or column in value[:place]:
                raise refuse(source, f"{key}[{place}]", "a column name that is not empty or named twice", column)

    def show(self, value: tuple[str, ...]) -> str:
        return ", ".join(value) if value else self.none


@dataclass(frozen=True)
class Setting:
    """One field of a record as files, form and "what changed" know it."""

    label: str  # before its field in the form
    range: Range  # of a file
    form: Range  # of the form, within `range`
    tooltip: str
    subject: str  # begins the sentence about a text in the form that means nothing
    short: str  # in "what changed"; empty: the field's name
    zero: str  # the word for 0, empty: 0 itself
    step: int | Literal["1-2-5"] | None  # of the arrow keys in the form
    row: str  # settings with the same stand in one row of the form; empty: a row of its own
    live: bool  # a running engine takes it at once; others need a restart
    begins: bool = False  # it only says how the weights begin
    when: tuple[str, Any] | None = None  # it means something where another setting of the record has this value
    slider: tuple[float, float] | None = None  # its ends, where those of the form are too far apart; more is typed

    def show(self, value: Any) -> str:
        """A value as a person reads it."""
        return self.zero if self.zero and value == 0 else self.range.show(value)

    def applies(self, record: Any) -> bool:
        """Whether it means something beside the other settings of a record."""
        return self.when is None or getattr(record, self.when[0]) == self.when[1]


def setting(
    label: str,
    range: Range,
    tooltip: str = "",
    *,
    form: Range | None = None,
    subject: str = "",
    short: str = "",
    zero: str = "",
    step: int | Literal["1-2-5"] | None = None,
    row: str = "",
    live: bool = False,
    slider: tuple[float, float] | None = None,
    begins: bool = False,
    when: tuple[str, Any] | None = None,
) -> Mapping[str, Setting]:
    """The metadata of a field; without `form` the form takes what a file may hold."""
    made = Setting(
        label, range, form or range, tooltip, subject or label, short, zero, step, row, live, begins, when, slider
    )
    return {_KEY: made}


def settings_of(record: type[Any]) -> Mapping[str, Setting]:
    """The settings of a record type by field, in their order."""
    return {one.name: one.metadata[_KEY] for one in fields(record) if _KEY in one.metadata}


def check_settings(record: Any, source: str, key: str = "") -> None:
    """RnnvizError with the first setting out of its range; `source` names the file and `key` the table in it."""
    for name, one in settings_of(type(record)).items():
        one.range.check(getattr(record, name), source, f"{key}.{name}" if key else name)


def differences(old: Any, new: Any, owner: str = "") -> Iterator[str]:
    """One phrase for each setting that differs between two records of one type: "hidden units of LSTM 12 → 24"."""
    for name, one in settings_of(type(old)).items():
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            words = one.short or name.replace("_", " ")
            yield f"{words}{owner} {one.show(before)} → {one.show(after)}"


def encodable(text: str) -> bool:
    """Whether UTF-8 can hold it; not so for half a character, as in file names that are not UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)

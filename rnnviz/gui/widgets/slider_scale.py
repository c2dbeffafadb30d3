"""Slider scale: which number stands at which place of a slider, and which one a key leads to."""

import math
from dataclasses import dataclass

from rnnviz.core.setting import RealNumber, Setting, Span, WholeNumber
from rnnviz.gui.widgets.parsing import stepped_number

PLACES = 400  # of a slider on which not every number has its own
_MOST_LINEAR = 200  # whole numbers that have a place each
_DECADES = 1e3  # below and above the usual value, where nothing is said of an open end
_WIDE = 1e3  # times its low end is a range that is walked by the logarithm in any case
_CENTER = 1e-3  # where the usual value is 0
_PAGE = 10  # steps of Page up and Page down where numbers are evenly spaced


@dataclass(frozen=True)
class SliderScale:
    """From `low` to `high`, evenly spaced or, `log`, by their logarithm; `zero`: 0 stands before `low`."""

    low: float
    high: float
    whole: bool
    log: bool = False
    zero: bool = False
    by: float = 1  # of an arrow key, where that goes evenly

    @property
    def last(self) -> int:
        """The last place; the first is 0."""
        every = self.whole and not self.log and self.high - self.low <= _MOST_LINEAR
        return int(self.high - self.low) if every else PLACES

    def value(self, place: int) -> float:
        """The number at a place: whole, or with two digits where the scale is logarithmic."""
        if self.zero and place <= 0:
            return 0 if self.whole else 0.0
        share = min(max(place / self.last, 0.0), 1.0)
        if self.log:
            value = math.exp(math.log(self.low) + share * math.log(self.high / self.low))
            value = self.high if share == 1 else min(max(float(f"{value:.2g}"), self.low), self.high)
        else:
            value = self.low + share * (self.high - self.low)
            if not self.whole:
                value = min(max(round(value, self.decimals), self.low), self.high)
        return round(value) if self.whole else value

    def place(self, value: float) -> int:
        """The place of a number, that of the nearest end for one beyond."""
        if self.zero and value < self.low:
            return 0
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return max(round(share * self.last), 1 if self.zero else 0)

    def step(self, value: float, direction: int) -> float:
        """Where an arrow key leads: along 1, 2, 5 on a logarithmic scale of real numbers, else `by` on."""
        if self.whole or not self.log:
            return self._near(value, value + direction * self.by)
        return self._past_zero(value, direction, _along(value, direction))

    def page(self, value: float, direction: int) -> float:
        """Where Page up (1) and Page down (−1) lead: ten times as far, or on a scale of whole numbers along 1, 2, 5."""
        if not self.log:
            return self._near(value, value + direction * _PAGE * self.by)
        return self._past_zero(value, direction, _along(value, direction) if self.whole else value * 10.0**direction)

    def _past_zero(self, value: float, direction: int, after: float) -> float:
        """`after`, or 0 below the least number and that above 0."""
        if value <= 0:
            after = self.low if direction > 0 else 0
        elif self.zero and direction < 0 and value <= self.low:
            after = 0
        return self._near(value, after)

    def _near(self, before: float, after: float) -> float:
        """What follows `before`: it stops at an end of the slider, unless it has been typed beyond."""
        if self.value(0) <= before <= self.high:
            after = min(max(after, self.value(0)), self.high)
        return round(after) if self.whole else float(f"{after:.12g}")

    @property
    def decimals(self) -> int:
        """Digits behind the point of what is dragged, where the scale is even."""
        return max(0, -math.floor(math.log10((self.high - self.low) / 50)))


def _along(value: float, direction: int) -> float:
    """The next of 1, 2, 5, 10, …"""
    after = stepped_number(float(value), direction)
    assert isinstance(after, float)
    return after


def scale_of(one: Setting, usual: object) -> SliderScale:
    """The scale of a setting with a range of numbers; an open one goes around its `usual` value."""
    form, by = one.form, one.step if isinstance(one.step, int) else None
    if isinstance(form, WholeNumber | Span):
        low, high = one.slider or (form.low, form.high)
        if high - low <= _MOST_LINEAR:
            return SliderScale(low, high, whole=True, by=by or 1)
        return SliderScale(max(low, 1), high, whole=True, log=True, zero=low == 0, by=by or 1)
    if not isinstance(form, RealNumber):
        raise TypeError(f"{one.label}: wanted a range of numbers, got {form}")
    log = one.step == "1-2-5" or 0 < form.low * _WIDE < form.high
    if one.slider is None and not log and form.high < math.inf:
        return _even(form, by)
    center = usual if isinstance(usual, float) and usual > 0 else _CENTER
    low, high = one.slider or (max(form.low, _round(center / _DECADES)), min(form.high, _round(center * _DECADES)))
    if not log:
        return _even(RealNumber(low, high), by)
    return SliderScale(low, high, whole=False, log=True, zero=form.low == 0 and not form.low_excluded)


def _even(form: RealNumber, by: float | None) -> SliderScale:
    """Real numbers evenly spaced; the arrow keys go by the digit that is dragged where nothing else is said."""
    digit = 10.0 ** -SliderScale(form.low, form.high, whole=False).decimals
    low, high = form.low + digit * form.low_excluded, form.high - digit * form.high_excluded
    return SliderScale(low, high, whole=False, by=by or digit)


def _round(value: float) -> float:
    return float(f"{value:.3g}")


def parts(value: object) -> list[float]:
    """The numbers of a field's value: one, or the ends of its spans in their order."""
    if not isinstance(value, tuple):
        return [value]  # type: ignore[list-item]
    return [number for one in value for number in parts(one)]


def with_part(value: object, number: int, part: float) -> object:
    """The value with one of its numbers changed; the other end of a span gives way where it would cross."""
    if not isinstance(value, tuple):
        return part
    if isinstance(value[0], tuple):
        pair, end = divmod(number, 2)
        return (*value[:pair], with_part(value[pair], end, part), *value[pair + 1 :])
    return (part, max(part, value[1])) if number == 0 else (min(part, value[0]), part)

"""Setting rows: the rows of a form, made from the settings of a record."""

from collections.abc import Callable, Mapping
from typing import Any

from rnnviz.core.experiment.model_settings import CellChoice
from rnnviz.core.setting import (
    ColumnNames,
    DataFile,
    OneLine,
    OneOf,
    PythonFile,
    RealNumber,
    Setting,
    Span,
    WholeNumber,
    settings_of,
)
from rnnviz.gui.look.form_style import FIELD_WIDTH
from rnnviz.gui.widgets import marked_text
from rnnviz.gui.widgets.fields import Choice, Field, Row
from rnnviz.gui.widgets.number_field import NumberField, PartSlider
from rnnviz.gui.widgets.parsing import column_names, line, real, spans, stepped_number, whole
from rnnviz.gui.widgets.slider_scale import scale_of


def setting_rows(record: type, width: int = FIELD_WIDTH) -> dict[str, Row]:
    """A row for each setting of a record type, or for those that stand in one row together, by their key."""
    return {key: _row(record, names, width) for key, names in row_fields(record).items()}


def row_fields(record: type) -> Mapping[str, tuple[str, ...]]:
    """Which fields of the record stand in which row."""
    rows: dict[str, tuple[str, ...]] = {}
    for name, one in settings_of(record).items():
        rows[one.row or name] = (*rows.get(one.row or name, ()), name)
    return rows


def row_value(record: object, key: str) -> object:
    """What the row called `key` shows of `record`: a value, or several as a tuple."""
    values = tuple(getattr(record, name) for name in row_fields(type(record)).get(key, (key,)))
    return values[0] if len(values) == 1 else values


def setting_row(record: type, name: str, width: int = FIELD_WIDTH) -> Row:
    """The row of one setting."""
    return _row(record, (name,), width)


def name_row(row: Row, record: type, name: str, words: tuple[str, str] | None = None) -> None:
    """Its label and its tooltip: `words`, or those of the setting."""
    one = settings_of(record)[name]
    label, tooltip = words or (one.label, one.tooltip)
    row.call(label)
    row.explain(tooltip)


def typed_field(row: Row) -> Field:
    """The field of a row in which a person types."""
    assert isinstance(row.field, Field)
    return row.field


def _row(record: type, names: tuple[str, ...], width: int) -> Row:
    one = settings_of(record)[names[0]]
    values = tuple(getattr(record, name, None) for name in names)
    return Row(one.label, _field(one, values, names), one.tooltip, width)


def _field(one: Setting, defaults: tuple[Any, ...], names: tuple[str, ...]) -> Field | Choice:
    match one.form:
        case OneOf(words):
            return Choice(list(words.items()))
        case CellChoice():
            choice = Choice(list(one.form.words.items()))
            choice.set_tips({name: marked_text.plain(note) for name, note in one.form.notes.items()})
            return choice
        case DataFile() | PythonFile():
            return Choice()  # filled by the form, which knows the present file
        case OneLine(longest):
            return Field(line(one.subject, longest), one.show)
        case ColumnNames(none):
            return Field(column_names(none), one.show)
        case Span(low, high):
            example = ", ".join(map(one.show, defaults))
            sliders = [
                PartSlider(scale_of(one, None), f"{name.replace('_', ' ')} {end}".strip())
                for name in (names if len(names) > 1 else ("",))
                for end in ("from", "to")
            ]
            return NumberField(spans(one.subject, len(defaults), low, high, example), one.show, None, sliders)
        case WholeNumber(low, high):
            parse = whole(one.subject, low, high, bool(one.zero))
            return NumberField(parse, one.show, _step(one), [_slider(one, defaults[0])])
        case RealNumber(least, most, above):
            parse = real(one.subject, least, most, bool(one.zero), above)
            return NumberField(parse, one.show, _step(one), [_slider(one, defaults[0])])
    raise TypeError(f"{one.label}: wanted a range that a form knows, got {one.form}")


def _slider(one: Setting, usual: object) -> PartSlider:
    return PartSlider(scale_of(one, usual), zero=one.zero)


def _step(one: Setting) -> Callable[[object, int], object] | None:
    step = one.step
    if step is None or step == "1-2-5":
        return stepped_number if step else None
    return lambda value, direction: value + step * direction  # type: ignore[operator]

"""Hints on the activation of an nn.RNN, which its weights do not say: settings and metadata beside them."""

import json
from collections.abc import Iterator, Mapping, Sequence

from rnnviz.core.structure import Activation
from rnnviz.engine.checkpoints.names import shown
from rnnviz.engine.checkpoints.records import Hint

MOST_HINTS = 100
_MOST_JSON = 100_000  # characters of one value of a file's metadata
_WORDS: Mapping[str, Activation] = {"tanh": "tanh", "relu": "relu"}
_MODES: Mapping[str, Activation] = {"rnn_tanh": "tanh", "rnn_relu": "relu"}  # torch's names of the two nn.RNN
_CERTAIN = "nonlinearity"  # the argument of nn.RNN
_LIKELY = ("nonlin", "activ", "act_fn", "act_fun", "hidden_act")


def hint(where: Sequence[str], value: object) -> Hint | None:
    """What the setting `value` under the keys `where` says of an activation; None for any other setting."""
    if not isinstance(value, str) or not where or len(value) > 60:
        return None
    key, word = where[-1].lower(), value.lower().removesuffix("()").rpartition(".")[2]
    place = shown(".".join(where))
    if word in _MODES:
        return Hint(place, _MODES[word], True)
    if word not in _WORDS:
        return None
    if _CERTAIN in key:
        return Hint(place, _WORDS[word], True)
    return Hint(place, _WORDS[word], False) if key == "act" or any(part in key for part in _LIKELY) else None


def metadata_hints(metadata: object) -> tuple[Hint, ...]:
    """The hints in the metadata of a safetensors file: texts, some of which are JSON."""
    found: list[Hint] = []
    for where, value in _settings(metadata):
        one = hint(where, value)
        if one is not None and len(found) < MOST_HINTS:
            found.append(one)
    return tuple(found)


def agreed(hints: Sequence[Hint]) -> tuple[Hint | None, bool]:
    """The hint to go by, None where there is none, and whether the hints contradict each other.

    Certain ones outweigh the others.
    """
    weighed = [one for one in hints if one.certain] or list(hints)
    said = {one.activation for one in weighed}
    return (weighed[0], False) if len(said) == 1 else (None, bool(said))


def _settings(metadata: object) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every value two tables deep, with its keys; a text that is a JSON table counts as one."""
    for key, value in metadata.items() if isinstance(metadata, Mapping) else ():
        yield (str(key),), value
        inner = _json_table(value) if isinstance(value, str) else value
        if isinstance(inner, Mapping):
            yield from (((str(key), *where), one) for where, one in _settings_below(inner))


def _settings_below(table: Mapping[object, object]) -> Iterator[tuple[tuple[str, ...], object]]:
    for key, value in table.items():
        yield (str(key),), value
        if isinstance(value, Mapping):
            yield from (((str(key), str(inner)), one) for inner, one in value.items())


def _json_table(text: str) -> object:
    if not text.lstrip().startswith("{") or len(text) > _MOST_JSON:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

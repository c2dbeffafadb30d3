"""Wrappings: dictionaries in which trainers put a state dict, left out of names unless two of them hold the same."""

import re
from collections.abc import Sequence

from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import listed
from rnnviz.engine.checkpoints.names import shown

WRAPPINGS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights")
_AVERAGED = re.compile(r"(^|[^a-z])(ema|swa|avg|averaged?|shadow|teacher)([^a-z]|$)")

Place = tuple[str, ...]  # the keys that lead to a tensor


def tensor_names(places: Sequence[Place]) -> list[str]:
    """The dotted name of each place, wrappings left out where no other top-level entry holds a tensor of that name.

    RnnvizError (a phrase) for two tensors of one name.
    """
    heads = _heads(places)
    doubled = {place[: _begin(place)] for place in places if len(heads[place[_begin(place) :]]) > 1}
    names: list[str] = []
    taken: set[str] = set()
    for place in places:
        begin = _begin(place)
        short = ".".join(place[0 if place[:begin] in doubled else begin :])
        name = short if short not in taken else ".".join(place)
        if name in taken:
            raise RnnvizError(f"names two tensors {shown(name)!r}, wanted one of each name")
        taken.add(name)
        names.append(name)
    return names


def version_notes(places: Sequence[Place]) -> tuple[str, ...]:
    """One sentence where two or more top-level entries hold tensors of the same names: a model and its average."""
    heads = _heads(places)
    rivals: dict[str, None] = {}
    for place in places:
        others = heads[place[_begin(place) :]]
        if len(others) > 1:
            rivals.update(dict.fromkeys(others))
    if not rivals:
        return ()
    words = [f"{shown(one)!r}{' (by its name the averaged weights)' if _averaged(one) else ''}" for one in rivals]
    return (f"The same names are under {listed(words[:8])}: each is a model of its own here.",)


def _begin(place: Place) -> int:
    """How many wrappings it begins with; the last key is never one."""
    begin = 0
    while begin < len(place) - 1 and place[begin] in WRAPPINGS:
        begin += 1
    return begin


def _heads(places: Sequence[Place]) -> dict[Place, dict[str, None]]:
    """By the end of a place: the top-level keys under which a tensor with that end stands."""
    heads: dict[Place, dict[str, None]] = {}
    for place in places:
        heads.setdefault(place[_begin(place) :], {})
    for place in places:
        for begin in range(1, len(place)):
            if place[begin:] in heads:
                heads[place[begin:]][place[0]] = None
    return heads


def _averaged(key: str) -> bool:
    return _AVERAGED.search(key.lower()) is not None

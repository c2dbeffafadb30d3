"""Parts of a checkpoint that was saved in several files: the other files, by an index or by their names."""

import json
import re
from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.formats import INDEX_ENDING
from rnnviz.core.plain_records import listed
from rnnviz.engine.checkpoints.names import shown
from rnnviz.engine.checkpoints.opening import open_regular

MOST_PARTS = 32
_MOST_INDEX_BYTES = 8 * 1024**2
_MOST_INDICES = 8  # looked into beside a file
# "model-00001-of-00002", "shard_1_of_2"; not "epoch-3-of-5", which is whole
_NUMBERED = re.compile(
    r"(?P<before>.*(?:(?<=\D)(?=\d{5}\D)|^(?=\d{5}\D)|(?:part|shard)[-_.]?))(?P<number>\d{1,6})"
    r"(?P<of>[-_.]?of[-_.]?)(?P<count>\d{1,6})(?P<after>\D.*)?",
    re.IGNORECASE | re.DOTALL,
)


def parts_of(path: Path) -> tuple[Path, ...]:
    """All files that make the checkpoint at `path`, which may be their index or one of them; else `path` alone.

    Only files beside it are named. RnnvizError, one sentence, where one is missing and for an index that is none.
    """
    if path.name.lower().endswith(INDEX_ENDING):
        names = _indexed(path)
        return _there(path, names, f"{path} is the index of {len(names)} parts of one checkpoint")
    numbered = _NUMBERED.fullmatch(path.name)
    if numbered and 1 <= int(numbered["number"]) <= int(numbered["count"]) and int(numbered["count"]) > 1:
        count, width = int(numbered["count"]), len(numbered["number"])
        before, after = numbered["before"], f"{numbered['of']}{numbered['count']}{numbered['after'] or ''}"
        names = [f"{before}{number:0{width}}{after}" for number in range(1, min(count, MOST_PARTS + 1) + 1)]
        return _there(path, names, f"{path} is part {int(numbered['number'])} of {count} of one checkpoint", count)
    for index in sorted(path.parent.glob(f"*{INDEX_ENDING}"))[:_MOST_INDICES]:
        try:
            names = _indexed(index)
        except RnnvizError:  # somebody else's
            continue
        if path.name in names:
            return _there(path, names, f"{path} is one of {len(names)} parts of one checkpoint, as {index.name} says")
    return (path,)


def _indexed(index: Path) -> list[str]:
    """The names of the files that an index lists, each once."""
    file, _ = open_regular(index, _MOST_INDEX_BYTES)
    with file:
        content = file.read()
    try:
        places = json.loads(content)["weight_map"].values()
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise RnnvizError(f"{index} is not the index of a checkpoint: wanted JSON with a table weight_map.") from None
    names = list(dict.fromkeys(place if isinstance(place, str) else "" for place in places))
    if not names:
        raise RnnvizError(f"{index} names no file: wanted the parts of a checkpoint.")
    for name in names:
        if not name or name in (".", "..") or any(sign in name for sign in "/\\:\0"):
            raise RnnvizError(f"{index} names {shown(name)!r}: wanted only files that lie beside it.")
    return names


def _there(path: Path, names: list[str], words: str, count: int = 0) -> tuple[Path, ...]:
    """The files of these names beside `path`; RnnvizError that begins with `words` where they are not all there."""
    if max(count, len(names)) > MOST_PARTS:
        raise RnnvizError(f"{words}: wanted at most {MOST_PARTS} parts.")
    found = [path.with_name(name) for name in names]
    missing = [shown(one.name) for one in found if not one.is_file()]
    if missing:
        more = [f"{len(missing) - 3} more"] if missing[3:] else []
        are = "is" if len(missing) == 1 else "are"
        raise RnnvizError(f"{words}: wanted all side by side, {listed(missing[:3] + more)} {are} not there.")
    return tuple(found)

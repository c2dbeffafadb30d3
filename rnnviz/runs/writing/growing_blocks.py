"""Growing metric blocks: which rows of the table metric_blocks a few new values make, the last of each metric anew."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rnnviz.runs.file.metric_blocks import MOST_VALUES, block_crc32, block_data

Key = tuple[int, str]  # model, metric
BlockRow = tuple[int, int, int, int, int, int, bytes]  # as in the table


@dataclass(frozen=True)
class _Block:
    number: int
    steps: tuple[int, ...]  # ascending
    values: tuple[float, ...]


@dataclass(frozen=True)
class GrowingBlocks:
    """The newest block of each metric, as it is in the file, how many it has, and the number of the next new one."""

    newest: Mapping[Key, _Block] = field(default_factory=dict)
    counts: Mapping[Key, int] = field(default_factory=dict)
    next_number: int = 1

    def with_values(
        self, metrics: Iterable[tuple[int, int, str, float]], names: Mapping[str, int]
    ) -> tuple["GrowingBlocks", list[BlockRow]]:
        """The blocks once the rows, to be inserted or replaced, are written; `metrics` as in `pending.Values`."""
        came: dict[Key, list[tuple[int, float]]] = {}
        for step, model, name, value in metrics:
            came.setdefault((model, name), []).append((step, value))
        newest, counts, number, rows = dict(self.newest), dict(self.counts), self.next_number, []
        for key, values in came.items():
            known = newest.get(key)
            steps, numbers = _merged(known, values)
            for start in range(0, len(steps), MOST_VALUES):
                if known is None or start:
                    known, number = _Block(number, (), ()), number + 1
                    counts[key] = counts.get(key, 0) + 1
                part = slice(start, start + MOST_VALUES)
                known = newest[key] = _Block(known.number, tuple(steps[part]), tuple(numbers[part]))
                rows.append(_row(known, key, names[key[1]]))
        return GrowingBlocks(newest, counts, number), rows


def _merged(known: _Block | None, values: list[tuple[int, float]]) -> tuple[list[int], list[float]]:
    """Steps and values of the known block and the new ones; the later value of a training step counts."""
    steps, numbers = (list(known.steps), list(known.values)) if known is not None else ([], [])
    for step, value in values:
        place = len(steps) if not steps or step > steps[-1] else bisect_left(steps, step)
        if place < len(steps) and steps[place] == step:
            numbers[place] = value
        else:
            steps.insert(place, step)
            numbers.insert(place, value)
    return steps, numbers


def _row(block: _Block, key: Key, name: int) -> BlockRow:
    data = block_data(block.steps, block.values)
    first, last = block.steps[0], block.steps[-1]
    return block.number, key[0], name, first, last, block_crc32(key[0], key[1], first, last, data), data

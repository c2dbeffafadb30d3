"""Levels of the network view: how close one looks."""

from typing import Literal, get_args

Level = Literal["folded", "unrolled", "inside"]

LEVELS: dict[Level, str] = {"folded": "Folded", "unrolled": "Unrolled", "inside": "Inside the cell"}


def deeper(level: Level, by: int) -> Level:
    """The level so many closer; the last one where there is none."""
    levels: tuple[Level, ...] = get_args(Level)
    return levels[min(max(levels.index(level) + by, 0), len(levels) - 1)]

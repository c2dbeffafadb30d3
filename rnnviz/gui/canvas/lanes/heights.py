"""How the height of the canvas is shared among the lanes."""

from collections.abc import Sequence

from rnnviz.gui.canvas.lanes.lane import Heights


def share_out(wishes: Sequence[Heights], available: float) -> list[float]:
    """A height for each lane in whole pixels, gaps not counted.

    Every lane gets its minimum; what is left brings all of them evenly to what they like, then to what they can use.
    With less room than the minima the sum exceeds `available` and the canvas scrolls.
    """
    room = available - sum(wish.gap for wish in wishes)
    heights = [wish.minimum for wish in wishes]
    for goal in ([wish.preferred for wish in wishes], [wish.maximum for wish in wishes]):
        wanted = sum(goal) - sum(heights)
        free = room - sum(heights)
        if free <= 0 or wanted <= 0:
            continue
        share = min(free / wanted, 1.0)
        heights = [height + share * (most - height) for height, most in zip(heights, goal, strict=True)]
    return [float(int(height)) for height in heights]

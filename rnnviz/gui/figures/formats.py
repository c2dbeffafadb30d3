"""Figures: the formats a picture is written in, its sizes and scales. No Qt, so that the command line may read them."""

from dataclasses import dataclass
from pathlib import Path

from rnnviz.core.errors import RnnvizError

SCALES = (1, 2, 4)  # pixels for each unit of the size
FONT_SCALES = (0.8, 3.0)  # smallest and largest: of texts and all that goes with them
SIDES = (200, 8192)  # smallest and largest, in units of the size
_MOST_PIXELS = 1 << 27  # half a gigabyte of memory


@dataclass(frozen=True)
class PictureFormat:
    """One format of pictures."""

    name: str  # in words
    ending: str
    writer: str  # of QImageWriter


@dataclass(frozen=True)
class Measures:
    """How large a picture is: `size` times `scale` pixels; texts and lines `font_scale` times as large as on screen."""

    size: tuple[int, int]
    scale: int = 1
    font_scale: float = 1.0

    def check(self) -> None:
        """RnnvizError where one of them is beyond its range."""
        if self.scale not in SCALES:
            raise RnnvizError(f"scale: wanted one of {', '.join(map(str, SCALES))}, got {self.scale}.")
        smallest, largest = FONT_SCALES
        if not smallest <= self.font_scale <= largest:
            raise RnnvizError(f"font scale: wanted {smallest:g} to {largest:g}, got {self.font_scale:g}.")
        smallest, largest = SIDES
        if not all(smallest <= side <= largest for side in self.size):
            raise RnnvizError(f"size: wanted {smallest} to {largest:,} pixels each way, got {in_pixels(self.size)}.")
        pixels = self.size[0] * self.size[1] * self.scale**2
        if pixels > _MOST_PIXELS:
            raise RnnvizError(
                f"size: wanted a picture of at most {_MOST_PIXELS:,} pixels, got {in_pixels(self.size)} at scale "
                f"{self.scale}, which has {pixels:,}."
            )


FIGURES = (PictureFormat("PNG", ".png", "png"),)


def figure_format(path: Path) -> PictureFormat:
    """The format the ending of `path` asks for; RnnvizError with those there are."""
    for one in FIGURES:
        if path.suffix.lower() == one.ending:
            return one
    raise RnnvizError(f"{path}: wanted a file name that ends in {' or '.join(one.ending for one in FIGURES)}.")


def in_pixels(size: tuple[int, int]) -> str:
    """As it is typed: 1440x900."""
    return f"{size[0]}x{size[1]}"

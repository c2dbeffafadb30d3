"""Figures: the formats a picture is written in, and its scales. No Qt, so that the command line may read them."""

from dataclasses import dataclass
from pathlib import Path

from rnnviz.core.errors import RnnvizError

SCALES = (1, 2, 4)  # pixels for each unit of the size


@dataclass(frozen=True)
class PictureFormat:
    """One format of pictures."""

    name: str  # in words
    ending: str
    writer: str  # of QImageWriter


FIGURES = (PictureFormat("PNG", ".png", "png"),)


def figure_format(path: Path) -> PictureFormat:
    """The format the ending of `path` asks for; RnnvizError with those there are."""
    for one in FIGURES:
        if path.suffix.lower() == one.ending:
            return one
    raise RnnvizError(f"{path}: wanted a file name that ends in {' or '.join(one.ending for one in FIGURES)}.")

"""Some twenty pictures of a kept run, pixel for pixel: what the window and its figures show stays what it was.

`RNNVIZ_REPLACE_PICTURES=1 python -m pytest tests/pictures` draws the references anew, on purpose only: look at them.
`python tests/pictures/test_kept_pictures.py FOLDER` unpacks those there are. They hold for one version of Qt, which
draws text in its own way.
"""

import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import PySide6
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from kept_pictures import FAINT, KEPT, MOST_FAINT, NAMES, SIZES, alike, pixels, references
from PySide6.QtGui import QImage

from rnnviz.core.arrays import Array

REPLACE = os.environ.get("RNNVIZ_REPLACE_PICTURES") == "1"
PACKED = [
    {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 96 << 20}
]  # what one picture has of another costs nothing


@pytest.mark.skipif(
    not REPLACE and json.loads(SIZES.read_text())["Qt"] != PySide6.__version__,
    reason="the reference pictures are of another version of Qt",
)
def test_the_pictures_are_what_they_were(tmp_path: Path) -> None:
    """A failure leaves what came, what was wanted and where they differ in a folder that it names."""
    assert len(NAMES) == 29
    drawing = [sys.executable, str(Path(__file__).with_name("kept_pictures.py")), str(tmp_path)]
    done = subprocess.run(drawing, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    got = {name: pixels(QImage(str(tmp_path / f"{name}.png"))) for name in NAMES}
    if REPLACE:
        _replace(got)
        pytest.skip("the pictures are replaced")
    kept = references()
    unequal = [difference(name, got[name], kept[name], tmp_path) for name in NAMES if not alike(got[name], kept[name])]
    assert not unequal, "\n".join([*unequal, f"What came, was wanted and differs is in {tmp_path}."])


def test_a_difference_is_seen_and_shown_where_it_is(tmp_path: Path) -> None:
    picture = np.full((70, 100, 3), 9, np.uint8)
    changed = picture.copy()
    changed[40, 97, 1] += FAINT
    assert alike(picture, changed)
    changed[40, 97, 1] += 1
    assert not alike(picture, changed)
    assert difference("name", changed, picture, tmp_path) == "name: 1 pixels differ, x 97 to 97, y 40 to 40"
    shown = pixels(QImage(str(tmp_path / "name-differs.png")))
    assert (shown[40, 97] == (0, 0, 255)).all()
    assert np.count_nonzero((shown == (0, 0, 255)).all(axis=2)) == 1
    many = picture.copy()
    many[:4, : MOST_FAINT // 4] += 1
    assert alike(picture, many)
    many[5, 0] += 1
    assert not alike(picture, many)
    assert not alike(picture, picture[1:])


def difference(name: str, got: Array, wanted: Array, folder: Path) -> str:
    """Saves NAME-wanted.png and NAME-differs.png, in red what differs, and says where that is."""
    save(wanted, folder / f"{name}-wanted.png")
    if got.shape != wanted.shape:
        return f"{name}: wanted {wanted.shape[1::-1]} pixels, came {got.shape[1::-1]}"
    differing = (got != wanted).any(axis=2)
    save(np.where(differing[..., None], np.uint8([0, 0, 255]), wanted // 4 + 190), folder / f"{name}-differs.png")
    rows, columns = np.flatnonzero(differing.any(axis=1)), np.flatnonzero(differing.any(axis=0))
    where = f"x {columns[0]} to {columns[-1]}, y {rows[0]} to {rows[-1]}"
    return f"{name}: {differing.sum()} pixels differ, {where}"


def save(colors: Array, path: Path) -> None:
    whole = np.full((*colors.shape[:2], 4), 255, np.uint8)
    whole[..., :3] = colors
    image = QImage(whole.data, whole.shape[1], whole.shape[0], whole.shape[1] * 4, QImage.Format.Format_RGB32)
    assert image.save(str(path), "PNG", 80), path


def _replace(got: dict[str, Array]) -> None:
    order = sorted(got, key=lambda name: got[name].shape)  # pictures of one size have most in common
    whole = b"".join(got[name].tobytes() for name in order)
    KEPT.write_bytes(lzma.compress(whole, format=lzma.FORMAT_XZ, filters=PACKED))
    sizes = {name: got[name].shape[:2] for name in order}
    SIZES.write_text(json.dumps({"Qt": PySide6.__version__, "sizes": sizes}, indent=1) + "\n")


if __name__ == "__main__":
    for name, colors in references().items():
        save(colors, Path(sys.argv[1]) / f"{name}.png")

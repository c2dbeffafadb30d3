"""Whole files: written or not at all, and readable by whom they are for."""

from pathlib import Path

import pytest

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.whole import write_whole


@pytest.mark.parametrize(("private", "mode"), [(False, 0o644), (True, 0o600)])
def test_a_file_is_readable_by_others_unless_it_is_private(tmp_path: Path, private: bool, mode: int) -> None:
    path = tmp_path / "weights"
    write_whole(path, b"all of it", private)
    assert path.read_bytes() == b"all of it"
    assert path.stat().st_mode & 0o777 == mode


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(RnnvizError, match="taken cannot be written"):
        write_whole(tmp_path / "taken", b"content")
    assert [one.name for one in tmp_path.iterdir()] == ["taken"]

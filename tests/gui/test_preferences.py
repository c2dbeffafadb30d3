import stat
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.state.preferences import RECENT_FILES, Preferences, read_preferences, write_preferences


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    preferences = Preferences("light", ("/a/ü.rnnviz", "/b"), ("cell", "+loss"), "AAAA", "BB==")
    write_preferences(preferences, tmp_path / "new" / "settings.toml")
    assert read_preferences(tmp_path / "new" / "settings.toml") == (preferences, "")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["settings.toml"]


def test_no_file_is_no_complaint(tmp_path: Path) -> None:
    assert read_preferences(tmp_path / "settings.toml") == (Preferences(), "")


@pytest.mark.parametrize(
    "content",
    [b"theme = ", b"\xff\xfe\x00", b"theme = 'dark'\ntheme = 'light'", b"[" * 5000, b"text_scale = " + b"9" * 5000],
)
def test_a_broken_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    preferences, sentence = read_preferences(path)
    assert preferences == Preferences()
    (aside,) = tmp_path.iterdir()
    assert aside.name.startswith("settings.broken-")
    assert aside.suffix == ".toml"
    assert aside.read_bytes() == content
    assert str(aside) in sentence


def test_only_bad_keys_are_reset(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('theme = "pink"\nrecent = ["/a", "/b"]\nlayout = 7\nfuture = true\ntrace_memory = 1048577\n')
    preferences, sentence = read_preferences(path)
    assert preferences == Preferences(recent=("/a", "/b"))
    assert "layout and theme and trace_memory" in sentence
    assert path.exists()


@given(st.dictionaries(st.sampled_from(list(asdict(Preferences()))), st.one_of(
    st.text(), st.integers(), st.booleans(), st.lists(st.one_of(st.text(), st.integers())))))  # fmt: skip
def test_any_values_are_read(tmp_path_factory: pytest.TempPathFactory, values: dict[str, object]) -> None:
    import tomli_w

    path = tmp_path_factory.mktemp("any") / "settings.toml"
    path.write_bytes(tomli_w.dumps(values).encode())
    preferences, sentence = read_preferences(path)
    kept = asdict(preferences)
    for name, value in values.items():
        fits = kept[name] == (tuple(value) if isinstance(value, list) else value)
        assert fits or name in sentence


def test_recent_files_are_few_and_the_newest_comes_first() -> None:
    preferences = Preferences()
    for number in range(RECENT_FILES + 3):
        preferences = Preferences(recent=preferences.with_recent(Path(f"/{number}")))
    assert len(preferences.recent) == RECENT_FILES
    assert preferences.recent[0] == f"/{RECENT_FILES + 2}"
    assert preferences.with_recent(Path("/5"))[0] == "/5"
    assert preferences.with_recent(Path("/5")).count("/5") == 1


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RnnvizError, match="cannot be saved"):
        write_preferences(Preferences(), tmp_path / "file" / "settings.toml")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.toml"
    write_preferences(Preferences("light"), path)

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RnnvizError, match="No space left"):
        write_preferences(Preferences("dark"), path)
    assert read_preferences(path)[0].theme == "light"
    assert stat.S_ISREG(path.stat().st_mode)

"""Next character: windows of a text over its alphabet, its baselines, encodings, and the texts that are refused."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.texts import OTHER, encode, read_text
from rnnviz.core.tasks import NextCharacter


def source_of(folder: Path, text: str | bytes, **options: object):  # type: ignore[no-untyped-def]
    path = folder / "t.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return NextCharacter(file=str(path), **options).open(1)


def test_targets_are_the_characters_that_follow(tmp_path: Path) -> None:
    text = "naïve 🙂 text " * 30
    source = source_of(tmp_path, text, length=8, train_share=0.5)
    alphabet = source.info.input_labels
    assert alphabet == tuple(sorted(set(text)))
    batch = source.batch(np.random.default_rng(0), 50)
    assert batch.inputs.shape == (8, 50, len(alphabet))
    assert np.all(batch.inputs.sum(axis=-1) == 1)
    for number in range(50):
        seen = "".join(alphabet[code] for code in batch.inputs[:, number].argmax(axis=-1))
        follows = "".join(alphabet[code] for code in batch.targets[:, number])
        assert seen[1:] == follows[:-1]
        assert seen + follows[-1] in text


def test_train_and_test_part_do_not_overlap(tmp_path: Path) -> None:
    source = source_of(tmp_path, "ab" * 50 + "cd" * 50, length=5, train_share=0.5)
    trained = source.batch(np.random.default_rng(0), 100).targets
    labels = source.info.output_labels
    assert {labels[code] for code in trained.ravel()} == {"a", "b"}
    for held_back in (source.test(), source.probe()):
        assert {labels[code] for code in held_back.targets.ravel()} == {"c", "d"}
        assert held_back.loss_weight.sum() == pytest.approx(1, rel=1e-5)


def test_windows_of_the_test_part_lie_evenly_from_its_first_to_its_last_character(tmp_path: Path) -> None:
    text = "".join(chr(0x100 + code) for code in range(200))
    source = source_of(tmp_path, text, length=6, train_share=0.3)
    for held_back in (source.test(), source.probe()):
        first, last = held_back.inputs.argmax(axis=-1)[0], held_back.targets[-1]
        assert (first[0], last[-1]) == (60, 199)
        gaps = np.diff(first)
        assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize(("characters", "windows"), [(12, 1), (13, 2), (18, 2), (19, 3), (25, 4), (26_006, 1666)])
def test_the_test_windows_are_as_many_as_fit_without_overlap(tmp_path: Path, characters: int, windows: int) -> None:
    """Each of six characters and the one after its last, which may be the first of the next."""
    source = source_of(tmp_path, "abc" * characters, length=6, train_share=2 / 3)
    batch = source.test()
    assert batch.targets.shape == (6, windows)
    assert batch.loss_weight.sum() == pytest.approx(1, rel=1e-5)


def values(source, metric: str) -> dict[str, float]:  # type: ignore[no-untyped-def]
    return {line.label: line.value for line in source.info.baselines if line.metric == metric}


def test_the_baselines_are_those_of_single_characters_and_of_pairs_on_each_part(tmp_path: Path) -> None:
    """The rest is of another kind than what is trained on, so that the two parts cannot be confused."""
    source = source_of(tmp_path, "aaab" * 400 + "ab" * 800, length=7, train_share=0.5)
    assert values(source, "accuracy")["most frequent character"] == pytest.approx(0.75, abs=0.001)
    assert values(source, "test_accuracy")["most frequent character"] == pytest.approx(0.5, abs=0.01)
    single = values(source, "loss")["single characters"]
    assert single == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25), abs=0.001)
    assert values(source, "test_loss")["single characters"] == pytest.approx(-np.log(0.75 * 0.25) / 2, abs=0.01)
    pairs = 0.75 * (-np.log(2 / 3) * 2 / 3 - np.log(1 / 3) / 3)  # after an a; after a b there is no doubt
    assert values(source, "loss")["pairs of characters"] == pytest.approx(pairs, abs=0.01)
    assert values(source, "test_loss")["pairs of characters"] == pytest.approx(-np.log(1 / 3) / 2, abs=0.02)
    assert values(source, "accuracy")["most frequent after the last one"] == pytest.approx(0.75, abs=0.01)


def test_the_default_text_is_the_same_under_every_python() -> None:
    text = read_text("")
    read = "".join(text.alphabet[code] for code in text.codes)
    assert hashlib.sha256(read.encode()).hexdigest().startswith("f49903dec0cf54c3")
    assert text.source == "data/python-help.txt"


def test_on_the_default_text_the_baselines_of_both_parts_agree() -> None:
    source = NextCharacter().open(3)
    test = source.test()
    assert test.targets.size >= 9_000
    starts = {"".join(map(chr, test.targets[:, number])) for number in range(test.targets.shape[1])}
    assert len(starts) == test.targets.shape[1]
    for metric, near in (("loss", 0.02), ("accuracy", 0.02)):
        label = "single characters" if metric == "loss" else "most frequent character"
        assert values(source, f"test_{metric}")[label] == pytest.approx(values(source, metric)[label], abs=near)
    pairs = values(source, "loss")["pairs of characters"]
    assert 2.3 < pairs < 2.6 < 3.1 < values(source, "loss")["single characters"]
    assert values(source, "test_loss")["pairs of characters"] == pytest.approx(pairs, abs=0.2)


@pytest.mark.parametrize(
    ("coded", "words"),
    [
        ("\ufeffStraße über Köln. ".encode(), ()),
        ("Straße über Köln. ".encode("utf-16"), ("read as UTF-16",)),
        (b"\xfe\xff" + "Straße über Köln. ".encode("utf-16-be"), ("read as UTF-16",)),
        ("Straße über Köln. ".encode("utf-16-le"), ("read as UTF-16",)),
        ("Straße über Köln. ".encode("utf-32"), ("read as UTF-32",)),
    ],
)
def test_unicode_is_decoded_and_said(tmp_path: Path, coded: bytes, words: tuple[str, ...]) -> None:
    (tmp_path / "t.txt").write_bytes(coded)
    text = read_text(str(tmp_path / "t.txt"))
    assert "".join(text.alphabet[code] for code in text.codes) == "Straße über Köln. "
    assert text.notes == words


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("first", ["A", "„", "„“"])
def test_utf_16_without_a_mark_is_known_by_its_zeros(tmp_path: Path, codec: str, first: str) -> None:
    """Of Latin letters one byte of two is 0; the first characters may be others."""
    whole = f"{first}bc, and so on. "
    (tmp_path / "t.txt").write_bytes(whole.encode(codec))
    text = read_text(str(tmp_path / "t.txt"))
    assert "".join(text.alphabet[code] for code in text.codes) == whole
    assert text.notes == ("read as UTF-16",)


def test_latin_1_is_read_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes("Straße über Köln: 5 €. ".encode("cp1252") * 40)
    task = NextCharacter(file=str(tmp_path / "t.txt"), length=9)
    with pytest.raises(RnnvizError, match=r'line 1: .*byte 0xdf at position 4.*; save it .* encoding = "latin-1"'):
        task.open(2)
    task = task.changed(encoding="latin-1")
    info = task.open(2).info
    assert {"ß", "ü", "ö", "€"} <= set(info.input_labels)
    assert info.notes == ("read as Latin-1",)
    assert task.words == "next character of t.txt, Latin-1"


def test_of_many_characters_the_commonest_stand_and_one_other(tmp_path: Path) -> None:
    rare = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    source = source_of(tmp_path, rare + "naïve " * 200 + rare[:250] + "abc" * 100, length=5)
    labels = source.info.input_labels
    assert len(labels) == source.input_size == 256
    assert labels[-1] == OTHER
    assert set("naïve bc") < set(labels)
    assert set(rare[:246]) < set(labels)  # what came twice stands before what came once, the first of those first
    batch = source.batch(np.random.default_rng(0), 400)
    assert (batch.targets == 255).any()
    (note,) = source.info.notes
    assert note.startswith("53 rarer characters are grouped as “other”")


def test_line_ends_are_one_character(tmp_path: Path) -> None:
    assert source_of(tmp_path, b"ab\r\ncd\n" * 40, length=3).info.input_labels == ("\n", "a", "b", "c", "d")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        (" \n\n", "only blank space"),
        ("aaaa", "at least 2 different characters, got only 'a'"),
        ("one short line", "task.length: wanted at most 1 .*14 characters.*got 50; 501 would be needed"),
        (b"abc\nd\xe9f\n", "line 2: wanted UTF-8 text, got byte 0xe9 at position 5"),
        (b"PK\x03\x04\0\0", "a binary file"),
    ],
)
def test_texts_that_cannot_be_learnt_get_one_sentence(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(RnnvizError, match=words) as refused:
        source_of(tmp_path, text)
    assert str(tmp_path / "t.txt") in str(refused.value)
    assert "\n" not in str(refused.value)


def test_256_characters_are_still_taken() -> None:
    text = "".join(map(chr, range(0x100, 0x200)))
    assert len(encode(text, "here").alphabet) == 256

"""Next character: windows of a text over its alphabet, and the texts that are refused."""

from pathlib import Path

import numpy as np
import pytest

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.texts import default_text, encode, read_text
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


def test_the_baselines_are_those_of_single_characters(tmp_path: Path) -> None:
    source = source_of(tmp_path, "aaab" * 40, length=5, train_share=0.5)
    baselines = {baseline.metric: baseline.value for baseline in source.info.baselines}
    assert baselines["accuracy"] == pytest.approx(0.75)
    assert baselines["loss"] == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25))


def test_without_a_file_the_help_texts_of_python_are_read() -> None:
    text = read_text("")
    assert "".join(text.alphabet[code] for code in text.codes[:2000]) == default_text()[:2000]
    assert len(text.codes) > 100_000
    assert 50 < len(text.alphabet) <= 256


def test_line_ends_are_one_character(tmp_path: Path) -> None:
    assert source_of(tmp_path, b"ab\r\ncd\n" * 40, length=3).info.input_labels == ("\n", "a", "b", "c", "d")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        (" \n\n", "only blank space"),
        ("aaaa", "at least 2 different characters, came only 'a'"),
        ("".join(map(chr, range(0x4E00, 0x4E00 + 300))), "at most 256 different characters.*came 300"),
        ("one short line", "task.length: wanted at most 1 .*14 characters.*came 50"),
        (b"abc\nd\xe9f\n", "line 2: wanted UTF-8 text, came byte 0xe9 at position 5"),
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

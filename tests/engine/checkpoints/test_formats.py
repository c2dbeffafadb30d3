"""One table of file formats: what dialogs, sentences and readers say of a format is the same."""

import pytest

from rnnviz.core.files.formats import CHECKPOINTS, EXPERIMENT, FORMATS, endings, wanted
from rnnviz.engine.checkpoints import reader


def test_no_two_formats_are_found_by_the_same_bytes_or_first_ending():
    looks = [look for one in FORMATS for look in one.looks]
    assert len(set(looks)) == len(looks) == 5
    assert len({one.endings[0] for one in FORMATS} | {one.name for one in FORMATS}) == 2 * len(FORMATS)


def test_a_sentence_names_the_formats():
    assert wanted(CHECKPOINTS) == "a torch state dict (.pt, .pth, .bin) or a safetensors file"
    assert wanted([EXPERIMENT]) == "an experiment (.toml)"
    assert wanted(FORMATS).startswith("a run, an experiment (.toml), a torch state dict (.pt, .pth, .bin), ")
    assert wanted(FORMATS).endswith(", a CSV table or a text")


def test_endings_are_said_once_each_in_order():
    found = endings(FORMATS)
    assert len(set(found)) == len(found)
    assert found[:3] == (".rnnviz", ".toml", ".pt")
    assert {".ckpt", ".bin", ".csv", ".txt", ".dat", ".md"} <= set(found)


@pytest.mark.parametrize("one", CHECKPOINTS, ids=lambda one: one.name)
def test_every_checkpoint_format_has_a_reader(one):
    assert callable(reader(one.name))

"""No crafted file executes code, ends the reader, takes long, or is read without a word about what is wrong with it."""

import json
import os
import pickle
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
import torch

from rnnviz.core.errors import RnnvizError
from rnnviz.engine.checkpoints import read_checkpoint

# One child for all files, under the limits of the real one but for the time, which is measured for each.
READER = """
import json, sys, time
import torch
from rnnviz.core.errors import RnnvizError
from rnnviz.engine.checkpoints import read_checkpoint
from rnnviz.engine.checkpoints.sandbox import confine
torch.set_num_threads(1)
confine(int(sys.argv[1]), 500.0)
for path in sys.stdin.read().split("\\n"):
    begin = time.process_time()
    answer = {"path": path}
    try:
        checkpoint = read_checkpoint(path)
        answer["prefixes"] = [module.prefix for module in checkpoint.modules]
        sources = [names for module in checkpoint.modules for names in module.sources.values()]
        answer["sources"] = [name for names in sources for name in names]
        answer["notes"] = [*checkpoint.notes, *(note for module in checkpoint.modules for note in module.notes)]
    except RnnvizError as problem:
        answer["refusal"] = str(problem)
    answer["seconds"] = time.process_time() - begin
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture(scope="session")
def answers(craft):
    """name → what the reader said of the file."""
    paths = [str(path) for path, *_ in craft.files.values()]
    largest = max(os.path.getsize(path) for path in paths if os.path.isfile(path))
    done = subprocess.run(
        [sys.executable, "-c", READER, str(largest)],
        input="\n".join(paths),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"the reader ended with {done.returncode}: {done.stderr[-2000:]}"
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return dict(zip(craft.files, lines, strict=True))


def test_the_corpus_is_large(craft):
    assert len(craft.files) >= 116


def test_each_file_is_refused_flagged_or_read_as_it_should_be(craft, answers):
    wrong = []
    for name, (path, outcome, said) in craft.files.items():
        answer = answers[name]
        if outcome == "refused":
            text = answer.get("refusal", "").removeprefix(str(path))
        else:
            text = " ".join(answer.get("notes", [])) if "refusal" not in answer else ""
        fits = ("refusal" in answer) == (outcome == "refused") and all(words in text for words in said)
        if not fits or (outcome == "flagged" and not text):
            wrong.append((name, outcome, said, answer))
    assert not wrong, "\n".join(map(str, wrong))


def test_nothing_was_executed(craft, answers):
    assert answers
    assert not craft.marker.exists()


def test_the_crafted_attack_would_execute_where_pickle_is_trusted(craft):
    """Otherwise the test above could not fail."""
    pickle.loads((craft.folder / "system_raw.pt").read_bytes())
    assert craft.marker.exists()
    craft.marker.unlink()


def test_refusals_are_one_sentence_that_names_the_file(craft, answers):
    for name, answer in answers.items():
        sentence = answer.get("refusal")
        if sentence is not None:
            assert sentence.startswith(str(craft.files[name][0])), sentence
            assert sentence.endswith("."), sentence
            assert "\n" not in sentence
            assert len(sentence) < 600, sentence


def test_names_are_safe_to_show(answers):
    texts = [text for answer in answers.values() for text in [*answer.get("prefixes", []), *answer.get("sources", [])]]
    assert len(texts) > 100
    for text in texts:
        assert len(text) <= 90
        assert not {"<", ">"} & set(text)
        assert not any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in text), text


def test_each_file_is_judged_quickly(answers):
    slow = {name: answer["seconds"] for name, answer in answers.items() if answer["seconds"] > 10}
    assert not slow


def test_flipped_bits_are_reported_or_irrelevant(tmp_path):
    torch.manual_seed(3)
    good = tmp_path / "good.pt"
    torch.save(torch.nn.GRU(3, 5).state_dict(), good)
    content = good.read_bytes()
    wanted = read_checkpoint(good)
    bits = np.random.default_rng(1).choice(8 * len(content), size=3000, replace=False)
    path = tmp_path / "flipped.pt"
    reported = 0
    for bit in bits:
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(changed)
        try:
            read = read_checkpoint(path)
        except RnnvizError:
            reported += 1
            continue
        if read.notes:
            continue
        module = read.module()
        assert module.structure == wanted.module().structure, f"bit {bit}"
        for name, weight in wanted.module().weights.items():
            np.testing.assert_array_equal(module.weights[name], weight, err_msg=f"bit {bit}")
    assert reported > 1000

"""A folder of seeds: begun, extended, refused; its index as a stranger's file; what came of its runs."""

import math
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from seed_folders import accuracies, experiment, write_folder, write_run

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import experiment_toml
from rnnviz.core.stopping.marks import Marks
from rnnviz.runs.file.process import WriterProcess, own_process
from rnnviz.runs.seeds import folder as folders
from rnnviz.runs.seeds.folder import begin, claim, experiment_of, finish, go_on, seed_runs, settings_of
from rnnviz.runs.seeds.index import NAME, Refusal, is_seed_folder, read_index, write_index
from rnnviz.runs.seeds.reading import SeedReader, refuse_foreign, result_of


def test_a_folder_is_begun_and_every_run_has_its_name_and_seed(tmp_path: Path) -> None:
    one, other = experiment("Adding: 1"), experiment("adding 1", steps=30)
    index = begin(tmp_path / "a" / "seeds", [one, other], (5, 2, 5), "loss < 0.1")
    assert index == read_index(tmp_path / "a" / "seeds")
    assert index.seeds == (2, 5)
    runs = seed_runs(tmp_path, index)
    assert [run.path.name for run in runs] == [
        "adding-1-seed-2.rnnviz",
        "adding-1-2-seed-2.rnnviz",
        "adding-1-seed-5.rnnviz",
        "adding-1-2-seed-5.rnnviz",
    ]
    assert experiment_of(index, runs[3]) == replace(other, seed=5)
    assert [one.name for one in settings_of(index)] == [
        "Adding: 1 · Vanilla",
        "Adding: 1 · LSTM",
        "adding 1 · Vanilla",
        "adding 1 · LSTM",
    ]


def test_one_experiment_needs_no_name_and_two_of_one_name_are_told_apart(tmp_path: Path) -> None:
    assert [one.name for one in settings_of(begin(tmp_path / "a", [experiment()], (1,)))] == ["Vanilla", "LSTM"]
    twice = settings_of(begin(tmp_path / "b", [experiment(), experiment(steps=9)], (1,)))
    assert [one.name for one in twice][1:3] == ["adding · LSTM", "adding-2 · Vanilla"]


def test_a_folder_is_gone_on_with_and_gets_further_seeds_and_another_criterion(tmp_path: Path) -> None:
    begin(tmp_path, [experiment()], (1, 2))
    marked = replace(
        experiment(seed=99), marks=Marks(watches=("loss",))
    )  # the seed and the marks are no other training
    assert begin(tmp_path, [marked], (4,)).seeds == (1, 2, 4)
    assert go_on(tmp_path).seeds == (1, 2, 4)
    assert go_on(tmp_path).experiments[0].solved == "accuracy >= 0.99 over 20"
    assert go_on(tmp_path, (9,), "loss < 0.5").experiments[0].solved == "loss < 0.5"
    assert read_index(tmp_path).seeds == (1, 2, 4, 9)
    with pytest.raises(RnnvizError, match="has no metric lost; did you mean loss"):
        go_on(tmp_path, (), "lost < 1")


def test_another_experiment_version_or_trainer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path, [experiment()], (1,))
    for others in ([experiment(steps=61)], [experiment("Other")], [experiment(), experiment("Other")]):
        with pytest.raises(RnnvizError, match=r"holds seeds of “Adding” with other settings or models"):
            begin(tmp_path, others, (1,))
    claim(tmp_path, read_index(tmp_path))
    with pytest.raises(RnnvizError, match=f"being trained already, by process {os.getpid()}"):
        go_on(tmp_path)
    finish(tmp_path)
    go_on(tmp_path)
    write_index(tmp_path, replace(read_index(tmp_path), trainer=replace(own_process(), number=2**22 + 1)))
    go_on(tmp_path)  # of a process that is dead
    monkeypatch.setattr(folders, "__version__", "0.0.1")
    with pytest.raises(RnnvizError, match=r"trained by rnnviz .*, and this is 0\.0\.1"):
        go_on(tmp_path)


def test_a_folder_with_other_files_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RnnvizError, match=r"holds thesis.txt and no seeds.toml; wanted a new or empty folder"):
        begin(tmp_path, [experiment()], (1,))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(RnnvizError, match="cannot be made a folder of seeds"):
        begin(tmp_path / "thesis.txt", [experiment()], (1,))
    for seeds in ((), range(1001), (2**31,)):
        with pytest.raises(RnnvizError, match=r"new: wanted .*seeds"):
            begin(tmp_path / "new", [experiment()], seeds)
    assert not (tmp_path / "new").exists()


GOOD = (
    'seeds_format = 1\nrnnviz = "0.5.0"\nseeds = [1, 2]\nrefused = []\n'
    'trainer = {number = 0, started = 0, host = ""}\n'
    '[[experiments]]\nkey = "a"\nsolved = "loss < 1"\ntext = \'\'\'\n' + experiment_toml(experiment()) + "'''\n"
)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("seeds_format = 1", "seeds_format = 2"), "newer rnnviz"),
        (("seeds_format = 1", "format = 1"), "seeds_format must be 1"),
        (("[1, 2]", "[2, 1]"), r"seeds\[1\] must be ascending"),
        (("[1, 2]", "[-1]"), r"seeds\[0\] must be"),
        (("[1, 2]", "[]"), "seeds must be 1 to 1,000"),
        (("[1, 2]", '["a"]'), r"seeds\[0\] must be a whole number"),
        (('key = "a"', 'key = "../a"'), r"experiments\[0\].key must be"),
        (('key = "a"', 'key = "a/b"'), r"experiments\[0\].key must be"),
        (('"loss < 1"', '"loss"'), r"experiments\[0\].solved: wanted a metric"),
        (("hidden_size = 5", "hidden_size = 0"), r"experiments\[0\].text: models\[1\].hidden_size"),
        (("[[experiments]]", "[[experiment]]"), "unknown key experiment"),
        (("refused = []", 'refused = [{run = "a"}]'), "sentence is missing"),
        (("seeds = ", "seeds == "), "is not TOML"),
    ],
)
def test_a_strangers_index_is_checked(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    (tmp_path / NAME).write_text(GOOD)
    assert read_index(tmp_path).seeds == (1, 2)
    text = GOOD.replace(*change)
    assert text != GOOD
    (tmp_path / NAME).write_text(text)
    with pytest.raises(RnnvizError, match=sentence) as caught:
        read_index(tmp_path)
    assert NAME in str(caught.value)


def test_what_is_no_folder_of_seeds_says_so(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", Path("a\0b")):
        assert not is_seed_folder(path)
        with pytest.raises(RnnvizError, match=r"holds no seeds\.toml"):
            read_index(path)


def test_the_results_of_a_setting(tmp_path: Path) -> None:
    write_folder(
        tmp_path, [experiment()], (2, 3, 5, 8), lambda run, model: 10 * run.seed - 9 if model and run.seed < 6 else None
    )
    seeds = SeedReader(tmp_path).read(["loss"])
    vanilla, lstm = (result_of(seeds, setting) for setting in seeds.settings)
    assert (vanilla.rate, lstm.rate) == ("0 of 4", "3 of 4")
    assert [one.solved_at for one in lstm.results] == [15, 25, 45, None]  # five ones in a row
    assert vanilla.solved_at is None
    assert lstm.solved_at == pytest.approx((17, 25, 41))
    assert vanilla.final == pytest.approx((0.273, 0.29, 0.321))
    assert lstm.final == pytest.approx((0.531, 1.0, 1.0))
    assert seeds.progress == (240, 240)
    assert seeds.metrics == ("loss", "accuracy")
    loss = seeds.of(seeds.settings[1])[2].curve(1, "loss")
    np.testing.assert_allclose(loss.values, accuracies(5, 60, None)["loss"])


def test_waiting_interrupted_failed_and_foreign_seeds_are_said(tmp_path: Path) -> None:
    index = begin(tmp_path, [experiment()], (1, 2, 3, 4, 6), "accuracy >= 0.99 over 5")
    runs = seed_runs(tmp_path, index)
    write_run(index, runs[0], [accuracies(1, 60, 3)] * 2)
    write_run(index, runs[1], [accuracies(2, 20, 3)] * 2, "stopped")
    broken = accuracies(3, 30, None) | {"loss": np.full(30, math.nan)}
    write_run(index, runs[2], [broken] * 2, "failed", "The loss of LSTM is NaN.")
    finish(tmp_path, [Refusal(runs[3].path.name, "No memory.")])
    runs[4].path.write_text("a letter")
    reader = SeedReader(tmp_path)
    seeds = reader.read()
    assert [(seed.state, seed.training_step) for seed in seeds.seeds] == [
        ("finished", 60),
        ("interrupted", 20),
        ("failed", 30),
        ("failed", 0),
        ("foreign", 0),
    ]
    assert [seed.sentence for seed in seeds.seeds][2:4] == ["The loss of LSTM is NaN.", "No memory."]
    result = result_of(seeds, seeds.settings[0])
    assert (result.rate, result.failed) == ("1 of 3 so far", 2)
    runs[2].path.unlink()
    write_run(index, runs[2], [accuracies(3, 30, 3)] * 2, "failed", "It came to an end.")
    assert result_of(reader.read(), seeds.settings[0]).rate == "1 of 3 so far"  # what has failed is not solved
    assert seeds.progress == (60 + 20 + 60 + 60, 300)
    with pytest.raises(RnnvizError, match=r"seed-6\.rnnviz lies where the run of seed 6 belongs: .*"):
        refuse_foreign(seeds)
    runs[4].path.unlink()
    shutil.copy(runs[0].path, runs[4].path)  # the run of another seed
    assert reader.read().seeds[4].state == "foreign"
    runs[4].path.unlink()
    assert reader.read().seeds[4].state == "waiting"
    refuse_foreign(reader.read())


def test_a_seed_that_has_stopped_early_is_whole(tmp_path: Path) -> None:
    index = begin(tmp_path, [experiment()], (3, 4), "accuracy >= 0.99 over 5")
    runs = seed_runs(tmp_path, index)
    write_run(index, runs[0], [accuracies(3, 40, 31)] * 2, sentence="Stopped early at training step 40.")
    write_run(index, runs[1], [accuracies(4, 60, None)] * 2)
    seeds = SeedReader(tmp_path).read()
    assert [(seed.state, seed.training_step) for seed in seeds.seeds] == [("finished", 40), ("finished", 60)]
    assert seeds.seeds[0].sentence == "Stopped early at training step 40."
    assert seeds.progress == (120, 120)
    result = result_of(seeds, seeds.settings[1])
    assert (result.rate, result.results[0].solved_at) == ("1 of 2", 35)


def test_what_the_training_measures_besides_can_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(RnnvizError, match="has no metric test_loss"):
        begin(tmp_path / "a", [experiment()], (1,), "test_loss < 1")
    validated = replace(experiment().training, validation=True)
    assert begin(tmp_path / "b", [experiment(training=validated)], (1,), "test_loss < 1").seeds == (1,)


def test_only_what_was_written_since_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = write_folder(tmp_path, [experiment()], (1, 2), lambda run, model: None)
    reader = SeedReader(tmp_path)
    told: list[tuple[int, int]] = []
    first = reader.read(step=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]
    again = reader.read()
    assert all(one is other for one, other in zip(first.seeds, again.seeds, strict=True))
    os.remove(first.seeds[1].run.path)
    write_run(index, first.seeds[1].run, [accuracies(2, 40, 1)] * 2)
    third = reader.read()
    assert third.seeds[0] is first.seeds[0]
    assert third.seeds[1].training_step == 40


def test_a_foreign_host_is_believed_as_long_as_the_index_is_fresh(tmp_path: Path) -> None:
    index = begin(tmp_path, [experiment()], (1,))
    write_index(tmp_path, replace(index, trainer=WriterProcess(77, 0, "elsewhere")))
    assert SeedReader(tmp_path).read().trained_now
    os.utime(tmp_path / NAME, (1, 1))
    assert not SeedReader(tmp_path).read().trained_now

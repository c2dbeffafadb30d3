"""Commands: sent by the window, taken once and in order, answered, whatever is in the table."""

import sqlite3
from pathlib import Path

import pytest
from sample_runs import record, writer

from rnnviz.core.errors import RnnvizError
from rnnviz.core.stopping.marks import Bookmark, Breakpoint, Marks, Watch
from rnnviz.runs.file.engine_commands import (
    NAMES,
    BranchOff,
    EngineCommand,
    Leave,
    Pause,
    Quit,
    RecordBatches,
    Restart,
    Set,
    Step,
    TakeCapture,
    TakenCommand,
    Train,
    command_row,
    read_command,
)
from rnnviz.runs.reading.reader import Run
from rnnviz.runs.writing.commands import CommandInbox, CommandSender, save_marks


def test_commands_arrive_once_in_order_with_their_arguments(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        sender, inbox = CommandSender(run.path), CommandInbox(run.path)
        assert inbox.take() == []
        first = sender.send(Set(learning_rate=0.1, clip_norm=0.0))
        second = sender.send(Restart("name = 'é'", "/x y"))
        assert inbox.take() == [
            TakenCommand(first, Set(learning_rate=0.1, clip_norm=0.0)),
            TakenCommand(second, Restart("name = 'é'", "/x y")),
        ]
        record(run, 0)
        run.flush()
        assert inbox.take() == []
        assert sender.answer(first) is None
        inbox.done(first)
        inbox.done(second, "the folder is missing")
        assert sender.answer(first) == ""
        assert sender.answer(second) == "the folder is missing"
        inbox.close()
        sender.close()


def test_a_command_sent_before_the_engine_looks_is_not_missed_and_a_done_one_not_repeated(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        sender = CommandSender(run.path)
        done, waiting = sender.send(Train()), sender.send(Pause())
        inbox = CommandInbox(run.path)
        inbox.take()
        inbox.done(done)
        inbox.close()
        inbox = CommandInbox(run.path)
        assert [command.number for command in inbox.take()] == [waiting]
        inbox.close()
        sender.close()


def test_nonsense_in_the_table_is_answered_and_does_not_stop_the_engine(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        rows = [("rm -rf", "{}"), ("train", "no json"), ("train", "[1]"), ("train", b"\xff"), ("pause", "{}")]
        rows[4:4] = [("train", '{"until": "soon"}'), ("step", '{"count": 1, "by": 2}'), ("restart", '{"path": "x"}')]
        other = sqlite3.connect(run.path)
        other.executemany("INSERT INTO commands (name, arguments) VALUES (?, ?)", rows)
        other.commit()
        inbox = CommandInbox(run.path)
        assert [taken.command for taken in inbox.take()] == [Pause()]
        answered = other.execute("SELECT done, sentence != '' FROM commands ORDER BY number").fetchall()
        assert answered == [(1, 1)] * 7 + [(0, 0)]
        other.close()
        inbox.close()


def test_an_inbox_outlives_a_locked_file_and_answers_later(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        sender, inbox = CommandSender(run.path), CommandInbox(run.path)
        number = sender.send(Step(2))
        (command,) = inbox.take()
        other = sqlite3.connect(run.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        inbox.done(command.number, "late")
        assert sender.answer(number) is None
        other.execute("ROLLBACK")
        other.close()
        sender.send(Pause())
        assert len(inbox.take()) == 1
        assert sender.answer(number) == "late"
        inbox.close()
        sender.close()


def test_the_window_closing_last_leaves_one_plain_file(tmp_path: Path) -> None:
    run = writer(tmp_path / "a.rnnviz")
    sender = CommandSender(run.path)
    run.close()
    sender.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.rnnviz"]


def test_what_is_no_run_takes_no_commands(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    for side in (CommandSender, CommandInbox):
        with pytest.raises(RnnvizError, match="plain text"):
            side(tmp_path / "a.txt")
        with pytest.raises(RnnvizError, match="does not exist"):
            side(tmp_path / "b.rnnviz")


COMMANDS = (
    Train(),
    Train(until=7),
    Pause(),
    Step(3),
    Set(0.5, 0.0, 9),
    Restart("a", "b"),
    BranchOff("b", 3, "LSTM", "w"),
    TakeCapture(),
    RecordBatches(),
    RecordBatches(on=False),
    Quit(),
    Leave(41, 7, "here"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_comes_back_from_its_row(command: EngineCommand) -> None:
    assert read_command(*command_row(command)) == command
    assert {type(one) for one in COMMANDS} == set(NAMES.values())


MARKS = Marks((Breakpoint("condition", "loss < 0.05", model="LSTM"),), (Watch("loss"),), (Bookmark(3, note="é"),))


def test_marks_are_taken_before_the_commands_that_follow_them(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        sender, inbox = CommandSender(run.path), CommandInbox(run.path, ("Vanilla", "LSTM"))
        assert inbox.take() == []
        assert inbox.take_marks() is None
        save_marks(run.path, MARKS)
        sender.send(Train())
        assert [taken.command for taken in inbox.take()] == [Train()]
        assert inbox.take_marks() == MARKS
        assert inbox.take_marks() is None
        save_marks(run.path, Marks())
        inbox.take()
        assert inbox.take_marks() == Marks()
        inbox.close()
        sender.close()


def test_marks_set_before_the_engine_looks_are_not_missed(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        save_marks(run.path, MARKS)
        inbox = CommandInbox(run.path, ("Vanilla", "LSTM"))
        inbox.take()
        assert inbox.take_marks() == MARKS
        inbox.close()


def test_wrong_marks_are_a_sentence_for_the_engine(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        inbox = CommandInbox(run.path, ("Vanilla", "LSTM"))
        save_marks(run.path, Marks((Breakpoint("condition", "loss < 1", model="GRU"),)))
        inbox.take()
        with pytest.raises(RnnvizError, match='model is "GRU"'):
            inbox.take_marks()
        assert inbox.take_marks() is None
        inbox.close()


def test_marks_of_a_finished_run_are_written_and_it_stays_one_plain_file(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        record(run, 0)
    save_marks(run.path, MARKS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.rnnviz"]
    with Run(run.path) as reader:
        assert reader.marks() == MARKS
        assert not reader.engine_alive
        reader.save_copy(tmp_path / "b.rnnviz")
        reader.save_copy(tmp_path / "c.rnnviz", Marks(bookmarks=MARKS.bookmarks))
    with Run(tmp_path / "b.rnnviz") as copy, Run(tmp_path / "c.rnnviz") as other:
        assert copy.marks() == MARKS
        assert other.marks() == Marks(bookmarks=MARKS.bookmarks)


def test_a_run_of_an_older_format_takes_neither_commands_nor_marks(tmp_path: Path) -> None:
    path = tmp_path / "waiting.rnnviz"
    path.write_bytes((Path(__file__).parents[1] / "data" / "format1" / path.name).read_bytes())
    before = path.read_bytes()
    for side in (CommandSender, CommandInbox):
        with pytest.raises(RnnvizError, match=r"older rnnviz \(format 1\), which accepts no commands from this one"):
            side(path)
    with pytest.raises(RnnvizError, match="accepts no marks from this one"):
        save_marks(path, MARKS)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]

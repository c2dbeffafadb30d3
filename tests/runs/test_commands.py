"""Commands: sent by the window, taken once and in order, answered, whatever is in the table."""

import sqlite3
from pathlib import Path

import pytest
from sample_runs import record, writer

from rnnviz.core.errors import RnnvizError
from rnnviz.runs.writing.commands import CommandInbox, CommandSender


def test_commands_arrive_once_in_order_with_their_arguments(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        sender, inbox = CommandSender(run.path), CommandInbox(run.path)
        assert inbox.take() == []
        first = sender.send("set", learning_rate=0.1, clip_norm=0.0)
        second = sender.send("restart", experiment="name = 'é'", path="/x y")
        taken = inbox.take()
        assert [(c.number, c.name, c.arguments) for c in taken] == [
            (first, "set", {"learning_rate": 0.1, "clip_norm": 0.0}),
            (second, "restart", {"experiment": "name = 'é'", "path": "/x y"}),
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
        done, waiting = sender.send("train"), sender.send("pause")
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
        other = sqlite3.connect(run.path)
        other.executemany("INSERT INTO commands (name, arguments) VALUES (?, ?)", rows)
        other.commit()
        inbox = CommandInbox(run.path)
        assert [command.name for command in inbox.take()] == ["pause"]
        answered = other.execute("SELECT done, sentence != '' FROM commands ORDER BY number").fetchall()
        assert answered == [(1, 1)] * 4 + [(0, 0)]
        other.close()
        inbox.close()


def test_an_inbox_outlives_a_locked_file_and_answers_later(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        sender, inbox = CommandSender(run.path), CommandInbox(run.path)
        number = sender.send("step", count=2)
        (command,) = inbox.take()
        other = sqlite3.connect(run.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        inbox.done(command.number, "late")
        assert sender.answer(number) is None
        other.execute("ROLLBACK")
        other.close()
        sender.send("pause")
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
        with pytest.raises(RnnvizError, match="a text"):
            side(tmp_path / "a.txt")
        with pytest.raises(RnnvizError, match="does not exist"):
            side(tmp_path / "b.rnnviz")


def test_an_unknown_command_is_not_sent(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        sender = CommandSender(run.path)
        with pytest.raises(RnnvizError, match="dance is no command"):
            sender.send("dance")  # type: ignore[arg-type]
        sender.close()

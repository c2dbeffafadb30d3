"""Files that are no run, or no longer, or made by somebody unkind: one sentence each, and nothing of theirs is run."""

import contextlib
import os
import random
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sample_runs import capture, loss, models, record, same, writer

from rnnviz.core.errors import RnnvizError
from rnnviz.core.stopping.marks import Bookmark, Marks
from rnnviz.runs.file.checksums import row_crc32
from rnnviz.runs.file.header import header_checksum
from rnnviz.runs.file.metric_blocks import block_crc32, block_data
from rnnviz.runs.file.records import EngineStatus, OptimiserSnapshot
from rnnviz.runs.reading.reader import Run
from rnnviz.runs.writing.commands import save_marks


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small finished run."""
    path = tmp_path_factory.mktemp("whole") / "a.rnnviz"
    with writer(path) as run:
        for step in range(6):
            record(run, step)
            run.event(step, "setting", "a sentence")
        run.event(6, "hit", "stopped", {"model": "LSTM"})
        run.optimiser(5, 1, OptimiserSnapshot("adam", {"lr": 0.1}, {"exp_avg.head.bias": np.arange(4.0)}))
        run.status(EngineStatus("finished", 5, 0.0, 1, 2.0))
    save_marks(path, Marks(bookmarks=(Bookmark(3, note="here"),)))
    return path.read_bytes()


def read_everything(path: Path) -> None:
    """Asks a run everything; captures that come are the right ones to the last bit."""
    with Run(path) as run:
        assert run.bytes
        assert run.engine_alive in (True, False)
        assert run.status == EngineStatus("finished", 5, 0.0, 1, 2.0)
        assert run.marks() == Marks(bookmarks=(Bookmark(3, note="here"),))
        assert run.events()[-1].details == {"model": "LSTM"}
        assert run.last_training_step == 5
        assert list(run.training_steps) == list(range(6))
        assert len(run.events()) == 7
        assert run.metric_names() == ("loss", "accuracy")
        for model in (0, 1):
            steps, values = run.curve("loss", model)
            assert set(steps) == set(range(6))
            assert list(values) == [loss(int(step), model) for step in steps]
        snapshot = run.optimiser(5, 1)
        assert snapshot is not None
        assert list(snapshot.state["exp_avg.head.bias"]) == [0, 1, 2, 3]
        assert list(run.captured()) == list(range(6))
        for step in run.captured():
            for model in models():
                taken = run.capture(int(step), model.number)
                assert same(taken, capture(model.structure, int(step) + 10**6 * model.number))


def refused(path: Path) -> str:
    """The one sentence with which a run is refused."""
    with pytest.raises(RnnvizError) as caught:
        read_everything(path)
    sentence = str(caught.value)
    assert sentence.count(str(path)) == 1
    assert "\n" not in sentence
    return sentence


FOREIGN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "text": (b"hello world\n" * 20, "is plain text"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(200), "PNG picture"),
    "html": (b"<!DOCTYPE html><html>", "is a web page (HTML)"),
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
        "is a git-LFS pointer (fetch the file itself",
    ),
    "zip": (b"PK\x03\x04" + bytes(100), "zip archive"),
    "safetensors": ((64).to_bytes(8, "little") + b'{"a":1}' + bytes(99), "safetensors"),
    "random": (random.Random(1).randbytes(5000), "is binary data of an unknown kind"),
    "only the magic": (b"SQLite format 3\0", "cut short"),
    "zeros behind the magic": (b"SQLite format 3\0" + bytes(8192), "damaged"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_run_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.rnnviz"
    path.write_bytes(FOREIGN[name][0])
    assert FOREIGN[name][1] in refused(path)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "missing")
    assert "a folder" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "no file" in refused(tmp_path / "pipe")


def test_the_database_of_another_program_is_named(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE about (key, value)")
    connection.close()
    assert "SQLite file of another program (application id 0x00000000); wanted an rnnviz run" in refused(
        tmp_path / "a.db"
    )


def test_every_cut_is_reported(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.rnnviz"
    lengths = {1, 15, 16, 99, 100, 101, 4095, 4096, 4097, len(whole) - 1, *range(0, len(whole), len(whole) // 150)}
    for length in sorted(lengths):
        path.write_bytes(whole[:length])
        refused(path)
    path.write_bytes(whole)
    read_everything(path)


def test_a_flipped_bit_is_reported_or_changes_nothing(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.rnnviz"
    randomly = random.Random(4)
    silent = 0
    for _ in range(120):
        place = randomly.randrange(len(whole) * 8)
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        with contextlib.suppress(RnnvizError):
            read_everything(path)
            silent += any(whole[max(place // 8 - 8, 0) : place // 8 + 8])  # not in empty space
    assert silent < 16  # of some 45: what is no record of the run, and what SQLite has left behind


def test_a_flipped_bit_in_a_payload_says_checksum(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.rnnviz"
    start = capture(models()[0].structure, 3).initial["h"].tobytes()
    place = whole.index(start)
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert "the capture of Vanilla at training step 3 does not match its checksum" in refused(path)
    with Run(path) as run:
        run.capture(2)
        run.capture(3, 1)


def sql(*statements: str) -> Callable[[sqlite3.Connection], object]:
    return lambda connection: [connection.execute(statement) for statement in statements]


def header(key: str, value: str) -> Callable[[sqlite3.Connection], object]:
    """Changes the header and its checksum, as somebody would who knows the format."""

    def change(connection: sqlite3.Connection) -> None:
        if key == "structure":
            connection.execute("UPDATE modules SET structure = ? WHERE model = 0", (value,))
        else:
            connection.execute("UPDATE about SET value = ? WHERE key = ?", (value, key))
        about = dict(connection.execute("SELECT key, value FROM about"))
        models = connection.execute("SELECT * FROM models ORDER BY number").fetchall()
        modules = connection.execute("SELECT * FROM modules ORDER BY model, number").fetchall()
        connection.execute("UPDATE about SET value = ? WHERE key = 'crc32'", (header_checksum(about, models, modules),))

    return change


def numbered(count: int, statement: str) -> Callable[[sqlite3.Connection], object]:
    """`statement` selects from n, whose x is 100, 101, …"""
    numbers = f"WITH RECURSIVE n(x) AS (SELECT 100 UNION ALL SELECT x + 1 FROM n WHERE x < {99 + count}) "
    return sql("BEGIN", numbers + statement, "COMMIT")


CHANGES: dict[str, tuple[Callable[[sqlite3.Connection], object], str]] = {
    "newer": (sql("PRAGMA user_version = 3"), r"written by a newer rnnviz \(run format 3\); this one reads up to 2"),
    "version 1": (sql("PRAGMA user_version = 1"), "changed table models"),
    "version 0": (sql("PRAGMA user_version = 0"), "run format 0"),
    "no table": (sql("DROP TABLE chunks"), "lacks the table chunks"),
    "a view": (
        sql(
            "DROP TABLE metric_blocks",
            "CREATE VIEW metric_blocks AS SELECT 0 AS model, 0 AS name, 1 AS first_step, 1 AS last_step, x'00' AS data",
        ),
        "lacks the table metric_blocks",
    ),
    "a generated column": (
        sql("DROP TABLE status", "CREATE TABLE status (number INTEGER, status TEXT AS (zeroblob(1000000000)))"),
        "changed table status",
    ),
    "a trigger": (
        sql("CREATE TRIGGER t AFTER INSERT ON commands BEGIN DELETE FROM marks; END"),
        "has a foreign trigger t on its table commands",
    ),
    "no source": (sql("DELETE FROM about WHERE key = 'source'"), "lacks source"),
    "experiment of another": (header("source", '{"trained": "a = 1"}'), "no key rnnviz"),
    "source of another": (header("source", '{"stolen": "a = 1"}'), "source must be"),
    "two sources": (header("source", '{"trained": "", "given": {}}'), "source is not a JSON table"),
    "deep source": (header("source", "[" * 100_000), "source is not a JSON table"),
    "given without a checkpoint": (header("source", '{"given": {}}'), "source.checkpoint is missing"),
    "a script as a number": (header("source", '{"recorded": {"script": 3}}'), "source.script must be a text"),
    "task": (header("task", '{"name": 1}'), "task.name must be a text"),
    "deep task": (header("task", "[" * 100_000), "task is not a JSON table"),
    "no models": (sql("DELETE FROM models"), "models are not numbered"),
    "huge model": (
        header("structure", '{"cell": "lstm", "input_size": 8, "hidden_size": 99999999999}'),
        r"models\[0\].structure has sizes",
    ),
    "deep model": (
        header("structure", '{"cell": "gru", "input_size": 8, "hidden_size": 5, "num_layers": 100000}'),
        "has 100000 layers",
    ),
    "model numbers": (sql("UPDATE models SET number = 7 WHERE number = 1"), "models are not numbered"),
    "no probe": (sql("DELETE FROM chunks WHERE payload = 0"), "the probe should have"),
    "larger size": (
        sql("UPDATE payloads SET size = size + 1 WHERE number = 1"),
        "should have [0-9]+ bytes, has [0-9]+",
    ),
    "huge size": (sql("UPDATE payloads SET size = 1 << 50 WHERE number = 1"), "should have 1125899906842624 bytes"),
    "missing chunk": (sql("DELETE FROM chunks WHERE payload = 2"), "should have [0-9]+ bytes, has None"),
    "chunk as text": (
        sql("UPDATE chunks SET bytes = 'hello', crc32 = 907060870 WHERE payload = 1"),
        "should have|checksum",
    ),
    "swapped payloads": (
        sql("DROP TABLE contents", "UPDATE captures SET payload = 3 - payload WHERE payload IN (1, 2)"),
        "damaged: the capture",
    ),
    "other names": (sql("UPDATE models SET name = 'GRU' WHERE number = 0"), "do not match their checksum"),
    "other modules": (sql("UPDATE modules SET name = 'decoder' WHERE model = 1"), "do not match their checksum"),
    "fewer modules": (sql("DELETE FROM modules WHERE model = 1"), "do not match their checksum"),
    "status": (
        lambda connection: connection.execute("INSERT OR REPLACE INTO status VALUES (1, '[]', ?)", (row_crc32("[]"),)),
        "status must be a table",
    ),
    "status as blob": (sql("UPDATE status SET status = x'ff'"), "status does not match its checksum"),
    "another status": (
        sql("UPDATE status SET status = replace(status, 'finished', 'failed')"),
        "status does not match its checksum",
    ),
    "huge row": (sql("INSERT INTO events VALUES (99, 0, 'x', zeroblob(5000000), '', 0)"), "events could not be read"),
    "an event's words": (sql("UPDATE events SET sentence = 'b sentence' WHERE number = 2"), "event 2 does not match"),
    "an event's training step": (sql("UPDATE events SET training_step = 9 WHERE number = 2"), "event 2 does not match"),
    "an event's details": (sql("UPDATE events SET details = '{}' WHERE number = 7"), "event 7 does not match"),
    "an event that is renumbered": (sql("UPDATE events SET number = 70 WHERE number = 7"), "event 70 does not match"),
    "a metric": (
        sql("UPDATE metric_blocks SET data = CAST(zeroblob(length(data)) AS BLOB) WHERE number = 1"),
        "loss of model 0 does not match its checksum",
    ),
    "a metric of another model": (
        sql("UPDATE metric_blocks SET model = 2 WHERE model = 0", "UPDATE metric_blocks SET model = 0 WHERE model = 1"),
        "does not match its checksum",
    ),
    "a metric's name": (
        sql("UPDATE metric_names SET name = 'lost' WHERE name = 'loss'"),
        "lost of model 0 does not match its checksum",
    ),
    "a block that is cut": (
        sql("UPDATE metric_blocks SET data = substr(data, 1, 16) WHERE number = 2"),
        "does not match its checksum",
    ),
    "marks": (sql("UPDATE marks SET marks = replace(marks, 'here', 'hier')"), "marks do not match their checksum"),
    "older marks": (sql("UPDATE marks SET revision = 1"), "marks do not match their checksum"),
    "no marks": (sql("DELETE FROM marks"), "marks are missing"),
    "an optimiser of another model": (
        sql("DROP TABLE contents", "UPDATE optimisers SET model = 0", "INSERT INTO optimisers VALUES (5, 1, 1)"),
        "the optimiser of LSTM at training step 5: ",
    ),
    "a missing event": (sql("DELETE FROM events WHERE number = 3"), "event 3 is missing"),
    "the last event": (sql("DELETE FROM events WHERE number = 7"), "6 rows of its events are there, wanted 7"),
    "a lost block": (
        sql("DELETE FROM metric_blocks WHERE number = 1"),
        "0 rows of its metric 0 of model 0 are there, wanted 1",
    ),
    "a block more": (
        sql("INSERT INTO metric_blocks SELECT 99, model, name, 7, last_step, crc32, data FROM metric_blocks LIMIT 1"),
        "2 rows of its metric 0 of model 0 are there, wanted 1",
    ),
    "a lost name": (sql("DELETE FROM metric_names WHERE number = 1"), "1 rows of its metric names are there, wanted 2"),
    "a lost capture": (
        sql("DELETE FROM captures WHERE training_step = 3"),
        "10 rows of its captures are there, wanted 12",
    ),
    "a capture of another training step": (
        sql("UPDATE captures SET training_step = 30 WHERE training_step = 3"),
        "its captures do not match their checksum",
    ),
    "a lost optimiser": (sql("DELETE FROM optimisers"), "0 rows of its optimisers are there, wanted 1"),
    "a lost probe": (sql("DELETE FROM payloads WHERE number = 0"), "0 rows of its probe are there, wanted 1"),
    "a lost status": (sql("DELETE FROM status"), "0 rows of its status are there, wanted 1"),
    "too many metrics": (
        numbered(999, "INSERT INTO metric_names SELECT x, 'metric ' || x FROM n"),
        "has 1,001 metrics; wanted at most 1,000",
    ),
    "a metric with a long name": (
        sql("DROP TABLE contents", "UPDATE metric_names SET name = hex(zeroblob(200)) WHERE number = 1"),
        "one of over 200 characters",
    ),
    "too many blocks": (
        numbered(65_533, "INSERT INTO metric_blocks SELECT x, 0, 0, x, x, 0, x'00' FROM n"),
        "has 65,537 blocks of metrics; wanted at most 65,536",
    ),
    "too many captures": (
        numbered(99_989, "INSERT INTO captures SELECT x, 0, 'probe', 1, 0 FROM n"),
        "has 100,001 captures; wanted at most 100,000",
    ),
    "a long event": (
        sql("UPDATE events SET sentence = hex(zeroblob(1900000)) WHERE number = 2"),
        "event 2 has 3,800,007 characters, wanted at most 65,536",
    ),
    "a negative training step of a metric": (
        lambda connection: connection.execute(
            "UPDATE metric_blocks SET first_step = -7, crc32 = ?, data = ? WHERE number = 1",
            (block_crc32(0, "loss", -7, 5, negative := block_data((-7, 5), (0.1, 0.2))), negative),
        ),
        "loss of model 0 has training steps that do not ascend from 0 on",
    ),
    "training steps of a metric that do not ascend": (
        lambda connection: connection.execute(
            "UPDATE metric_blocks SET crc32 = ?, data = ? WHERE number = 1",
            (block_crc32(0, "loss", 0, 5, wild := block_data((0, 9, 5), (0.1, 0.2, 0.3))), wild),
        ),
        "loss of model 0 has training steps that do not ascend from 0 on",
    ),
    "a negative training step of an event": (
        lambda connection: connection.execute(
            "UPDATE events SET training_step = -7, crc32 = ? WHERE number = 2",
            (row_crc32(2, -7, "setting", "a sentence", ""),),
        ),
        "a training step of its events is -7",
    ),
    "a training step of a capture that is no number": (
        sql("DROP TABLE contents", "UPDATE captures SET training_step = 'x' WHERE training_step = 3"),
        "a training step of its captures is x",
    ),
    "other counts": (sql("UPDATE contents SET count = 0 WHERE what = 'captures'"), "what it says of its captures does"),
    "counts that are lost": (sql("DELETE FROM contents"), "are there, wanted 0"),
    "counts of another shape": (
        sql("DROP TABLE contents", "CREATE TABLE contents (what TEXT, count INTEGER AS (1), crc32s, crc32)"),
        "has a changed table contents",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_run_is_refused_with_its_reason(tmp_path: Path, whole: bytes, name: str) -> None:
    path = tmp_path / "a.rnnviz"
    path.write_bytes(whole)
    change, words = CHANGES[name]
    connection = sqlite3.connect(path, isolation_level=None)
    change(connection)
    connection.close()
    sentence = refused(path)
    assert re.search(words, sentence), sentence
    assert len(sentence) < 400


def test_a_capture_that_is_said_to_be_of_another_kind_is_refused(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.rnnviz"
    path.write_bytes(whole)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TABLE contents")
    connection.execute("UPDATE captures SET kind = 'generated' WHERE training_step = 3")
    connection.close()
    with Run(path) as run:
        assert list(run.captured()) == [0, 1, 2, 4, 5]
        assert list(run.captured(kind="generated")) == [3]
        with pytest.raises(RnnvizError, match=r"the capture of LSTM at training step 3: .* of the kind probe"):
            run.capture(3, 1, kind="generated")


def test_events_are_read_in_pages(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.rnnviz"
    path.write_bytes(whole)
    with Run(path) as run:
        assert [event.number for event in run.events(2, 3)] == [3, 4, 5]
        assert [event.number for event in run.events(5, 3)] == [6, 7]
        assert run.events(7, 3) == []
        assert run.last_event == 7


def test_a_long_sentence_of_ours_is_cut_short_and_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.rnnviz"
    with writer(path) as run:
        run.event(3, "hit", "é" * 99_999, {"words": "y" * 99_999})
    with Run(path) as reader:
        (event,) = reader.events()
    assert event.sentence == "é" * 32_768
    assert event.details == {}


def test_unknown_tables_are_ignored(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.rnnviz"
    path.write_bytes(whole)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE bookmarks (x)")
    connection.execute("CREATE INDEX places ON bookmarks (x)")
    connection.execute("CREATE VIEW looked_at AS SELECT * FROM bookmarks")
    connection.close()
    read_everything(path)


def test_odd_values_in_number_columns_do_no_harm(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.rnnviz"
    path.write_bytes(whole)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TABLE contents")
    connection.execute("INSERT INTO metric_blocks VALUES (50, 0, 0, 100, 'text', 0, x'00')")
    connection.execute("UPDATE writer SET process = 'x', heartbeat = x'00'")
    connection.close()
    with Run(path) as run:
        with pytest.raises(RnnvizError, match="loss of model 0 does not match its checksum"):
            run.metrics("loss", after=99)
        assert not run.engine_alive


def test_a_query_sent_round_in_circles_ends(tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnviz.runs.reading.queries.LONGEST_QUERY_SECONDS", 0.2)
    path = tmp_path / "a.rnnviz"
    path.write_bytes(whole)
    circles = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    with Run(path) as run:
        started = time.monotonic()
        with pytest.raises(RnnvizError, match="circles could not be read: it took too long"):
            run._queries.rows("circles", circles)
        assert time.monotonic() - started < 60
        assert run.last_training_step == 5

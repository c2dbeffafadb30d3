"""What child processes print for programs: the records, and nothing else."""

import json

import pytest

from rnnviz.core.child_answers import FoundHit, SearchLine, Verdict, inspected, search_line, verdicts
from rnnviz.core.errors import RnnvizError

HIT = {"breakpoint": 1, "training_step": 7, "model": "é", "time_step": 0, "values": [["loss", "3"]], "sentence": "a"}


def test_each_line_of_a_search_is_a_record() -> None:
    assert search_line(json.dumps({"hit": HIT}).encode()) == SearchLine(
        hit=FoundHit(1, 7, "é", 0, (("loss", "3"),), "a")
    )
    assert search_line(b'{"progress": [3, 9]}\n') == SearchLine(progress=(3, 9))
    assert search_line(b'{"finished": 2}') == SearchLine(finished=2)


def test_a_verdict_leaves_out_the_numbers() -> None:
    reports = [{"model": "A", "verdict": "fine", "right": True, "checks": [1]}]
    assert verdicts(json.dumps(reports).encode()) == (Verdict("A", "fine", True),)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"rubbish",
        b"[1]",
        b'{"hit": 3}',
        b'{"hit": {}}',
        b'{"progress": [1]}',
        b'{"found": 1}',
        b"[" * 10**5,
        b"\xff",
    ],
)
def test_rubbish_is_no_line_of_a_search(line: bytes) -> None:
    with pytest.raises(RnnvizError, match="rnnviz search: "):
        search_line(line)


@pytest.mark.parametrize("output", [b"", b"[]", b"{}", b"[3]", b'[{"model": "A"}]', b'[{"right": 1, "verdict": ""}]'])
def test_rubbish_is_no_verdict(output: bytes) -> None:
    with pytest.raises(RnnvizError, match="rnnviz check: "):
        verdicts(output)


def test_a_report_has_kind_and_path() -> None:
    report = {"kind": "csv", "path": "/a", "rows": 3}
    assert inspected(json.dumps(report).encode()) == report
    for rubbish in (b"", b"[]", b'{"kind": "csv"}', b'{"kind": 3, "path": "a"}'):
        with pytest.raises(RnnvizError, match="rnnviz inspect: "):
            inspected(rubbish)

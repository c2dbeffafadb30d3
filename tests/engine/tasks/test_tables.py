"""The CSV reader: what it understands, and the one sentence for what it does not."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.tables import LARGEST_TABLE, Table, read_table


def table(folder: Path, text: str | bytes) -> Table:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path)


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("a,b\n1,2\n3,4\n", ["a", "b"], [[1, 2], [3, 4]]),
        ("a;b\n1,5;2\n3;4,25\n", ["a", "b"], [[1.5, 2], [3, 4.25]]),
        ("a;b\n1.5;2\n3;4\n", ["a", "b"], [[1.5, 2], [3, 4]]),
        ("a\tb\n1\t2\n3\t4", ["a", "b"], [[1, 2], [3, 4]]),
        ("a|b\r\n1|2\r\n3|4\r\n", ["a", "b"], [[1, 2], [3, 4]]),
        ("1.5,2\n3,5\n", ["column 1", "column 2"], [[1.5, 2], [3, 5]]),
        ("# where from\n# and why\na,b\n1,-2e3\n.5,+4\n", ["a", "b"], [[1, -2000], [0.5, 4]]),
        ("\ufeffa, b\n1, 2\n\n3, 4\n", ["a", "b"], [[1, 2], [3, 4]]),
        ('"x, y","b"\n"1","2"\n', ["x, y", "b"], [[1, 2]]),
        ("a\n1\n2\n", ["a"], [[1], [2]]),
        ("a,a,\n1,2,3\n4,5,7\n", ["a", "a (2)", "column 3"], [[1, 2, 3], [4, 5, 7]]),
        ("d,a,b,a,a\n1,2,3,4,5\n", ["d", "a", "b", "a (2)", "a (3)"], [[1, 2, 3, 4, 5]]),
    ],
)
def test_delimiters_decimals_and_headers_are_found(
    tmp_path: Path, text: str, names: list[str], rows: list[list[float]]
) -> None:
    found = table(tmp_path, text)
    assert [column.name for column in found.columns] == names
    assert found.numbers(names).tolist() == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('a,b\n"1,002.15","1,234,567"\n"12","3.5"\n', [[1002.15, 1234567], [12, 3.5]]),
        ("a;b\n1.002,15;7\n-3,5;8\n", [[1002.15, 7], [-3.5, 8]]),
        ("a;b\n1.002;7\n3,5;8\n", [[1002, 7], [3.5, 8]]),  # what stands elsewhere decides
        ('a,b\n"1,5",7\n"2,25",8\n', [[1.5, 7], [2.25, 8]]),
        ('a,b\n"1,234",7\n"2,250",8\n', [[1234, 7], [2250, 8]]),
        ("a;b\n1,234;7\n2,250;8\n", [[1.234, 7], [2.25, 8]]),  # nothing else decides
        ("a;b\n1.234;7\n2.250;8\n", [[1.234, 7], [2.25, 8]]),
        ("a;b\n1,234;7\n2.250;8\n", [[1234, 7], [2.25, 8]]),
        ("a;b\n1 002,15;7\n3\u202f000,5;8\n4\u00a0000;9\n", [[1002.15, 7], [3000.5, 8], [4000, 9]]),
        ("a;b\n1'002.15;7\n3’000.5;8\n", [[1002.15, 7], [3000.5, 8]]),
        ('a,b\n"12,34,567.5",7\n"1,00,000",8\n', [[1234567.5, 7], [100000, 8]]),
        ("a,b\n$1.0,2 %\n-$2.50,-3%\n$-4,+5 %\n", [[1, 2], [-2.5, -3], [-4, 5]]),
        ("a;b\n1,50 €;EUR 2\n2 €;EUR 3,5\n", [[1.5, 2], [2, 3.5]]),
        ("a,b\n(5.25),($1)\n7,$2\n8-,$3\n−9,$4\n", [[-5.25, -1], [7, 2], [-8, 3], [-9, 4]]),
        ("a,b\n12.5 °C,3km/h\n-1 °C,4km/h\n0,5km/h\n", [[12.5, 3], [-1, 4], [0, 5]]),
        ("a,b\n1.5E+03,2e-100\n-1e5,3e-100\n", [[1500, 2e-100], [-1e5, 3e-100]]),
        ("a,b\ntrue,Yes\nFALSE,no\nTrue,YES\n", [[1, 1], [0, 0], [1, 1]]),
        ("a,b,\n1,2,\n3,4,\n", [[1, 2], [3, 4]]),
        ("a,b\n1,2,\n3,4,,\n", [[1, 2], [3, 4]]),
        ("sep=;\na;b\n1,5;2\n3;4\n", [[1.5, 2], [3, 4]]),
        ("a   b\n 1 2.5\n30   4\n", [[1, 2.5], [30, 4]]),
        ('"a;b";"c"\n"1";"2"\n"3";"4"\n', [[1, 2], [3, 4]]),
        ("a b\n", []),
    ],
)
def test_numbers_are_read_as_people_write_them(tmp_path: Path, text: str, rows: list[list[float]]) -> None:
    found = table(tmp_path, text)
    if rows:
        assert found.numbers([column.name for column in found.columns]).tolist() == rows
    else:
        assert not found.lines


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["$5", "$1,200", "$3"], ("in $ ($5 is 5)", "a comma separates thousands ($1,200 is 1200)")),
        (["1'200", "5'300", "7'400"], ("an apostrophe separates thousands (1'200 is 1200)",)),
        (["(5)", "6", "7"], ("brackets mean minus ((5) is -5)",)),
        (["yes", "no", "yes"], ("yes is 1, no is 0",)),
        (["5 %", "6 %", "0"], ("in % (5 % is 5)",)),
    ],
)
def test_how_numbers_are_written_is_said(tmp_path: Path, cells: list[str], words: tuple[str, ...]) -> None:
    found = table(tmp_path, "a;b\n" + "".join(f"{cell};2.5\n" for cell in cells))
    assert found.column("a").numbers.words == words


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (["5 km", "6 m", "7 km"], "line 3: '6 m' is in m, the first in km"),
        (["5 %", "6", "7 %"], "line 3: '6' is in no unit, the first in %"),
        (["5", "red", "7"], "line 3: 'red' is no number"),
        (["5", "inf", "7"], "line 3: 'inf' is no number"),
        (["5", "1e999", "7"], "line 3: '1e999' is beyond float64's range"),
        (["2023-01-02", "2023-01-03", "2023-01-04"], "line 2: '2023-01-02' is no number"),
        (["", "NaN", "?"], "no value in any row"),
        (["1,2,3", "6", "7"], "line 2: '1,2,3' is no number"),
        (["(5", "6", "7"], "line 2: '(5' is no number"),
        (["--5", "6", "7"], "line 2: '--5' is no number"),
    ],
)
def test_the_first_value_that_is_none_is_named_with_its_line(tmp_path: Path, cells: list[str], problem: str) -> None:
    found = table(tmp_path, "a;b\n" + "".join(f"{cell};2.5\n" for cell in cells))
    assert found.column("a").problem(found.lines) == problem
    with pytest.raises(RnnvizError, match='column "a"'):
        found.numbers(["a"])


@pytest.mark.parametrize(
    "gap",
    ["", "NaN", "nan", "null", "?", "N/A", "NA", "#N/A", "#DIV/0!", "-", "–", "..", "None", "\\N", "1.#QNAN", "<NA>"],
)
def test_gaps_are_known_however_they_are_spelled(tmp_path: Path, gap: str) -> None:
    found = table(tmp_path, f"a;b\n5;1\n{gap};2\n7;{gap}\n")
    assert [column.numbers.gaps for column in found.columns] == [1, 1]
    assert all(column.numeric and not column.problem(found.lines) for column in found.columns)


@pytest.mark.parametrize(
    ("times", "backward"),
    [
        (["2023-03-01", "2023-02-28", "2022-12-31"], True),
        (["2023-01-01", "2023-02-28", "2023-12-31"], False),
        (["01.03.2023", "28.02.2023", "31.12.2022"], True),
        (["03/01/2023", "02/28/2023", "12/31/2022"], True),
        (["2023-03-01", "28.02.2023", "27 Feb 2023", "Feb 26, 2023"], True),
        (["Mar 2023", "Feb 2023", "Dez 2022"], True),
        (["2023-03-01 13:00", "2023-03-01 12:00", "2023-03-01 11:00"], True),
        (["1:00", "2:00", "3:00"], False),
        (["3/1/2023 1:00 pm", "3/1/2023 11:00 AM", "3/1/2023 10:30 AM"], True),
        (["120", "119", "118"], True),
        (["7.5", "7", "6.5"], True),
        (["2023-03-01", "2023-02-28", "2023-03-02"], False),
    ],
)
def test_a_time_column_that_goes_backward_is_noticed(tmp_path: Path, times: list[str], backward: bool) -> None:
    found = table(tmp_path, "when;x\n" + "".join(f"{time};{n * n}\n" for n, time in enumerate(times)))
    assert found.time_column == "when"
    assert found.newest_first == backward


def test_a_time_that_goes_back_once_is_said(tmp_path: Path) -> None:
    days = ["2023-01-02", "2023-01-03", "2022-01-04", "2023-01-05", "2023-01-06"]
    found = table(tmp_path, "date,x\n" + "".join(f"{day},{n * n}\n" for n, day in enumerate(days)))
    assert found.series((), "refuse", "oldest first").notes == (
        "“date” goes back at line 4: the rows are left in their order",
    )
    assert found.series((), "refuse", "oldest first").labels == tuple(days)


@given(
    rows=st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 3), min_size=2, max_size=8),
    style=st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ","), ("|", ".")]),
    header=st.booleans(),
)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[float, ...]],
    style: tuple[str, str],
    header: bool,
) -> None:
    delimiter, decimal = style
    lines = [delimiter.join(format(value, ".6f").replace(".", decimal) for value in row) for row in rows]
    text = "\n".join([delimiter.join(["first", "second", "third"])] * header + lines)
    found = table(tmp_path_factory.mktemp("tables"), text)
    names = [column.name for column in found.columns]
    assert names == (["first", "second", "third"] if header else ["column 1", "column 2", "column 3"])
    assert np.allclose(found.numbers(names), np.array(rows), atol=1e-6)


@pytest.mark.parametrize(
    ("text", "time_column", "value_columns"),
    [
        ("year,spots\n1700,5\n1701,11\n", "year", ("spots",)),
        ("spots,Year\n5,1700\n11,1702\n", "Year", ("spots",)),
        ("1700,5\n1701,11\n1702,16\n", "column 1", ("column 2",)),
        ("1,5\n1,11\n2,16\n", None, ("column 1", "column 2")),
        ("when,x\nMon,5\nTue,6\n", "when", ("x",)),
        ("colour,x\nred,5\nred,6\n", None, ("x",)),
        ("year\n1700\n1701\n", None, ("year",)),
    ],
)
def test_a_time_column_labels_the_rows(
    tmp_path: Path, text: str, time_column: str | None, value_columns: tuple[str, ...]
) -> None:
    found = table(tmp_path, text)
    assert found.time_column == time_column
    assert found.value_columns == value_columns
    assert len(found.time_labels) in (0, len(found.lines))


BAD = [
    ("", "an empty file"),
    ("# only\n# comments\n", "no line of data"),
    ("a,b\n", "only a header line"),
    ("a,b\n1,2\n3\n", "line 3: wanted 2 cells.*got 1"),
    ("# note\na,b\n1,2\n\n3,4,5\n", "line 5: wanted 2 cells.*as in line 2, got 3"),
    ("x\nred\nblue\n", "only text"),
    ('a,b\n1,"2\n3,4\n', "line .*cannot be read as CSV"),
    (b"a,b\n1,2\n\xff,3\n", "line 3: wanted UTF-8.*0xff at position 8"),
    (b"a,b\n1,2\0\n", "a binary file"),
    ("\x89PNG\r\n\x1a\n", "only"),
    (",".join(["1"] * 2000), "at most 1,024 columns, got 2,000"),
    ("1,2,3,4\n" * 250_001, "at most 1,000,000 cells"),
]


@pytest.mark.parametrize(("text", "words"), BAD)
def test_what_is_no_table_gets_one_sentence(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(RnnvizError, match=words) as refused:
        table(tmp_path, text).numbers()
    assert str(tmp_path / "t.csv") in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("cell", "came"),
    [
        ("", "the cell is empty"),
        ("red", "wanted a number, got 'red'"),
        ("nan", "wanted a number, got 'nan'"),
        ("1e999", "wanted a number, got '1e999'"),
        ("1_0", "wanted a number, got '1_0'"),
        ("1,2,", "wanted a number, got "),
    ],
)
def test_a_gap_in_a_number_column_names_line_column_and_what_came(tmp_path: Path, cell: str, came: str) -> None:
    found = table(tmp_path, f'year,spots\n1700,5\n1701,"{cell}"\n1702,7\n')
    with pytest.raises(RnnvizError, match=f't.csv, line 3, column "spots": {came}'):
        found.numbers()


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    found = table(tmp_path, "year,a,b,word\n1,2,3,x\n2,4,5,y\n")
    assert found.numbers(["b", "year"]).tolist() == [[3, 1], [5, 2]]
    with pytest.raises(RnnvizError, match='wanted a column "c", got columns "year", "a", "b", "word"'):
        found.numbers(["c"])
    with pytest.raises(RnnvizError, match='line 2, column "word": wanted a number'):
        found.numbers(["word"])


def test_files_that_are_none_or_too_large_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RnnvizError, match="No such file"):
        read_table(tmp_path / "missing.csv")
    with pytest.raises(RnnvizError, match="wanted a regular file, got a folder"):
        read_table(tmp_path)
    (tmp_path / "large.csv").write_bytes(b"1\n" * (LARGEST_TABLE // 2 + 1))
    with pytest.raises(RnnvizError, match=r"at most 16 MiB, got 16\.0 MiB"):
        read_table(tmp_path / "large.csv")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_does_not_hang_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(RnnvizError, match="wanted a regular file"):
        read_table(tmp_path / "pipe.csv")


def test_looking_into_a_table_or_text_does_not_import_torch() -> None:
    script = "import sys, rnnviz.core.files.tables, rnnviz.core.files.texts; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0

"""Opening a run leaves the locks of the connections that are open already."""

import sqlite3
import subprocess
import sys
from pathlib import Path

from rnnviz.runs.file.opening import check_file, open_to_write

TAKE_IT = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
try:
    connection.execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print(error)
"""


def test_checking_a_file_again_does_not_drop_our_lock_on_it(tmp_path: Path):
    path = tmp_path / "a.rnnviz"
    made = sqlite3.connect(path)
    made.execute("CREATE TABLE meta (key)")
    made.close()
    ours = open_to_write(path)
    ours.execute("BEGIN EXCLUSIVE")
    check_file(path)
    other = subprocess.run([sys.executable, "-c", TAKE_IT, str(path)], capture_output=True, text=True, check=True)
    ours.close()
    assert other.stdout.strip() == "database is locked"

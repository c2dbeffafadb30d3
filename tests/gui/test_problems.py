"""What nobody foresaw: said in the window, written into its own log, and the hooks given back when it closes."""

import logging
import sys
import threading
from pathlib import Path

from whole_program import OpenApp, close


def test_what_nobody_foresaw_is_one_sentence_and_in_the_log(open_app: OpenApp, run_file: Path, tmp_path: Path) -> None:
    before = sys.excepthook, threading.excepthook
    app = open_app(run_file)
    assert sys.excepthook != before[0]
    assert threading.excepthook != before[1]
    try:
        raise ZeroDivisionError("on purpose")
    except ZeroDivisionError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert "ZeroDivisionError: on purpose" in app.message_bar.sentence
    assert "on purpose" in (tmp_path / "data" / "rnnviz.log").read_text()
    assert logging.getLogger("rnnviz.window").handlers
    close(app)
    assert not logging.getLogger("rnnviz.window").handlers  # another window writes into its own alone
    assert (sys.excepthook, threading.excepthook) == before

"""Cache of summaries: what was read of a run is kept until its file is written again: the next look is quick."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.text_file import read_bytes
from rnnviz.core.plain_records import plain, read_record
from rnnviz.runs.library.summary import RunSummary, Stamp, read_summary

FORM = 1  # grows when a summary says something else than before
_LARGEST = 1 << 20  # bytes of one summary


class SummaryCache:
    """A folder with one small file a run, named after where the run is and when it was written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, stamp: Stamp) -> str:
        """The name of what is kept of a file as it is now."""
        text = f"{FORM}\0{stamp.path}\0{stamp.nanoseconds}\0{stamp.bytes}\0{stamp.touched}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]

    def summary(self, stamp: Stamp) -> RunSummary:
        """What was kept of the run, else what is read of it now."""
        kept = self.folder / f"{self.key(stamp)}.json"
        if stamp.exists:
            with contextlib.suppress(RnnvizError, ValueError, RecursionError):
                return read_record(RunSummary, json.loads(read_bytes(kept, _LARGEST)), str(kept), "")
        summary = read_summary(Path(stamp.path))
        if summary.kind != "broken":  # what is wrong with a file may lie in its folder, and pass
            with contextlib.suppress(RnnvizError, OSError):
                self.folder.mkdir(parents=True, exist_ok=True)
                new = kept.with_suffix(
                    f".{os.getpid()}.new"
                )  # half a file would only be read anew: no need for the disk
                new.write_text(json.dumps(plain(summary)), encoding="utf-8")
                new.replace(kept)
        return summary

    def forget_others(self, stamps: Iterable[Stamp]) -> None:
        """Removes what is kept of files that are no longer so."""
        keys = {self.key(stamp) for stamp in stamps}
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if path.name[:24] not in keys and path.suffix in (".json", ".png", ".new"):
                    path.unlink(missing_ok=True)

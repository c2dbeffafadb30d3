"""Archive of a torch file, checked before torch sees it: torch checks neither names nor sums nor sizes."""

import re
import zipfile
from typing import BinaryIO

from rnnviz.core.errors import RnnvizError
from rnnviz.engine.checkpoints.other_archives import other_archive, torch_script

MAX_ENTRIES = 50_100
MAX_PICKLE_BYTES = 64 * 1024**2
_DEFLATE_SLACK = 16 * 1024**2  # torch stores without compression; a repacked file may deflate to a tenth
_DEFLATE_RATIO = 10
_CHUNK = 1024**2
_DOS_FOLDER = 0x10  # with this attribute torch's zip reader returns success and uninitialised memory


def check_archive(file: BinaryIO, size: int, name: str) -> tuple[bytes, tuple[str, ...]]:
    """The bytes of `data.pkl` and notes; RnnvizError (a phrase) for an archive that is not whole or not torch's.

    `name` is the file's, for the lines that make a state dict of another archive.
    torch reads the first of two entries of one name and Python the last, and torch does not check the CRC.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_count(entries)
            prefix = _torch_folder(entries, name)
            _check_directory(entries, size)
            for entry in entries:
                _check_entry(archive, entry)
            pickled = archive.read(f"{prefix}data.pkl")
            order = archive.read(f"{prefix}byteorder") if f"{prefix}byteorder" in archive.NameToInfo else b"little"
    except RnnvizError:
        raise
    # zipfile raises many classes on damaged archives: BadZipFile, OSError, struct.error, NotImplementedError, EOFError
    except Exception as problem:
        wrong = "a part of it does not have its checksum (CRC)" if "CRC" in str(problem) else "it cannot be unpacked"
        raise RnnvizError(f"is a damaged zip archive or one cut short: {wrong}") from None
    notes: tuple[str, ...] = ()
    if order.strip() != b"little":
        notes = ("The file says it was written on a big-endian machine; its numbers were read in that byte order.",)
    return pickled, notes


def _check_count(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if len(names) > MAX_ENTRIES:
        raise RnnvizError(f"is a zip archive of {len(names):,} entries, wanted at most {MAX_ENTRIES:,}")
    if len(set(names)) != len(names):
        raise RnnvizError("holds two entries of one name, of which different programs would read different ones")


def _check_directory(entries: list[zipfile.ZipInfo], size: int) -> None:
    if len({entry.header_offset for entry in entries}) != len(entries):
        raise RnnvizError("holds entries that overlap")
    unpacked = sum(entry.file_size for entry in entries)
    most = _DEFLATE_RATIO * size + _DEFLATE_SLACK
    if unpacked > most or sum(entry.compress_size for entry in entries) > size:
        raise RnnvizError(f"claims to unpack to {unpacked:,} bytes, wanted at most {most:,} for a file of its size")
    for entry in entries:
        if entry.compress_type == zipfile.ZIP_STORED and entry.file_size != entry.compress_size:
            raise RnnvizError("is damaged: a stored entry of its zip archive has two different sizes")
        if entry.is_dir() or entry.external_attr & _DOS_FOLDER:
            raise RnnvizError("is damaged: its zip archive holds a folder, of which torch would read nothing")


def _torch_folder(entries: list[zipfile.ZipInfo], name: str) -> str:
    """The one folder all entries are in; torch.save names it after the file."""
    names = [entry.filename for entry in entries]
    found = [entry for entry in entries if re.fullmatch(r"[^/]*/data\.pkl", entry.filename)]
    if len(found) > 1:
        raise RnnvizError("holds more than one data.pkl, so torch.save did not write it")
    if not found:
        raise RnnvizError(other_archive(names, name))
    folder = found[0].filename.removesuffix("data.pkl")
    if f"{folder}constants.pkl" in names:
        raise RnnvizError(torch_script(name))
    if found[0].file_size > MAX_PICKLE_BYTES:
        raise RnnvizError(f"has a data.pkl of {found[0].file_size:,} bytes, wanted at most {MAX_PICKLE_BYTES:,}")
    return folder


def _check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Reads the entry once in pieces; zipfile compares its CRC at the end."""
    if entry.flag_bits & 0x1:
        raise RnnvizError("is an encrypted zip archive, wanted a plain one")
    left = entry.file_size
    with archive.open(entry) as stream:
        while piece := stream.read(_CHUNK):
            left -= len(piece)
    if left:
        raise RnnvizError("is damaged or cut short: an entry of its zip archive is not as long as it says")

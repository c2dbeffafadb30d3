"""Reasons: why a run cannot be read or written, in words."""

import sqlite3

_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only",
    sqlite3.SQLITE_BUSY: "another program is using it",
    sqlite3.SQLITE_LOCKED: "another program is using it",
    sqlite3.SQLITE_IOERR: "the disk reports an error (it may be full or broken)",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened (is the folder still there?)",
    sqlite3.SQLITE_PERM: "this is not allowed",
    sqlite3.SQLITE_CORRUPT: "its pages contradict each other",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite file",
    sqlite3.SQLITE_TOOBIG: "a row is larger than any that rnnviz writes",
    sqlite3.SQLITE_NOMEM: "there is not enough memory",
    sqlite3.SQLITE_INTERRUPT: "it took too long",
    sqlite3.SQLITE_PROTOCOL: "another program is using it",
}


_OF_THE_FILE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_INTERRUPT)
_ANY = (0, sqlite3.SQLITE_ERROR)  # nothing more is said


def tells_damage(error: BaseException) -> bool:
    """Whether something is wrong with the file itself, and not with the disk or with who else holds it."""
    return not isinstance(error, OSError) and getattr(error, "sqlite_errorcode", 0) & 0xFF in (*_OF_THE_FILE, *_ANY)


def reason(error: BaseException) -> str:
    """Why something failed, as the end of a sentence."""
    if isinstance(error, sqlite3.Error):
        return _WORDS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, " ".join(str(error).split())[:80])
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"{type(error).__name__}: {error}"

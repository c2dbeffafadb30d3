"""Magic: what a file is, in words, from its first bytes."""

import codecs

from rnnviz.core.files.text_file import codec_of

HEAD_BYTES = 4096

ZIP, LEGACY, PICKLE, SAFETENSORS, SQLITE, TEXT, UNKNOWN = (
    "a zip archive",
    "a torch file of the old format",
    "a Python pickle",
    "a safetensors file",
    "an SQLite database",
    "plain text",
    "binary data of an unknown kind",
)
HTML, XML, JSON = "a web page (HTML)", "an XML file", "JSON"
MARKUP = frozenset({HTML, XML, JSON})
TEXT_KINDS = MARKUP | {TEXT}

_LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # pickle of torch.serialization.MAGIC_NUMBER
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", ZIP),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, _LEGACY_MAGIC, LEGACY),
    (0, b"SQLite format 3\0", SQLITE),
    (0, b"version https://git-lfs.github.com/spec", "a git-LFS pointer (fetch the file itself with `git lfs pull`)"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"%PDF-", "a PDF document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstandard archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-zip archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras weights?)"),
    (0, b"GGUF", "a GGUF file"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"PAR1", "a Parquet table"),
    (0, b"ARROW1", "an Arrow table"),
    (0, b"\x7fELF", "a Linux program"),
    (0, b"MZ", "a Windows program"),
    (0, b"RIFF", "a sound or picture in a RIFF container"),
)


def looks_like(head: bytes) -> str:
    """What a file beginning with `head` (its first 4096 bytes) is, in words: a constant of this module or a phrase."""
    for offset, magic, words in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return words
    if head[8:9] == b"{" and head[5:8] == b"\0\0\0":
        return SAFETENSORS  # eight bytes of length, of which the upper are zero, then JSON
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return PICKLE
    if head[8:9] == b"{" and any(byte < 9 or byte > 126 for byte in head[:8]):
        return SAFETENSORS  # with a length that lies; its reader says so
    return _text_kind(head) or UNKNOWN


def _text_kind(head: bytes) -> str:
    """The kind of text `head` begins, or empty when it is not Unicode text."""
    codec, _ = codec_of(head)
    if codec == "utf-8" and b"\0" in head:
        return ""
    try:
        text = codecs.getincrementaldecoder(codec)().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeError:
        return ""
    begin = text.lstrip()[:64].lower()
    if begin.startswith(("<!doctype html", "<html", "<head", "<body")):
        return HTML
    if begin.startswith("<?xml"):
        return XML
    if begin.startswith(("{", "[")):
        return JSON
    return TEXT

"""Checksums of everything but payloads: CRC32 of the values of a row."""

import json
import zlib


def row_crc32(*values: object, data: bytes = b"") -> int:
    """CRC32 of a row's values, texts and whole numbers (or what a damaged file has in their place), and of `data`."""
    return zlib.crc32(data, zlib.crc32(json.dumps(values, default=repr).encode()))

"""A series as a picture: dots of braille or stars for a terminal, PNG for a file."""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise

from actioncast.arrays import Flags, Values, np

BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # bits of the dots in rows of two
DOT_ROWS = 4  # of one character
DOT_COLUMNS = 2
PNG_WIDTH = 1200
PNG_HEIGHT = 400


def dots(values: Values, columns: int, rows: int) -> Flags:
    """[rows, columns] where a dot belongs: each column spans the values of its part of the series.

    NaN leaves a gap.
    """
    shown = np.zeros((rows, columns), dtype=np.bool_)
    finite = values[np.isfinite(values)]
    if not len(finite):
        return shown
    span = float(np.ptp(finite)) or 1.0
    heights = (values - finite.min()) / span * (rows - 1)
    bounds = np.linspace(0, len(values), columns + 1).astype(np.int64)
    for column, (begin, end) in enumerate(pairwise(bounds)):
        part = heights[begin : max(end, begin + 1)]
        part = part[np.isfinite(part)]
        if len(part):
            low = rows - 1 - round(float(part.max()))
            high = rows - 1 - round(float(part.min()))
            shown[low : high + 1, column] = True
    return shown


def in_braille(values: Values, width: int, height: int) -> list[str]:
    """Lines of so many characters."""
    shown = dots(values, width * DOT_COLUMNS, height * DOT_ROWS)
    blocks = shown.reshape(height, DOT_ROWS, width, DOT_COLUMNS).transpose(0, 2, 1, 3)
    numbers = (blocks * np.asarray(BRAILLE)).sum(axis=(2, 3))
    return ["".join(chr(0x2800 + number) for number in line) for line in numbers]


def in_ascii(values: Values, width: int, height: int) -> list[str]:
    """Lines of so many characters, for terminals without braille."""
    shown = dots(values, width, height)
    return ["".join("*" if dot else " " for dot in line) for line in shown]


def png(values: Values) -> bytes:
    """A PNG of black dots on white, with one bit for each."""
    white = ~dots(values, PNG_WIDTH, PNG_HEIGHT)
    packed = np.packbits(white, axis=1)
    filters = np.zeros((PNG_HEIGHT, 1), dtype=np.uint8)  # no filter in any row
    pixels = np.hstack([filters, packed]).tobytes()
    header = struct.pack(">IIBBBBB", PNG_WIDTH, PNG_HEIGHT, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

"""A series as a picture: dots of braille or stars for a terminal, PNG for a file."""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise

from actioncast.arrays import Flags, Values, np

BRAILLE = (  # bits of the dots in rows of two
    (0x01, 0x08),
    (0x02, 0x10),
    (0x04, 0x20),
    (0x40, 0x80),
)
NO_DOTS = 0x2800  # the first character of braille
DOT_ROWS = 4  # of one character
DOT_COLUMNS = 2
PNG_WIDTH = 1200
PNG_HEIGHT = 400
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_HEADER = struct.Struct(">IIBBBBB")
BIG_ENDIAN = struct.Struct(">I")


def dots(values: Values, columns: int, rows: int) -> Flags:
    """[rows, columns] where a dot belongs: each column spans the values of its part of the series.

    NaN leaves a gap.
    """
    shown = np.zeros((rows, columns), dtype=np.bool_)
    last_row = rows - 1
    heights = _shares(values) * last_row
    edges = np.linspace(0, len(values), columns + 1)
    bounds = edges.astype(np.int64)
    for column, (begin, end) in enumerate(pairwise(bounds)):
        part = heights[begin : max(end, begin + 1)]
        part = part[np.isfinite(part)]
        if not len(part):
            continue
        top = last_row - round(float(part.max()))
        bottom = last_row - round(float(part.min()))
        shown[top : bottom + 1, column] = True
    return shown


def _shares(values: Values) -> Values:
    """[n] how high each value lies between the least (0) and the greatest (1)."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return values
    span = float(np.ptp(finite)) or 1.0
    shares: Values = (values - finite.min()) / span
    return shares


def in_braille(values: Values, width: int, height: int) -> list[str]:
    """Lines of so many characters."""
    shown = dots(
        values,
        columns=width * DOT_COLUMNS,
        rows=height * DOT_ROWS,
    )
    blocks = shown.reshape(height, DOT_ROWS, width, DOT_COLUMNS)
    characters = blocks.transpose(0, 2, 1, 3)  # [height, width, dot rows, dot columns]
    bits = np.asarray(BRAILLE)
    numbers = (characters * bits).sum(axis=(2, 3))
    lines = []
    for row in numbers:
        signs = [chr(NO_DOTS + number) for number in row]
        lines.append("".join(signs))
    return lines


def in_ascii(values: Values, width: int, height: int) -> list[str]:
    """Lines of so many characters, for terminals without braille."""
    shown = dots(
        values,
        columns=width,
        rows=height,
    )
    lines = []
    for row in shown:
        signs = ["*" if dot else " " for dot in row]
        lines.append("".join(signs))
    return lines


def png(values: Values) -> bytes:
    """A PNG of black dots on white, with one bit for each."""
    white = ~dots(
        values,
        columns=PNG_WIDTH,
        rows=PNG_HEIGHT,
    )
    pixels = np.packbits(white, axis=1)
    filters = np.zeros((PNG_HEIGHT, 1), dtype=np.uint8)  # no filter in any row
    rows = np.hstack([filters, pixels])
    compressed = zlib.compress(rows.tobytes())
    return b"".join(
        [
            PNG_SIGNATURE,
            _chunk(b"IHDR", _header()),
            _chunk(b"IDAT", compressed),
            _chunk(b"IEND", b""),
        ]
    )


def _header() -> bytes:
    return PNG_HEADER.pack(
        PNG_WIDTH,
        PNG_HEIGHT,
        1,  # bit for each dot
        0,  # shades of gray
        0,  # deflate
        0,  # the usual five filters
        0,  # no interlace
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    length = BIG_ENDIAN.pack(len(content))
    checksum = zlib.crc32(name + content)
    return length + name + content + BIG_ENDIAN.pack(checksum)

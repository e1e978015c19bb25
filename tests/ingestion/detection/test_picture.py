from __future__ import annotations

import zlib

import numpy as np

from actioncast.ingestion.detection import picture


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right() -> None:
    assert picture.in_ascii(np.arange(3.0), width=3, height=3) == ["  *", " * ", "*  "]


def test_a_character_of_braille_holds_two_by_four_dots() -> None:
    assert picture.in_braille(np.array([0.0, 3.0]), width=1, height=1) == ["\u2848"]


def test_a_missing_hour_is_a_gap_and_nothing_at_all_is_an_empty_picture() -> None:
    assert picture.in_ascii(np.array([1.0, np.nan, 1.0]), width=3, height=1) == ["* *"]
    assert picture.in_ascii(np.array([np.nan]), width=2, height=1) == ["  "]


def test_a_png_holds_a_bit_for_each_dot_and_a_filter_for_each_row() -> None:
    content = picture.png(np.arange(10.0))
    begin = content.index(b"IDAT") + 4
    pixels = zlib.decompressobj().decompress(content[begin:])
    assert len(pixels) == picture.PNG_HEIGHT * (1 + picture.PNG_WIDTH // 8)

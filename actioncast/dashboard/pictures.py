"""The first chart of a page and the state of a series as SVG: for a README, or a page without scripts. Pure.

Nothing in them is a style or a script, so that they look alike as an image, in a document and under a strict
content policy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Literal

from actioncast.dashboard.charts import Chart
from actioncast.dashboard.figures import PageFigures
from actioncast.monitoring.lights import Light, Status, worst
from actioncast.periods.words import Words
from actioncast.text import number
from actioncast.times import from_seconds, to_seconds

Theme = Literal["light", "dark"]
# The colours of dashboard.css.
COLOURS: dict[Theme, dict[str, str]] = {
    "light": {"ground": "#ffffff", "ink": "#14181f", "muted": "#565f6c", "line": "#e2e5ea", "forecast": "#2257d6"},
    "dark": {"ground": "#161b22", "ink": "#e8ecf1", "muted": "#9da7b4", "line": "#2a313b", "forecast": "#78a6ff"},
}
BADGE_COLOURS: dict[Status, str] = {"good": "#1a7339", "watch": "#8a5a00", "bad": "#b4232a"}

# In pixels.
WIDTH = 840
HEIGHT = 320
LEFT = 62
RIGHT = 826
TOP = 58
BOTTOM = 278
MOST_TICKS = 7
LONGEST_TITLE = 100  # characters
CHARACTER = 6.6  # of a badge's text
PADDING = 7  # on either side of it


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, in pixels, and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Picture:
    """What templates/chart.svg draws. Lines and areas are lists of points, one for each stretch without a gap."""

    title: str
    subtitle: str
    reality: Sequence[str]
    forecast: Sequence[str]
    interval: Sequence[str]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    end: float | None  # pixels; None outside of the picture
    now: float | None
    colours: dict[str, str]


@dataclass(frozen=True)
class Badge:
    """What templates/badge.svg draws."""

    left: str
    right: str
    colour: str

    @property
    def left_width(self) -> float:
        return _width(self.left)

    @property
    def right_width(self) -> float:
        return _width(self.right)


def picture_of(page: PageFigures, theme: Theme = "light") -> Picture | None:
    """The chart as the page shows it at first; None while nothing is stored."""
    chart = page.charts["forecast"]
    if not chart["t"]:
        return None
    frequency = page.words.timeline.frequency
    begin = max(chart["t"][0], chart["end"] - page.shown * frequency.seconds)
    finish = max(chart["t"][-1], begin + frequency.seconds)
    shown = [index for index, second in enumerate(chart["t"]) if second >= begin]
    scale = _Scale.of(chart, shown, begin, finish)
    now = to_seconds(page.now)
    return Picture(
        title=shorten(page.title, LONGEST_TITLE, placeholder=" ..."),
        subtitle=f"{page.unit}; times of {page.words.zone}",
        reality=scale.lines(chart, shown, "reality"),
        forecast=scale.lines(chart, shown, "prediction"),
        interval=scale.areas(chart, shown),
        x_ticks=_x_ticks(scale, page.words, [chart["t"][index] for index in shown]),
        y_ticks=[Tick(scale.y(value), number(value)) for value in scale.y_values],
        end=scale.x(chart["end"]) if begin <= chart["end"] <= finish else None,
        now=scale.x(now) if begin <= now <= finish else None,
        colours=COLOURS[theme],
    )


@dataclass(frozen=True)
class _Scale:
    """Unix seconds and values to pixels."""

    begin: int
    finish: int
    y_values: Sequence[float]  # of the ticks, ascending; the first and last are the edges

    @classmethod
    def of(cls, chart: Chart, shown: Sequence[int], begin: int, finish: int) -> _Scale:
        columns = (chart[name][index] for name in ("reality", "lower", "upper") for index in shown)
        values = [value for value in columns if value is not None]
        return cls(begin, finish, nice_values(min(values, default=0.0), max(values, default=1.0)))

    def x(self, second: float) -> float:
        return LEFT + (RIGHT - LEFT) * (second - self.begin) / (self.finish - self.begin)

    def y(self, value: float) -> float:
        lowest, highest = self.y_values[0], self.y_values[-1]
        return BOTTOM - (BOTTOM - TOP) * (value - lowest) / (highest - lowest)

    def point(self, second: int, value: float) -> str:
        return f"{self.x(second):.1f},{self.y(value):.1f}"

    def lines(self, chart: Chart, shown: Sequence[int], name: str) -> list[str]:
        """A polyline for each stretch without a gap."""
        stretches = _stretches(shown, lambda index: chart[name][index] is not None)
        return [" ".join(self.point(chart["t"][i], chart[name][i]) for i in stretch) for stretch in stretches]

    def areas(self, chart: Chart, shown: Sequence[int]) -> list[str]:
        """A polygon around the interval for each stretch without a gap."""
        areas = []
        for stretch in _stretches(shown, lambda index: chart["lower"][index] is not None):
            upper = [self.point(chart["t"][i], chart["upper"][i]) for i in stretch]
            lower = [self.point(chart["t"][i], chart["lower"][i]) for i in reversed(stretch)]
            areas.append(" ".join([*upper, *lower]))
        return areas


def _stretches(shown: Sequence[int], is_known: Callable[[int], bool]) -> list[list[int]]:
    """The runs of neighbours that are known."""
    runs: list[list[int]] = [[]]
    for index in shown:
        if is_known(index):
            runs[-1].append(index)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def nice_values(lowest: float, highest: float, most: int = MOST_TICKS) -> list[float]:
    """Round numbers at equal distances from at most `lowest` to at least `highest`: 1, 2 or 5 times a power of ten."""
    if highest <= lowest:
        highest = lowest + (abs(lowest) or 1.0)
    rough = (highest - lowest) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.floor(lowest / step)
    last = math.ceil(highest / step)
    return [step * place for place in range(first, last + 1)]


def _x_ticks(scale: _Scale, words: Words, seconds: Sequence[int]) -> list[Tick]:
    """The beginnings of days of the zone within a day's frequency, of periods otherwise, as many as fit."""
    if words.timeline.frequency.is_within_day:
        days = [second for second in seconds if words.moment(from_seconds(second)).endswith("00:00")]
        names = [words.moment(from_seconds(second))[: len("04 Mar")] for second in days]
    else:
        days = list(seconds)
        names = [words.period(from_seconds(second)) for second in days]
    every = max(1, math.ceil(len(days) / MOST_TICKS))
    chosen = list(zip(days, names, strict=True))[::every]
    return [Tick(scale.x(second), name) for second, name in chosen]


def badge_of(name: str, lights: Sequence[Light]) -> Badge:
    """The state of a series in two words."""
    status = worst(lights)
    bad = [f"{light.name.lower()} {light.word}" for light in lights if light.status == status]
    return Badge(name, "forecast good" if status == "good" else bad[0], BADGE_COLOURS[status])


def _width(text: str) -> float:
    return len(text) * CHARACTER + 2 * PADDING

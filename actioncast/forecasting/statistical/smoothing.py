"""The recursions of the statistical families: states that each new value moves, and what follows from them.

A fitted family is plain numbers: what it is (`form`), its smoothing parameters and its states before the
first period that it has learned from. Serving walks through the history again, so that a champion of
months ago knows the newest values; a test holds the forecasts to those of statsforecast.

Sources: Hyndman, Koehler, Ord & Snyder, "Forecasting with Exponential Smoothing" (2008), for ETS; Fiorucci et
al., "Models for optimising the theta method" (2016); Svetunkov, Kourentzes & Ord, "Complex exponential
smoothing" (2022).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from actioncast.arrays import Array, Numbers, Values, np

NONE, ADDITIVE, MULTIPLICATIVE = 0, 1, 2
TINY = 1e-10  # below which a level cannot be divided by
HUGE = 1e10  # in place of such a ratio
Arrays = Mapping[str, Array]


class Smoothing(ABC):
    """States that a value moves. `expected` is the forecast of the next value."""

    @abstractmethod
    def expected(self) -> float:
        """The forecast of the next value."""

    @abstractmethod
    def move(self, value: float) -> None:
        """Take the states past the next value."""

    @abstractmethod
    def copy(self) -> Smoothing:
        """The same states, which move by themselves."""


def walk(smoothing: Smoothing, values: Values, origins: Numbers, horizon: int) -> Values:
    """[origins, horizon] forecasts from before each of these ascending positions of `values` [n]."""
    forecasts = np.empty((len(origins), horizon))
    position = 0
    for index, origin in enumerate(origins.tolist()):
        for value in values[position:origin].tolist():
            smoothing.move(value)
        position = max(position, origin)
        forecasts[index] = _ahead(smoothing.copy(), horizon)
    return forecasts


def _ahead(smoothing: Smoothing, horizon: int) -> list[float]:
    """The next forecasts; each is the value that moves the states to the next one."""
    path = []
    for _ in range(horizon):
        forecast = smoothing.expected()
        path.append(forecast)
        smoothing.move(forecast)
    return path


def made_of(family: str, arrays: Arrays) -> Smoothing:
    """The family with the states that it begins with."""
    return FAMILIES[family].of(arrays)


# ETS ----------------------------------------------------------------------------------------------


@dataclass
class Ets(Smoothing):
    """Error, trend and season, each additive or multiplicative; a trend may be damped."""

    trend_kind: int
    season_kind: int
    alpha: float
    beta: float
    gamma: float
    phi: float
    level: float
    trend: float
    season: list[float]  # the last one is that of the next period

    @classmethod
    def of(cls, arrays: Arrays) -> Ets:
        """`form` [trend, season], `parameters` [alpha, beta, gamma, phi] and `states` [level, trend, season ...]."""
        trend_kind, season_kind = arrays["form"].tolist()
        alpha, beta, gamma, phi = arrays["parameters"].tolist()
        level, trend, *season = arrays["states"].tolist()
        return cls(trend_kind, season_kind, alpha, beta, gamma, phi, level, trend, season)

    def copy(self) -> Ets:
        return replace(self, season=list(self.season))

    def _damped(self) -> float:
        if self.trend_kind == MULTIPLICATIVE:
            return float(max(self.trend, TINY) ** self.phi)
        return self.phi * self.trend

    def _base(self) -> float:
        """The forecast without its season."""
        if self.trend_kind == NONE:
            return self.level
        if self.trend_kind == ADDITIVE:
            return self.level + self._damped()
        return self.level * self._damped()

    def expected(self) -> float:
        if self.season_kind == NONE:
            return self._base()
        if self.season_kind == ADDITIVE:
            return self._base() + self.season[-1]
        return self._base() * self.season[-1]

    def move(self, value: float) -> None:
        base = self._base()
        level = base + self.alpha * (self._without_season(value) - base)
        if self.trend_kind:
            change = level - self.level if self.trend_kind == ADDITIVE else _ratio(level, self.level)
            damped = self._damped()
            self.trend = damped + self.beta / self.alpha * (change - damped)
        self.level = level
        if self.season_kind:
            last = self.season.pop()
            season = value - base if self.season_kind == ADDITIVE else _ratio(value, base)
            self.season.insert(0, last + self.gamma * (season - last))

    def _without_season(self, value: float) -> float:
        if self.season_kind == NONE:
            return value
        if self.season_kind == ADDITIVE:
            return value - self.season[-1]
        return _ratio(value, self.season[-1])


def _ratio(value: float, divisor: float) -> float:
    return HUGE if abs(divisor) < TINY else value / divisor


# Theta --------------------------------------------------------------------------------------------


@dataclass
class Theta(Smoothing):
    """A line and a level that is smoothed, of values without their season; a dynamic line learns from each value."""

    is_dynamic: bool
    season_kind: int
    alpha: float
    theta: float
    level: float
    mean: float  # of all values until now
    intercept: float
    slope: float
    count: int  # values until now
    season: list[float]  # the first one is that of the next period

    @classmethod
    def of(cls, arrays: Arrays) -> Theta:
        """`form` [dynamic, season kind], `parameters` [alpha, theta], `states` [level, mean, intercept, slope, count]
        and `season`.
        """
        is_dynamic, season_kind = arrays["form"].tolist()
        level, mean, intercept, slope, count = arrays["states"].tolist()
        alpha, theta = arrays["parameters"].tolist()
        season = arrays["season"].tolist()
        return cls(bool(is_dynamic), season_kind, alpha, theta, level, mean, intercept, slope, int(count), season)

    def copy(self) -> Theta:
        return replace(self, season=list(self.season))

    def _base(self) -> float:
        """The forecast without its season."""
        decay = (1 - self.alpha) ** self.count
        line = self.intercept * decay + self.slope * (1 - decay * (1 - self.alpha)) / self.alpha
        return self.level + (1 - 1 / self.theta) * line

    def expected(self) -> float:
        if self.season_kind == NONE:
            return self._base()
        if self.season_kind == ADDITIVE:
            return self._base() + self.season[0]
        return self._base() * self.season[0]

    def move(self, value: float) -> None:
        if self.season_kind == ADDITIVE:
            value = value - self.season[0]
        elif self.season_kind == MULTIPLICATIVE:
            value = _ratio(value, self.season[0])
        self.level = self.alpha * value + (1 - self.alpha) * self.level
        count = self.count
        if self.is_dynamic:
            surprise = value - self.mean if count else 0.0
            self.slope = ((count - 1) * self.slope + 6 * surprise / (count + 1)) / (count + 2)
            self.mean = (count * self.mean + value) / (count + 1)
            self.intercept = self.mean - self.slope * (count + 2) / 2
        self.count = count + 1
        if self.season_kind:
            self.season.append(self.season.pop(0))


# CES ----------------------------------------------------------------------------------------------

NO_SEASON, SIMPLE, PARTIAL, FULL = 0, 1, 2, 3


@dataclass
class Ces(Smoothing):
    """Complex exponential smoothing: a level with an imaginary part, and a season without one, or with."""

    kind: int
    parameters: list[float]  # real and imaginary, of the level and of the season
    states: list[list[float]]  # [season, parts], the oldest first: that of the next period
    newest: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, arrays: Arrays) -> Ces:
        """`form` [kind], `parameters` [4], `states` [lags, parts], the oldest first."""
        states = arrays["states"].tolist()
        return cls(int(arrays["form"][0]), arrays["parameters"].tolist(), states, states[-1])

    def copy(self) -> Ces:
        return replace(self, states=list(self.states))

    def expected(self) -> float:
        oldest = self.states[0]
        if self.kind in (NO_SEASON, SIMPLE):
            return oldest[0]
        return self.newest[0] + oldest[2]

    def move(self, value: float) -> None:
        error = value - self.expected()
        oldest = self.states.pop(0)
        before = oldest if self.kind in (NO_SEASON, SIMPLE) else self.newest
        state = _complex_step(before[0], before[1], self.parameters[0], self.parameters[1], error)
        if self.kind == PARTIAL:
            state.append(oldest[2] + self.parameters[2] * error)
        elif self.kind == FULL:
            state += _complex_step(oldest[2], oldest[3], self.parameters[2], self.parameters[3], error)
        self.states.append(state)
        self.newest = state


def _complex_step(real: float, imaginary: float, alpha: float, beta: float, error: float) -> list[float]:
    """The two parts after an error; `alpha` and `beta` are those of the complex smoothing parameter."""
    return [
        real - (1 - beta) * imaginary + (alpha - beta) * error,
        real + (1 - alpha) * imaginary + (alpha + beta) * error,
    ]


# ARIMA --------------------------------------------------------------------------------------------


@dataclass
class Arima(Smoothing):
    """Values follow from earlier values and earlier errors; both lists have the newest first."""

    of_values: Values  # [lags], differences and seasons multiplied in; position 0 is lag 1
    of_errors: Values  # [lags]
    mean: float
    drift: float  # a period
    count: int  # values until now
    values: list[float]
    errors: list[float]
    learned: list[float]  # the errors of the values that it has learned from, as the library estimates them

    @classmethod
    def of(cls, arrays: Arrays) -> Arima:
        """`parameters` [mean, drift], `of_values`, `of_errors` and `errors` [n]; what came before is as expected."""
        mean, drift = arrays["parameters"].tolist()
        of_values, of_errors = arrays["of_values"], arrays["of_errors"]
        learned = arrays["errors"].tolist()
        return cls(of_values, of_errors, mean, drift, 0, [], [0.0] * len(of_errors), learned)

    def copy(self) -> Arima:
        return replace(self, values=list(self.values), errors=list(self.errors))

    def _line(self) -> float:
        return self.mean + self.drift * (self.count + 1)

    def expected(self) -> float:
        if len(self.values) < len(self.of_values):
            # Too early to look back far enough: the newest value stands for the next one.
            return self.values[0] + self._line() if self.values else self._line()
        from_values = float(self.of_values @ self.values[: len(self.of_values)])
        from_errors = float(self.of_errors @ self.errors)
        return self._line() + from_values + from_errors

    def move(self, value: float) -> None:
        if self.count < len(self.learned):
            error = self.learned[self.count]
        else:
            error = value - self.expected()
        self.values.insert(0, value - self._line())
        self.errors.insert(0, error)
        del self.values[max(len(self.of_values), 1) :]
        del self.errors[len(self.of_errors) :]
        self.count += 1


FAMILIES: dict[str, type[Ets] | type[Theta] | type[Ces] | type[Arima]] = {
    "ets": Ets,
    "theta": Theta,
    "ces": Ces,
    "arima": Arima,
}

"""The tables of config.toml and the environment as typed, frozen settings; actioncast/config.py
reads them.

Secrets come from the environment (or .env beside config.toml) only and never print.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    model_validator,
)

from actioncast.environment import Environment, Patience
from actioncast.errors import ActioncastError
from actioncast.paths import MODEL_FOLDER
from actioncast.periods.aggregates import MOMENTS, Aggregate, Stamps
from actioncast.periods.frequency import HOURLY, Frequency, parse_frequency
from actioncast.periods.lengths import Defaults, LengthField, defaults_of
from actioncast.periods.opening import Opening, parse_opening
from actioncast.periods.timeline import Timeline, timeline_of
from actioncast.policies import FreshnessPolicy, RetrainPolicy, TrainPolicy
from actioncast.quantiles import DECILES, levels_of
from actioncast.source_fields import Table, TabularFields, TimeZone
from actioncast.source_settings import SourceSettings

SHOWN_CHARACTERS = 200  # of a wrong value
LONGEST_HORIZON = 24 * 92  # periods
Own = Literal["seasonal_naive", "ets", "theta", "ces", "arima", "ridge", "random_forest", "lightgbm", "blend"]
Guest = Literal["fracast", "flair"]  # only where they are asked for
Candidate = Own | Guest
CANDIDATES: tuple[Candidate, ...] = get_args(Own)


class SettingsError(ActioncastError):
    """config.toml or the environment cannot be used as it is."""


def _frequency(value: object) -> Frequency:
    return value if isinstance(value, Frequency) else parse_frequency(str(value))


def _opening(value: object) -> Opening:
    return value if isinstance(value, Opening) else parse_opening(str(value))


Seasonality = Annotated[tuple[LengthField, ...], Field(min_length=1)]
SeriesFrequency = Annotated[Frequency, PlainValidator(_frequency), PlainSerializer(str)]
SeriesOpening = Annotated[Opening, PlainValidator(_opening), PlainSerializer(str)]
SeriesName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]\w*$")]


class TrainSettings(Table):
    """How candidates are compared, and what a challenger must show. Lengths: None fits the frequency."""

    history: LengthField | None = None
    backtest: LengthField | None = None
    candidates: tuple[Candidate, ...] = CANDIDATES
    coverage: float = Field(default=0.8, gt=0, lt=1)
    quantiles: Annotated[tuple[float, ...], AfterValidator(levels_of)] = DECILES
    budget: float = Field(default=40, gt=0)
    gate: LengthField | None = None
    gate_margin: float = Field(default=0.01, ge=0, lt=1)
    seed: int = 123


class RetrainSettings(Table):
    """When the live error is no longer good, and how often a retrain may be asked for."""

    mode: Literal["dispatch", "suggest"] = "dispatch"
    check_hours: float = Field(default=2, gt=0)
    window: LengthField | None = None
    minimum_scored: LengthField | None = None
    maximum_ratio_to_backtest: float = Field(default=1.5, gt=0)
    maximum_ratio_to_naive: float = Field(default=1.1, gt=0)
    bad_checks: int = Field(default=3, ge=1)
    of_checks: int = Field(default=4, ge=1)
    cooldown: LengthField | Literal[0] | None = None
    maximum_per_week: int = Field(default=3, ge=0)
    max_mae: float | None = Field(default=None, gt=0)


class FreshnessSettings(Table):
    """How old is too old."""

    source: LengthField | None = None
    actual: LengthField | None = None
    forecast: LengthField | None = None
    champion: LengthField | None = None
    workflow_hours: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default={"update_real_data.yml": 12, "make_predictions.yml": 24},
    )
    coverage_window: LengthField | None = None
    coverage_tolerance: float = Field(default=0.15, gt=0, lt=1)
    look_hours: float = Field(default=12, gt=0)
    bad_looks: int = Field(default=2, ge=1)


# Keys of the clock of GitHub, which is one for all series.
CLOCK_KEYS = frozenset({"check_hours", "look_hours", "workflow_hours"})


class SeriesSettings(Table):
    """One [series.NAME] table."""

    title: str = ""
    source: SourceSettings
    unit: str
    frequency: SeriesFrequency = HOURLY
    timezone: TimeZone = "UTC"  # whose days, weeks and months are meant
    open: SeriesOpening | None = None  # None: always
    scale: float = 1.0
    aggregate: Aggregate = "mean"
    stamps: Stamps = "start"
    points_per_period: int = Field(default=1, ge=1)
    minimum_points_per_period: int = Field(default=1, ge=1)
    minimum_value: float | None = None  # None: negatives are right values
    round_seconds: int = Field(default=0, ge=0, le=1800)  # stamps are rounded to the nearest multiple; 0: not
    maximum_rejected_share: float = Field(default=0.05, ge=0, le=1)
    revisions: Literal["contradiction", "last"] = "contradiction"
    history: LengthField | None = None  # None: all there is
    reread: LengthField | None = None  # None, here and below: what fits the frequency
    seasonality: Seasonality | Literal["auto"] = "auto"
    horizon: LengthField | None = None
    holidays: str = Field(default="", pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")
    exogenous: dict[ColumnName, SourceSettings] = Field(default={})
    train: TrainSettings = TrainSettings()
    retrain: RetrainSettings = RetrainSettings()
    freshness: FreshnessSettings = FreshnessSettings()

    @property
    def timeline(self) -> Timeline:
        """The periods of the series."""
        return timeline_of(self.frequency, self.timezone, self.open)

    @property
    def defaults(self) -> Defaults:
        """The lengths that fit its frequency."""
        return defaults_of(self.frequency)

    @property
    def horizon_periods(self) -> int:
        """Periods ahead that are forecast."""
        return (self.horizon or self.defaults.horizon).periods(self.frequency)

    @property
    def reread_periods(self) -> int:
        """The last stored periods, which are read again at each run."""
        return (self.reread or self.defaults.reread).periods(self.frequency)

    @property
    def season_periods(self) -> tuple[int, ...]:
        """The seasons that config.toml states, ascending; () where they are to be found."""
        if self.seasonality == "auto":
            return ()
        return tuple(sorted({season.periods(self.frequency) for season in self.seasonality}))

    @model_validator(mode="after")
    def _lengths_fit(self) -> SeriesSettings:
        if self.horizon_periods > LONGEST_HORIZON:
            raise ValueError(f"horizon is {self.horizon_periods} periods, more than {LONGEST_HORIZON}")
        if any(season < 2 for season in self.season_periods):
            raise ValueError("seasonality: a season has at least two periods")
        return self

    @model_validator(mode="after")
    def _opening_fits(self) -> SeriesSettings:
        self.timeline.check()
        return self

    @model_validator(mode="after")
    def _clock_is_for_all(self) -> SeriesSettings:
        for name in ("train", "retrain", "freshness"):
            refused = getattr(self, name).model_fields_set & CLOCK_KEYS
            if refused:
                keys = ", ".join(sorted(refused))
                raise ValueError(f"{name}.{keys} belongs to the clock of all series; set it in the table [{name}]")
        return self

    @model_validator(mode="after")
    def _holiday_is_taken(self) -> SeriesSettings:
        if "holiday" in self.exogenous:
            raise ValueError("exogenous.holiday: this name is the column that `holidays` makes; choose another")
        return self

    @model_validator(mode="after")
    def _a_sum_needs_all_points(self) -> SeriesSettings:
        """By default: without some of them it is smaller, where a mean is only less certain."""
        if self.aggregate == "sum" and "minimum_points_per_period" not in self.model_fields_set:
            object.__setattr__(self, "minimum_points_per_period", self.points_per_period)
        return self

    @model_validator(mode="after")
    def _a_moment_has_no_end(self) -> SeriesSettings:
        if self.stamps == "end" and self.aggregate in MOMENTS:
            raise ValueError(f'stamps = "end" is for periods; the points of aggregate = "{self.aggregate}" are moments')
        return self

    @model_validator(mode="after")
    def _stamps_of_the_source(self) -> SeriesSettings:
        """Said by the series or by its source. Moments are neither, and may be at 24:00 as ends are."""
        source = self.source
        if not isinstance(source, TabularFields):
            return self
        if source.stamps == "end" and self.aggregate not in MOMENTS:
            object.__setattr__(self, "stamps", "end")
        is_of_days = not self.frequency.is_within_day
        if is_of_days and "timezone" not in source.model_fields_set:
            # A date without a clock names a day of the series' zone.
            source = source.model_copy(update={"timezone": self.timezone})
            object.__setattr__(self, "source", source)
        if self.stamps == "end" or self.aggregate in MOMENTS:
            object.__setattr__(self, "source", source.model_copy(update={"stamps": "end"}))
        return self

    @model_validator(mode="after")
    def _points_fit_the_hour(self) -> SeriesSettings:
        if self.minimum_points_per_period > self.points_per_period:
            raise ValueError(
                f"minimum_points_per_period is {self.minimum_points_per_period}, "
                f"more than points_per_period = {self.points_per_period}"
            )
        return self


class StateSettings(Table):
    """What the branch `state` keeps where there is no DATABASE_URL."""

    vintage_days: float = Field(default=60, ge=0)  # 0: all vintages for ever


ClockHours = Literal[1, 2, 3, 4, 6, 8, 12, 24]  # what a cron line can keep through the day
HOURS_OF_A_CLOCK: tuple[int, ...] = get_args(ClockHours)
Weekday = Literal["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]  # as cron counts them, from 0
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


class ScheduleSettings(Table):
    """How often GitHub starts what the workflows do; actioncast/cli/schedule.py writes the cron lines."""

    load_hours: ClockHours = 1
    forecast_hours: ClockHours = 6
    pages_days: tuple[Weekday, ...] = Field(default=("Mon", "Thu"), min_length=1)


class ApiSettings(Table):
    """Who may ask the API, how much and how often."""

    authentication: Literal["key", "platform"] = "key"
    reading: Literal["open", "key"] = "open"
    requests_per_minute: int = Field(default=600, ge=0)
    maximum_body_bytes: int = Field(default=65_536, ge=0)
    newness_seconds: float = Field(default=1, ge=0)


class Config(Table):
    """config.toml as a whole."""

    series: dict[SeriesName, SeriesSettings] = Field(min_length=1)
    train: TrainSettings = TrainSettings()
    retrain: RetrainSettings = RetrainSettings()
    freshness: FreshnessSettings = FreshnessSettings()
    state: StateSettings = StateSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    api: ApiSettings = ApiSettings()

    @model_validator(mode="after")
    def _policies_fit(self) -> Config:
        for name, series in self.series.items():
            try:
                retrain_policy(_over(self.retrain, series.retrain), series)
            except ValueError as error:
                raise ValueError(f"retrain, of the series {name}: {error}") from None
        return self


class Settings(Config):
    """Everything a script may ask for."""

    broken: dict[str, str] = Field(default={}, exclude=True)  # unusable rows of the table `series` -> reason
    environment: Environment = Field(default=Environment(), exclude=True)
    patience: Patience = Field(default=Patience(), exclude=True)
    folder: Path = Field(default=Path(), exclude=True)  # of config.toml: relative paths start here

    def series_id(self, name: str | None = None) -> str:
        """Return the series of this name; without one, the first table of config.toml.

        Raises SettingsError.
        """
        if name is None:
            return next(iter(self.series))
        if name in self.broken:
            raise SettingsError(f"the table series, {name}: {self.broken[name]}")
        if name not in self.series:
            names = shortened(", ".join(self.series))
            raise SettingsError(f"there is no series {name!r}; config.toml and the table series have: {names}")
        return name

    def train_of(self, series_id: str) -> TrainPolicy:
        """How this series is trained."""
        series = self.series[series_id]
        frequency = series.frequency
        table = _over(self.train, series.train)
        return TrainPolicy(
            history=(table.history or series.defaults.history).periods(frequency),
            backtest=(table.backtest or series.defaults.backtest).periods(frequency),
            candidates=table.candidates,
            coverage=table.coverage,
            quantiles=table.quantiles,
            budget=table.budget,
            gate=(table.gate or series.defaults.gate).periods(frequency),
            gate_margin=table.gate_margin,
            seed=table.seed,
            frequency=frequency,
        )

    def retrain_table(self, series_id: str) -> RetrainSettings:
        """The table [retrain] with what this series states itself."""
        return _over(self.retrain, self.series[series_id].retrain)

    def retrain_of(self, series_id: str) -> RetrainPolicy:
        """When this series is retrained."""
        return retrain_policy(self.retrain_table(series_id), self.series[series_id])

    def freshness_of(self, series_id: str) -> FreshnessPolicy:
        """How old the data, the forecast and the champion of this series may be."""
        series = self.series[series_id]
        frequency = series.frequency
        defaults = series.defaults
        table = _over(self.freshness, series.freshness)
        return FreshnessPolicy(
            source=(table.source or defaults.source).duration(frequency),
            actual=(table.actual or defaults.actual).duration(frequency),
            forecast=(table.forecast or defaults.forecast).duration(frequency),
            champion=(table.champion or defaults.champion).duration(frequency),
            coverage_window=(table.coverage_window or defaults.coverage_window).periods(frequency),
            coverage_tolerance=table.coverage_tolerance,
            look_hours=table.look_hours,
            bad_looks=table.bad_looks,
            frequency=frequency,
        )

    def model_directory(self, series_id: str) -> Path:
        """The folder of the champion of a series."""
        return self.folder / MODEL_FOLDER / series_id


AnyTable = TypeVar("AnyTable", bound=Table)


def _over(common: AnyTable, own: AnyTable) -> AnyTable:
    """The table of all series with what a series states itself over it."""
    return common.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def retrain_policy(table: RetrainSettings, series: SeriesSettings) -> RetrainPolicy:
    """The table in periods of a series. Raises ValueError where its figures do not fit each other."""
    frequency = series.frequency
    defaults = series.defaults
    window = (table.window or defaults.window).periods(frequency)
    minimum_scored = (table.minimum_scored or defaults.minimum_scored).periods(frequency)
    if table.minimum_scored is None:
        minimum_scored = min(minimum_scored, window)
    cooldown = timedelta(0)
    if table.cooldown != 0:
        cooldown = (table.cooldown or defaults.cooldown).duration(frequency)
    if table.bad_checks > table.of_checks:
        raise ValueError(f"bad_checks is {table.bad_checks}, more than of_checks = {table.of_checks}")
    if minimum_scored > window:
        raise ValueError(f"minimum_scored is {minimum_scored} {frequency.plural}, more than window = {window}")
    return RetrainPolicy(
        mode=table.mode,
        window=window,
        minimum_scored=minimum_scored,
        maximum_ratio_to_backtest=table.maximum_ratio_to_backtest,
        maximum_ratio_to_naive=table.maximum_ratio_to_naive,
        bad_checks=table.bad_checks,
        of_checks=table.of_checks,
        cooldown=cooldown,
        maximum_per_week=table.maximum_per_week,
        max_mae=table.max_mae,
        frequency=frequency,
    )


def shortened(text: str) -> str:
    """The text, cut where a message would get too long."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."

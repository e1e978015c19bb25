"""What the API answers, and the OpenAPI document that describes it.

Errors and values are in the series' unit, times in UTC, and an hour is named by its start.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from actioncast.api import keys, problems
from actioncast.forecasting.recipes import LONGEST_HORIZON

Quantiles = dict[str, float] | None
QUANTILES = Field(
    default=None,
    examples=[{"0.1": 11211.9, "0.5": 12020.0, "0.9": 12856.0}],
    description="level -> value, where config.toml asks for `quantiles`",
)


class Prediction(BaseModel):
    """The forecast of one hour."""

    prediction_date: AwareDatetime = Field(examples=["2022-03-04T03:00:00Z"])
    prediction: float = Field(examples=[12034.5])
    lower: float = Field(examples=[11211.9])
    upper: float = Field(examples=[12856.0])
    quantiles: Quantiles = QUANTILES


class Forecast(BaseModel):
    """One vintage: `origin` is the last hour the model knew, `issued_at` when it was made."""

    series: str = Field(examples=["bitcoin_transactions"])
    issued_at: AwareDatetime = Field(examples=["2022-03-04T03:17:00Z"])
    origin: AwareDatetime = Field(examples=["2022-03-04T02:00:00Z"])
    model_version: str = Field(examples=["20220301T01-73a7fcbe"])
    fallback: bool = Field(examples=[False], description="the champion could not forecast, and a naive did")
    fallback_reason: str | None = Field(examples=[None], description="why")
    hypothetical: bool = Field(default=False, examples=[False], description="made under assumptions, and not stored")
    predictions: list[Prediction]


LARGEST = 1e15  # of an assumed value: far beyond any unit, and its square is still a number
Value = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]


class Shift(BaseModel):
    """A change of a column's values ahead."""

    model_config = ConfigDict(extra="forbid")

    add: Value = Field(examples=[3.0], description="in the column's unit")


class Assumed(BaseModel):
    """What a hypothetical forecast assumes."""

    model_config = ConfigDict(extra="forbid")

    columns: dict[str, Shift | list[Value]] = Field(
        default={},
        examples=[{"temperature": {"add": 3.0}}],
        description="column known in the future -> a shift, or its values from the first forecast period on",
    )
    newest: list[Value] = Field(
        default=[],
        max_length=LONGEST_HORIZON,
        examples=[[11840.0, 12010.0]],
        description="values of the series after the stored ones",
    )


class ScoredPeriod(BaseModel):
    """What a user would have seen for a period, and how it turned out: null where that is not known."""

    prediction_date: AwareDatetime = Field(examples=["2022-03-04T03:00:00Z"])
    prediction: float = Field(examples=[12034.5])
    lower: float = Field(examples=[11211.9])
    upper: float = Field(examples=[12856.0])
    reality: float | None = Field(examples=[11840.0])
    absolute_error: float | None = Field(examples=[194.5])
    covered: bool | None = Field(examples=[True], description="reality lies inside lower..upper")
    naive_error: float | None = Field(
        examples=[612.0], description="error of the seasonal naive, as it stood when the forecast was issued"
    )
    issued_at: AwareDatetime = Field(examples=["2022-03-04T00:37:00Z"])
    lead: int = Field(examples=[4], description="periods from the last known one to this one")
    model_version: str = Field(examples=["20220301T01-73a7fcbe"])
    quantiles: Quantiles = QUANTILES
    fallback: str | None = Field(default=None, examples=[None], description="why a naive made this forecast")


class Summary(BaseModel):
    """Means over the scored periods of this page."""

    scored_periods: int = Field(examples=[48])
    mae: float | None = Field(examples=[371.8])
    naive_mae: float | None = Field(examples=[979.1])
    coverage: float | None = Field(examples=[0.79])
    crps: float | None = Field(examples=[251.3], description="continuous ranked probability score of the quantiles")
    wql: float | None = Field(examples=[0.021], description="weighted quantile loss")
    below: dict[str, float] | None = Field(
        examples=[{"0.1": 0.12, "0.5": 0.49, "0.9": 0.91}], description="share of values at or below each quantile"
    )


class Performance(BaseModel):
    """Forecast periods, ascending. `next_since` is where the next page begins, null on the last one."""

    series: str = Field(examples=["bitcoin_transactions"])
    unit: str = Field(examples=["transactions/h"])
    since: AwareDatetime = Field(examples=["2022-03-04T00:00:00Z"])
    until: AwareDatetime = Field(examples=["2022-03-11T00:00:00Z"])
    summary: Summary
    periods: list[ScoredPeriod]
    next_since: AwareDatetime | None = Field(examples=["2022-03-11T00:00:00Z"])


class StoredPeriod(BaseModel):
    """A period as it is stored."""

    period: AwareDatetime = Field(examples=["2022-03-04T03:00:00Z"], description="its start")
    value: float = Field(examples=[11840.0])
    set_aside: bool = Field(examples=[False], description="no training, forecast or score sees it")


class Reality(BaseModel):
    """Stored periods, ascending. `next_since` is where the next page begins, null on the last one."""

    series: str = Field(examples=["bitcoin_transactions"])
    unit: str = Field(examples=["transactions/h"])
    periods: list[StoredPeriod]
    next_since: AwareDatetime | None = Field(examples=["2022-03-11T00:00:00Z"])


class IssuedVintage(BaseModel):
    """A forecast that was issued: by its `issued_at` it can be asked for."""

    issued_at: AwareDatetime = Field(examples=["2022-03-04T03:17:00Z"])
    origin: AwareDatetime = Field(examples=["2022-03-04T02:00:00Z"], description="the newest period that it knew")
    periods: int = Field(examples=[168])
    model_version: str = Field(examples=["20220301T01-73a7fcbe"])
    fallback: bool = Field(examples=[False], description="the champion could not forecast, and a naive did")


class Vintages(BaseModel):
    """Forecasts of a series, newest first."""

    series: str = Field(examples=["bitcoin_transactions"])
    vintages: list[IssuedVintage]


class Annotation(BaseModel):
    """What somebody has noted about a moment; the charts show it."""

    series: str = Field(examples=["bitcoin_transactions"])
    noted_for: AwareDatetime = Field(examples=["2022-03-04T03:00:00Z"])
    note: str = Field(examples=["the exchange was closed"])
    noted_at: AwareDatetime = Field(examples=["2022-03-05T10:00:00Z"])


class Retrains(BaseModel):
    """What the rules of a policy say to the stored checks."""

    asked_for: list[AwareDatetime] = Field(examples=[["2022-03-02T06:00:00Z"]], description="when, ascending")
    bad: int = Field(examples=[5], description="checks that found the error too large")


class WhatIf(BaseModel):
    """The same checks under the series' own rules and under others."""

    series: str = Field(examples=["bitcoin_transactions"])
    checks: int = Field(examples=[360])
    own: Retrains
    other: Retrains
    sentence: str = Field(examples=["With 1.3 x the backtest, 2 of 3 checks: 4 retrains instead of 2, in 360 checks."])


class SeriesInfo(BaseModel):
    """A series of config.toml and what is stored of it."""

    series: str = Field(examples=["bitcoin_transactions"])
    title: str = Field(examples=["Bitcoin transactions entering the mempool"])
    unit: str = Field(examples=["transactions/h"])
    frequency: str = Field(examples=["1h"], description="how long a period is: 15min, 1h, 1D, 1W-MON, 1MS ...")
    timezone: str = Field(examples=["UTC"], description="whose days, weeks and months are meant")
    open: str | None = Field(examples=[None], description="opening times; null: always")
    horizon: int = Field(examples=[168], description="periods ahead that are forecast")
    newest_period: AwareDatetime | None = Field(examples=["2022-03-04T02:00:00Z"])
    issued_at: AwareDatetime | None = Field(examples=["2022-03-04T03:17:00Z"], description="of the newest forecast")
    model_version: str | None = Field(examples=["20220301T01-73a7fcbe"])


class Health(BaseModel):
    """Alive, and what it serves: null where there is no champion that can be read."""

    status: str = Field(examples=["ok"])
    revision: str | None = Field(examples=["6f1c2ab"], description="commit of the image, when it was built with one")
    model_version: str | None = Field(examples=["20220301T01-73a7fcbe"], description="of the first series")
    models: dict[str, str | None] = Field(
        examples=[{"bitcoin_transactions": "20220301T01-73a7fcbe"}], description="model version of each series"
    )


class Check(BaseModel):
    """One thing that serving needs."""

    name: str = Field(examples=["data"])
    series: str | None
    ok: bool
    detail: str = Field(examples=["newest hour 2022-03-04 02:00Z, over for 2 h, at most 24 h are allowed"])


class Readiness(BaseModel):
    """Ready when every check is ok."""

    ready: bool
    checks: list[Check]


def openapi_document(app: FastAPI, *, reading_needs_key: bool) -> dict[str, Any]:
    """The schema of all routes, with the shape of a problem, and without security where reading is open."""
    if app.openapi_schema:
        return app.openapi_schema
    schema = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
    )
    components = schema["components"]
    components["securitySchemes"] = keys.SCHEMES
    for model in (problems.Problem, Assumed):
        described = model.model_json_schema(ref_template="#/components/schemas/{model}")
        components["schemas"] |= described.pop("$defs")
        components["schemas"][model.__name__] = described
    if not reading_needs_key:
        for operations in schema["paths"].values():
            operations.get("get", {}).pop("security", None)
    app.openapi_schema = schema
    return schema

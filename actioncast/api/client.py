"""The deployed API, as the scheduled forecast asks it."""

from __future__ import annotations

from typing import Any

import requests
from pydantic import SecretStr

from actioncast.errors import ActioncastError

TIMEOUT_SECONDS = 120  # a cold start, and one forecast


class ServiceError(ActioncastError):
    """The deployed service did not forecast."""


def forecast(url: str, series_id: str, api_key: SecretStr | None) -> dict[str, Any]:
    """POST /forecast, which forecasts and stores. Returns its answer, as make_predictions.py --json prints it."""
    address = f"{url.rstrip('/')}/forecast"
    headers = {"X-API-Key": api_key.get_secret_value()} if api_key else {}
    try:
        answer = requests.post(address, params={"series": series_id}, headers=headers, timeout=TIMEOUT_SECONDS)
    except requests.RequestException as error:
        raise ServiceError(f"POST {address}: {type(error).__name__}; is API_URL right, and the service up?") from None
    if answer.status_code != 200:
        raise ServiceError(f"POST {address}: expected 200, got {answer.status_code} {answer.text[:300]}")
    report: dict[str, Any] = answer.json()
    return report

"""Client of the deployed API: lets it make the scheduled forecast."""

from __future__ import annotations

from typing import Any

import requests
from pydantic import SecretStr

from actioncast.errors import ActioncastError

TIMEOUT_SECONDS = 120  # a cold start, and one forecast
SHOWN_CHARACTERS = 300  # of an answer that is an error


class ServiceError(ActioncastError):
    """The deployed service did not forecast."""


def forecast(url: str, series_id: str, api_key: SecretStr | None) -> dict[str, Any]:
    """Ask for POST /forecast, which forecasts and stores. Returns what make_predictions.py --json
    prints.

    Raises ServiceError without an answer, or with another status than 200.
    """
    address = f"{url.rstrip('/')}/forecast"
    headers = {}
    if api_key:
        headers["X-API-Key"] = api_key.get_secret_value()
    try:
        answer = requests.post(
            address,
            params={"series": series_id},
            headers=headers,
            timeout=TIMEOUT_SECONDS,
        )
    except requests.RequestException as error:
        reason = type(error).__name__
        raise ServiceError(f"POST {address}: {reason}; is API_URL right, and the service up?") from None
    if answer.status_code != 200:
        text = answer.text[:SHOWN_CHARACTERS]
        raise ServiceError(f"POST {address}: expected 200, got {answer.status_code} {text}")
    report: dict[str, Any] = answer.json()
    return report

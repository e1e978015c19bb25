"""Pings to a dead man's switch: a service outside of GitHub that raises an alarm when a ping stays out.

GitHub's cron starts the watch as well as the job that it watches, so only somebody outside can tell
that neither runs. The address is the secret HEARTBEAT_URL: it is asked for on success, and with
/fail at its end on failure, as healthchecks.io and Better Stack understand it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from actioncast.github.alerts import outgoing


def ping(url: str, *, succeeded: bool, pauses: tuple[float, ...] = outgoing.PAUSES) -> None:
    """Raises OutgoingError, which does not show the address."""
    outgoing.send(url if succeeded else failure_url(url), pauses=pauses)


def failure_url(url: str) -> str:
    """The address that says that the job ran and failed."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + "/fail"
    return parts._replace(path=path).geturl()

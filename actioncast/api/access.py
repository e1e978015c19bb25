"""Who may read and who may write: dependencies of the routes, which raise 401 without a valid key.

The headers are read by hand. FastAPI's APIKeyHeader, HTTPBearer and HTTPBasic, as dependencies of
dependencies, took a third of a request's time.
"""

from __future__ import annotations

import base64

from fastapi import Request
from starlette.exceptions import HTTPException

from actioncast.api.state import state_of

BEARER = 'Bearer realm="actioncast"'
BASIC = 'Basic realm="Actioncast: any name, the API key as password", charset="UTF-8"'


async def writing(request: Request) -> None:
    """The caller may write.

    HTTP Basic does not count: a browser adds it also to requests that other sites cause.
    """
    _admit(request, _key(request), challenge=BEARER)


async def reading(request: Request) -> None:
    """The caller may read.

    A browser may send the key as the password of HTTP Basic, with any user name.
    """
    if not state_of(request).reading_needs_key:
        return
    wants_page = "text/html" in request.headers.get("accept", "")
    key = _key(request) or _basic_password(request)
    _admit(request, key, challenge=BASIC if wants_page else BEARER)


def _admit(request: Request, key: str | None, *, challenge: str) -> None:
    """Raise 401 unless the key is valid. Without keys in API_KEY everybody is admitted."""
    keys = state_of(request).keys
    if not keys:
        return
    if key is None or not keys.match(key):
        detail = "a key is needed: X-API-Key, or Authorization: Bearer"
        if key:
            detail = "this key is not valid"
        raise HTTPException(401, detail, {"WWW-Authenticate": challenge})


def _key(request: Request) -> str | None:
    return request.headers.get("x-api-key") or _credentials(request, "bearer")


def _basic_password(request: Request) -> str | None:
    """Password from HTTP Basic; an undecodable header counts as a wrong password."""
    credentials = _credentials(request, "basic")
    if credentials is None:
        return None
    try:
        user_and_password = base64.b64decode(credentials, validate=True).decode()
    except ValueError:
        return ""
    return user_and_password.partition(":")[2]


def _credentials(request: Request, scheme: str) -> str | None:
    """What follows the scheme in the header Authorization, None with another scheme."""
    header = request.headers.get("authorization", "")
    header_scheme, _, credentials = header.partition(" ")
    if header_scheme.lower() != scheme:
        return None
    return credentials.strip()

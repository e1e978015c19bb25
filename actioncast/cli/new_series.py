"""A new series from its file or URL: its bytes, its name, its address in config.toml, and the table put there."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from actioncast.database.database import open_database
from actioncast.errors import ActioncastError
from actioncast.ingestion import documents, spans, web
from actioncast.settings import Settings, SettingsError

LOOK = timedelta(days=30)  # asked of a URL with {start}, to see what it answers
TIMEOUT_SECONDS = 30.0
NAME = re.compile(r"[A-Za-z0-9_-]+")
COPIES = "data"  # folder beside config.toml


class NewSeriesError(ActioncastError):
    """The series cannot be added."""


def is_url(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def body_at(address: str, settings: Settings, now: datetime) -> bytes:
    """What a file or URL holds, unpacked. Raises NewSeriesError or SourceError."""
    if is_url(address):
        url = spans.filled(address, now - LOOK, now)
        client = web.Client(settings.environment.github_repository, settings.patience)
        body = client.get(url, timeout_seconds=TIMEOUT_SECONDS)
        return documents.unpacked(body, web.without_secrets(address))
    path = Path(address).expanduser()
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise NewSeriesError(f"{path}: {error.strerror}") from None
    if not packed.strip():
        raise NewSeriesError(f"{path} is empty")
    return documents.unpacked(packed, str(path))


def name_for(address: str, name: str | None, settings: Settings) -> str:
    """The name that was given, or one made of the address. Raises SettingsError for one that cannot be taken."""
    if name is None:
        path = urlsplit(address).path if is_url(address) else address
        stem = Path(path).name.partition(".")[0] or "series"
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_") or "series"
    if not NAME.fullmatch(name):
        raise SettingsError(f"--name {name!r}: expected letters, digits, _ and - only")
    if name in settings.series:
        raise SettingsError(f"there is a series {name!r} in config.toml already; say --name ANOTHER")
    return name


def refuse_stored(name: str, settings: Settings) -> None:
    """Raise NewSeriesError where hours of this name, or its settings, lie in the database: two series would mix."""
    with open_database(settings) as database:
        if name in database.series(only=name):
            raise NewSeriesError(f"the table series has a row {name!r}; say --name ANOTHER")
        if database.last_period(name) is not None:
            raise NewSeriesError(f"a series {name!r} is stored already; say --name ANOTHER")


def address_keys(address: str, form: str, settings: Settings, *, copies: bool) -> dict[str, Any]:
    """`kind` with `url` or `path`. A file is named from the folder of config.toml on, where it lies there."""
    if is_url(address):
        return {"kind": form, "url": address}
    path = Path(address).expanduser().resolve()
    if copies:
        path = settings.folder / COPIES / path.name
    if path.is_relative_to(settings.folder):
        return {"kind": "file", "path": path.relative_to(settings.folder).as_posix()}
    return {"kind": "file", "path": str(path)}


def copy_file(address: str, settings: Settings) -> None:
    """Copy the file to data/ beside config.toml. Raises NewSeriesError where another file has its name."""
    source = Path(address).expanduser().resolve()
    target = settings.folder / COPIES / source.name
    if target == source:
        return
    if target.exists() and target.read_bytes() != source.read_bytes():
        raise NewSeriesError(f"{target} is there already, with other content; rename one of the two")
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(source, target)


def append(config: Path, table: str) -> None:
    """Put the table at the end of config.toml, whose other bytes stay. Raises NewSeriesError; then nothing changes."""
    path = config.resolve()
    before = path.read_bytes()
    newline = b"\r\n" if b"\r\n" in before else b"\n"
    added = table.encode().replace(b"\n", newline)
    if before and not before.endswith(b"\n"):
        before += newline
    after = before + newline + added
    try:
        tomllib.loads(after.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NewSeriesError(f"{config} would be no valid TOML with the new table: {error}") from None
    _replace(path, after)


def _replace(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        shutil.copymode(path, draft)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise NewSeriesError(f"{path}: {error.strerror}") from None

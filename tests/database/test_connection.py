"""The URL and the engine: which database is opened, and what an error shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from actioncast.database.connection import DatabaseError, database_url
from actioncast.database.database import open_database
from actioncast.settings import SettingsError
from tests.support.clock import at
from tests.support.rows import hours, load, opening_error, settings_for
from tests.support.temp_postgres import TempPostgres


def test_without_a_url_there_is_a_sqlite_file_beside_the_config(tmp_path: Path) -> None:
    settings = settings_for("").model_copy(update={"folder": tmp_path})
    with open_database(settings) as opened:
        assert opened.last_period("a") is None
    assert (tmp_path / "actioncast.db").exists()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:p@h:1/d", "postgresql+psycopg2://u:p@h:1/d"),
        ("postgresql://u:p@h/d?sslmode=require", "postgresql+psycopg2://u:p@h/d?sslmode=require"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg2://u:p@h/d"),
        ("  sqlite:////tmp/a.db\n", "sqlite:////tmp/a.db"),
    ],
)
def test_the_driver_is_chosen_here(url: str, expected: str) -> None:
    assert database_url(settings_for(url)).render_as_string(hide_password=False) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3cret", "DATABASE_URL is not a URL such as postgresql://user:password@host:5432/name"),
        ("postgresql://u:p@h:s3cret/d", "DATABASE_URL is not a URL such as"),
        ("postgresql://u:p@s3cret@h/d", r"DATABASE_URL has more than one @; .*percent-encoded \(@ is %40\)"),
        ("mysql://u:s3cret@h/d", "DATABASE_URL: expected postgresql:// or sqlite:///, got mysql://"),
    ],
)
def test_a_url_that_cannot_be_used_is_not_shown(url: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=expected) as caught:
        database_url(settings_for(url))
    assert "s3cret" not in str(caught.value)


def test_a_wrong_password_is_not_shown(postgres: TempPostgres) -> None:
    url = postgres.new_database(password="right")
    with open_database(settings_for(url)):
        pass
    message = opening_error(url.replace("right", "s3cret"))
    assert "password authentication failed" in message
    assert "s3cret" not in message


def test_a_password_with_special_characters(postgres: TempPostgres) -> None:
    url = postgres.new_database(password="p@ss/w:rd?#% é")
    assert "%40" in url
    with open_database(settings_for(url)) as opened:
        assert "w:rd" not in opened.address


def test_a_password_in_the_query_is_not_shown() -> None:
    assert "s3cret" not in opening_error("postgresql://127.0.0.1:9/d?user=u&password=s3cret")


def test_a_server_that_is_not_there_is_named() -> None:
    message = opening_error("postgresql://u:s3cret@127.0.0.1:9/d")
    assert message.startswith("postgresql+psycopg2://u:***@127.0.0.1:9/d: connection to server")
    assert "refused" in message


def test_a_server_that_goes_away_and_comes_back(postgres: TempPostgres) -> None:
    with open_database(settings_for(postgres.new_database())) as opened:
        load(opened, hours(1))
        postgres.stop()
        try:
            with pytest.raises(DatabaseError, match="refused"):
                opened.last_period("a")
        finally:
            postgres.start()
        assert opened.last_period("a") == at(0)


def test_too_many_readers_at_once_wait_and_then_fail(postgres: TempPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actioncast.database.connection.CONNECT_TIMEOUT_SECONDS", 1)
    with open_database(settings_for(postgres.new_database())) as opened:
        taken = [opened.engine.connect() for _ in range(2)]
        with pytest.raises(DatabaseError, match="TimeoutError: QueuePool limit of size 2 overflow 0 reached"):
            opened.last_period("a")
        for connection in taken:
            connection.close()
        assert opened.last_period("a") is None


def test_a_sqlite_file_whose_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert opening_error(f"sqlite:///{tmp_path}/file/a.db").endswith("cannot make its folder: File exists")
    assert "cannot make its folder" in opening_error(f"sqlite:///{tmp_path}/file/b/a.db")


def test_a_sqlite_file_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database" * 100)
    assert "file is not a database" in opening_error(f"sqlite:///{tmp_path}/a.db")
    assert "unable to open database file" in opening_error(f"sqlite:///{tmp_path}")

from __future__ import annotations

from pathlib import Path

import psycopg2
import pytest

from tests import temp_postgres
from tests.temp_postgres import HOW_TO_GET_IT, PostgresMissingError, TempPostgres, binaries


def test_databases_are_empty_and_apart(postgres: TempPostgres) -> None:
    first, second = postgres.new_database(), postgres.new_database()
    assert first != second
    connection = psycopg2.connect(second)
    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from information_schema.tables where table_schema = 'public'")
        assert cursor.fetchone() == (0,)
    connection.close()


def test_without_binaries_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PGTEST_BINDIR", raising=False)
    monkeypatch.setattr(temp_postgres, "INSTALLED", ())
    with pytest.raises(PostgresMissingError) as caught:
        binaries()
    assert str(caught.value) == HOW_TO_GET_IT


def test_the_named_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("initdb", "postgres"):
        (tmp_path / name).touch()
    monkeypatch.setenv("PGTEST_BINDIR", str(tmp_path))
    assert binaries() == tmp_path


def test_nothing_is_left_behind(postgres: TempPostgres) -> None:
    with TempPostgres() as server:
        folder, url = server.folder, server.new_database()
        assert folder.exists()
    assert not folder.exists()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(url)


def test_a_program_that_fails_is_quoted(postgres: TempPostgres) -> None:
    with pytest.raises(RuntimeError, match="createdb failed: .*already exists"):
        postgres._client("createdb", "postgres")

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.support import temp_postgres
from tests.support.temp_postgres import HOW_TO_GET_IT, PostgresMissingError, TempPostgres, binaries


def test_databases_are_empty_and_apart(postgres: TempPostgres) -> None:
    first, second = postgres.new_database(), postgres.new_database()
    assert first != second
    assert answer(first, "create table t as select 1 as a; select a from t") == 1
    assert answer(second, "select count(*) from information_schema.tables where table_schema = 'public'") == 0


def answer(url: str, query: str) -> object:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))
    try:
        with engine.begin() as connection:
            return connection.scalar(text(query))
    finally:
        engine.dispose()


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
    with pytest.raises(OperationalError, match="refused"):
        answer(url, "select 1")


def test_a_program_that_fails_is_quoted(postgres: TempPostgres) -> None:
    with pytest.raises(RuntimeError, match=r"createdb failed: .*already exists"):
        postgres._client("createdb", "postgres")

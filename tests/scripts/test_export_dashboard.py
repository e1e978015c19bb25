"""export_dashboard.py: the page as files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import export_dashboard
from actioncast.database.database import open_database
from tests.support.serving import KEY, NOW, SERIES, client_of, fill, settings_in


def test_the_export_links_its_series_and_holds_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    fill(made)
    text = (tmp_path / "config.toml").read_text(encoding="utf-8")
    second = f"[series.other]\nunit = 'x'\nsource = {{ kind = 'file', path = 'none.csv' }}\n{text}"
    (tmp_path / "config.toml").write_text(second, encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'test.db'}")
    monkeypatch.setenv("API_KEY", KEY)
    flags = ["--config", str(tmp_path / "config.toml"), "--output", str(tmp_path / "out"), "--json"]
    assert export_dashboard.main(flags) == 0
    written = json.loads(capsys.readouterr().out)
    assert sorted(written["files"]) == sorted(
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()
    )
    assert f'href="{SERIES}.html"' in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    page = (tmp_path / "out" / f"{SERIES}.html").read_text(encoding="utf-8")
    assert 'aria-current="page">A wave' in page
    assert KEY not in page
    assert "openapi.json" not in page


def test_the_export_holds_the_forecast_as_the_api_answers_it(tmp_path: Path) -> None:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    fill(made)
    with client_of(made) as client:
        answered = client.post("/forecast").json()
    with open_database(made) as database:
        export_dashboard.run(made, database, NOW, folder=tmp_path / "out")
    assert json.loads((tmp_path / "out" / f"{SERIES}.json").read_text(encoding="utf-8")) == answered
    assert f'href="{SERIES}.json"' in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")

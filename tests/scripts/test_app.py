"""app.py: when it starts, and when it refuses to."""

from __future__ import annotations

from pathlib import Path

import pytest

import app
from actioncast.settings import SettingsError
from tests.support.serving import (
    settings_in,
)


@pytest.mark.parametrize("variable", [{"K_SERVICE": "actioncast"}, {"ENVIRONMENT": "production"}])
def test_production_without_a_key_does_not_start(tmp_path: Path, variable: dict[str, str]) -> None:
    settings = settings_in(tmp_path, "sqlite://", **{**variable, "API_KEY": " , "})
    with pytest.raises(SettingsError, match="API_KEY"):
        app.create_app(settings)


def test_production_with_a_short_key_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="5 characters"):
        app.create_app(settings_in(tmp_path, "sqlite://", K_SERVICE="x", API_KEY="abcde"))


def test_production_may_rely_on_the_platform_when_told(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "sqlite://", api='authentication = "platform"', K_SERVICE="x", API_KEY="")
    app.create_app(settings)


def test_main_refuses_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings_in(tmp_path, "sqlite://")
    monkeypatch.setenv("ACTIONCAST_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("ENVIRONMENT", "production")
    assert app.main([]) == 2
    assert "API_KEY" in capsys.readouterr().err


def test_importing_makes_no_application_until_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_in(tmp_path, "sqlite://")
    monkeypatch.setenv("ACTIONCAST_CONFIG", str(tmp_path / "config.toml"))
    assert "app" not in vars(app)
    assert app.app.title == "Actioncast"
    with pytest.raises(AttributeError):
        app.nothing  # noqa: B018

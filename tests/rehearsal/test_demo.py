"""What rehearse.py leaves in demo/."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from actioncast.database.database import open_database
from actioncast.rehearsal import demo
from tests.support.clock import at
from tests.support.serving import SERIES, load, settings_in, wave


def test_a_demo_that_was_never_made_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(demo.DemoError, match=r"rehearse\.py"):
        demo.demo_settings(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql://the-users-own")
    with open_database(settings_in(tmp_path, f"sqlite:///{tmp_path / 'actioncast.db'}")) as database:
        shown = demo.demo_settings(tmp_path)
        with pytest.raises(demo.DemoError, match="stored nothing"):
            demo.last_moment(shown)
        load(database, wave(at(-5), 5), at(0))
    assert demo.last_moment(shown) == datetime(2022, 3, 4, tzinfo=UTC)
    assert shown.model_directory(SERIES).is_relative_to(tmp_path)

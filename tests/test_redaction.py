"""Secrets by value and by shape."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from actioncast.redaction import masked, secret_values, without_secrets


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("sqlite:////home/me@work/m.db", "sqlite:////home/me@work/m.db"),
        ("http://host:5000/team@x/", "http://host:5000/team@x/"),
        ("https://ann:p%40ss@host/x?token=t", "https://host/x"),
        ("postgresql+psycopg2://u:p/a@s?s@host:5432/db?sslmode=require", "postgresql+psycopg2://host:5432/db"),
        ("mlruns", "mlruns"),
    ],
)
def test_uri_is_shown_without_secrets(uri: str, shown: str) -> None:
    assert without_secrets(uri) == shown


@pytest.mark.parametrize("password", ["ab", "p%40ss", "a:b"])
def test_password_is_masked_as_written_and_as_decoded(password: str) -> None:
    secrets = secret_values(f"postgresql://u:{password}@host/db", {"MY_TOKEN": "abcdef", "SHORT_TOKEN": "1"})
    assert masked(f"<{password}> <{unquote(password)}> <abcdef> <1>", secrets) == "<***> <***> <***> <1>"


def test_the_longest_secret_is_masked_first() -> None:
    assert masked("a token-long and a token", ["token", "token-long"]) == "a *** and a ***"

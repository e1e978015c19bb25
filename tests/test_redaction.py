"""Secrets by value and by shape."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, unquote

import pytest

from actioncast.redaction import (
    environment_secrets,
    masked,
    redacted,
    secret_values,
    without_secrets,
)

# A token of a GitHub App since May 2026: ghs_APPID_JWT, about 520 characters, with `.` and `-`.
HEADER = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"
APP_TOKEN = f"ghs_1234567_{HEADER}.{'eyJpc3MiOi-_' * 12}.{'Zm9yZWNhc3-_' * 26}end"


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


@pytest.mark.parametrize("password", ["abcd", "p%40ss", "a:bc"])
def test_password_is_masked_as_written_and_as_decoded(password: str) -> None:
    secrets = secret_values(f"postgresql://u:{password}@host/db", {"MY_TOKEN": "abcdef", "SHORT_TOKEN": "1"})
    assert masked(f"<{password}> <{unquote(password)}> <abcdef> <1>", secrets) == "<***> <***> <***> <1>"


def test_the_longest_secret_is_masked_first() -> None:
    assert masked("a token-long and a token", ["token", "token-long"]) == "a *** and a ***"


@pytest.mark.parametrize("around", ["{}", "token {} refused", "https://x:{}@host/", '{{"token": "{}"}}', "Bearer {},"])
def test_a_token_of_github_leaves_no_tail(around: str) -> None:
    assert len(APP_TOKEN) > 500
    text = redacted(around.format(APP_TOKEN))
    for part in APP_TOKEN.removeprefix("ghs_").split("."):
        assert part not in text
    assert "end" not in text


@pytest.mark.parametrize("prefix", ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"])
def test_every_kind_of_token_is_seen(prefix: str) -> None:
    assert redacted(f"got {prefix}{'a1B2' * 9}") == "got ***"


SECRET = 'p/ä+s&w"rd=1'


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"u:{SECRET}".encode()).decode(),
        base64.b64encode(f"me:{SECRET} and more".encode()).decode(),
        base64.urlsafe_b64encode(f"app:{SECRET}".encode()).decode(),
    ],
)
def test_a_value_is_masked_however_it_is_written(written: str) -> None:
    assert masked(f"<{written}>", [SECRET]) in ("<***>", '<"***">')


def test_a_value_of_three_characters_stays_since_it_would_shred_the_text() -> None:
    assert masked("one one-off", ["one"]) == "one one-off"


def test_a_long_line_that_looks_like_base64_is_read_once() -> None:
    line = "x" * 1_000_000
    assert masked(line, ["a secret value"]) == line


def test_the_secrets_of_a_job_are_those_of_the_project_those_config_names_and_those_called_so() -> None:
    variables = {
        "DATABASE_URL": "postgresql://app:hunter2@db/x",
        "WEBHOOK_URL": "https://hooks.example.com/T0/B0/xyz",
        "FEED": "abcd-efgh",
        "LOCAL": "not-named",
        "MY_API_KEY": "123456",
        "HOME": "/home/me",
        "API_KEY": "new-key, old-key",
    }
    config = 'headers = { X-Feed = "$FEED" }'
    assert environment_secrets(variables, config) == [
        "postgresql://app:hunter2@db/x",
        "app:hunter2",
        "hunter2",
        "new-key",
        "old-key",
        "https://hooks.example.com/T0/B0/xyz",
        "abcd-efgh",
        "123456",
    ]


def test_the_token_of_a_header_is_secret_by_itself() -> None:
    assert environment_secrets({"SOURCE_TOKEN": "Bearer abc-def"}) == ["Bearer abc-def", "abc-def"]


def test_the_path_of_a_sqlite_file_is_no_secret() -> None:
    assert environment_secrets({"DATABASE_URL": "sqlite:////home/me/actioncast.db"}) == []

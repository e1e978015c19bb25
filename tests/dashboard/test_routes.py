"""The page from outside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.serving import client_of, fill, settings_in


def test_the_page_of_the_api_is_compressed_and_its_assets_are_kept(tmp_path: Path) -> None:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    fill(made)
    with client_of(made, key=None) as client:
        page = client.get("/")
        assert page.headers["content-encoding"] == "gzip"
        assert client.head("/").status_code == 200
        assert "noindex" not in page.text
        for name in set(re.findall(r'(?:href|src)="(assets/[^"]+)"', page.text)):
            asset = client.get(f"/{name}")
            assert asset.status_code == 200, name
            assert "immutable" in asset.headers["cache-control"]
        plain = client.get("/assets/dashboard.css", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert client.get("/assets/nope.js").status_code == 404
        assert client.get("/", params={"series": "nope"}).status_code == 404


HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/?series=nope", 404, "nope"),
        ("/nowhere/at/all", 404, "Not Found"),
        ("/performance?limit=0", 422, "limit"),
        ("/model", 503, "train.py"),
    ],
)
def test_a_browser_gets_problems_as_pages_and_a_program_as_json(
    tmp_path: Path, address: str, status: int, said: str
) -> None:
    with client_of(settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")) as client:
        page = client.get(address, headers=HTML)
        answer = client.get(address)
    assert (page.status_code, answer.status_code) == (status, status)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert said in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_a_page_without_a_database_says_so_and_tries_again(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
    with client_of(settings) as client:
        page = client.get("/", headers=HTML)
        headless = client.head("/", headers=HTML)
    assert page.status_code == 503
    assert page.headers["retry-after"] == "5"
    assert "the database does not answer" in page.text.lower()
    assert 'http-equiv="refresh" content="5"' in page.text
    assert "127.0.0.1" not in page.text
    assert (headless.status_code, headless.content) == (503, b"")


def test_a_page_below_a_folder_finds_its_style(tmp_path: Path) -> None:
    with client_of(settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")) as client:
        text = client.get("/a/b/c", headers=HTML).text
    assert 'href="../../assets/dashboard.css' in text

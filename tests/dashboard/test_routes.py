"""The page from outside."""

from __future__ import annotations

import re
from pathlib import Path

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

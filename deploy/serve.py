"""Serve, in the container: the API on $PORT, with the bundled example where there is no database.

    python -m deploy.serve

With DATABASE_URL (or ACTIONCAST_CONFIG) it does what `python app.py` does, with config.toml and the champions in
model/. Without, it serves a copy of example/, which the image build has made, as of the example's last moment. SIGTERM
ends it with exit code 0.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

import app
from actioncast.config import load_settings
from actioncast.rehearsal import demo

EXAMPLE = Path(__file__).resolve().parent.parent / "example"
CONFIGURING = ("DATABASE_URL", "URI", "ACTIONCAST_CONFIG", "K_SERVICE")  # with one of these, no example
EVERYWHERE = "0.0.0.0"  # noqa: S104 (in the container's own network)


def copy_of_example() -> Path:
    """A writable folder with the example's config.toml, database and champion."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="actioncast-")) / "example"
        shutil.copytree(EXAMPLE, folder)
    except OSError as error:
        remedy = "without DATABASE_URL the example needs a writable /tmp (docker run --tmpfs /tmp)"
        sys.exit(f"error: {remedy}: {error}")
    return folder


def serve_example() -> int:
    """Serve the example, with a clock that stands still; it never writes to a real database."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.warning("DATABASE_URL is not set: this is the bundled example, and what it stores is lost at the end")
    settings = load_settings(copy_of_example() / "config.toml")
    last_moment = demo.last_moment(settings)
    port = int(os.environ.get("PORT") or 8080)
    app.serve(app.create_app(settings, lambda: last_moment), host=EVERYWHERE, port=port)
    return 0


def main() -> int:
    is_configured = any(os.environ.get(name) for name in CONFIGURING)
    if is_configured or not EXAMPLE.is_dir():
        return app.main(["--host", EVERYWHERE])
    return serve_example()


if __name__ == "__main__":
    sys.exit(main())

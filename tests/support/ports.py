"""A port for a server that a test starts as a process of its own."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port of loopback that nobody listens to now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

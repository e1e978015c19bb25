"""Tests marked `template` are about files as the template ships them, README and config.toml among them.

In a copy whose user has made config.toml their own they say nothing, so they are left out there, and
the summary says so. With --template nothing may be left out or skipped.
"""

from __future__ import annotations

import pytest

from tests.support.checkout import CONFIG, ROOT

LEFT_OUT = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "this is the template repository: a test that is left out or skipped is a failure"
    parser.addoption("--template", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "template: is about files as the template ships them")
    config.stash[LEFT_OUT] = 0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about shipped files where they are not as shipped."""
    if config.getoption("--template") or config_is_shipped():
        return
    left_out = [item for item in items if item.get_closest_marker("template")]
    config.stash[LEFT_OUT] = len(left_out)
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def config_is_shipped() -> bool:
    return (ROOT / "config.toml").read_bytes() == CONFIG.read_bytes()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skipped test of the template repository is a failure."""
    if session.config.getoption("--template") and skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, and why; or that nothing may be skipped here."""
    count = config.stash[LEFT_OUT]
    if count:
        reason = "config.toml is not the one of the template (tests/fixtures/config.toml)"
        terminalreporter.write_line(f"{count} tests of files as the template ships them were left out: {reason}")
    if config.getoption("--template") and skipped(config):
        terminalreporter.write_line(f"{skipped(config)} tests were skipped, which --template forbids", red=True)


def skipped(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", [])) if reporter else 0

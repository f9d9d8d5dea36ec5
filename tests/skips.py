"""`--fail-on-skip`: in CI a test that did not run is a failure, unless its reason is one that pyproject.toml allows.

Law: a suite that skips what it can't do proves nothing; so each allowed reason is written down and printed.
"""

from typing import Final

import pytest

_OPTION: Final = "--fail-on-skip"
_ALLOWED: Final = "allowed_skips"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_OPTION, action="store_true", help=f"fail when a test skips for a reason not in {_ALLOWED}")
    parser.addini(_ALLOWED, type="linelist", help="texts that the reason of an expected skip begins with")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Judge where all reports come together: in xdist's controller, or in the only process."""
    if config.getoption(_OPTION) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_SkipGate(tuple(config.getini(_ALLOWED))))


class _SkipGate:
    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._allowed = allowed
        self._unexpected: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._judge(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._judge(report)

    def _judge(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            reason = reason.removeprefix("Skipped: ")
            if not reason.startswith(self._allowed):
                self._unexpected.append(f"{report.nodeid}: {reason}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._unexpected and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._unexpected:
            terminalreporter.section("skipped, but must run here", red=True)
            for line in self._unexpected:
                terminalreporter.line(line)

"""The gate that makes CI fail when tests do not run."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

_SUITE = """
import pytest

def test_runs():
    pass

@pytest.mark.skip(reason="{reason}")
def test_does_not_run():
    pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\nallowed_skips =\n    RINGFENCE_SCHEMAS is not set\n")
    pytester.makeconftest((Path(__file__).parents[1] / "skips.py").read_text())
    return pytester


@pytest.mark.parametrize(
    ("reason", "options", "failed"),
    [
        ("no time", [], False),
        ("no time", ["--fail-on-skip"], True),
        ("no time", ["--fail-on-skip", "-n1"], True),
        ("RINGFENCE_SCHEMAS is not set: elsewhere", ["--fail-on-skip"], False),
    ],
)
def test_only_a_skip_without_an_allowed_reason_fails_the_run(
    suite: pytest.Pytester, reason: str, options: list[str], failed: bool
) -> None:
    """The same suite passes without the option, and with a reason that is written down."""
    suite.makepyfile(_SUITE.format(reason=reason))
    result = suite.runpytest_subprocess("-p", "no:cacheprovider", *options)
    result.assert_outcomes(passed=1, skipped=1)
    assert result.ret == (pytest.ExitCode.TESTS_FAILED if failed else pytest.ExitCode.OK)
    if failed:
        result.stdout.fnmatch_lines(["*skipped, but must run here*", f"*test_does_not_run: {reason}"])


def test_a_whole_file_that_skips_itself_fails_the_run(suite: pytest.Pytester) -> None:
    """Skipping at import hides all tests of a file at once; the gate sees it."""
    suite.makepyfile("import pytest\npytest.skip('not today', allow_module_level=True)\n")
    result = suite.runpytest_subprocess("-p", "no:cacheprovider", "--fail-on-skip")
    result.stdout.fnmatch_lines(["*not today"])
    assert result.ret != pytest.ExitCode.OK

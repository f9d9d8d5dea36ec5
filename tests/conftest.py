"""Fixtures for every folder of tests."""

import os
import signal
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run and however slow the machine is: a new counterexample is no reason to refuse a change
# that has nothing to do with it. New ones are looked for by `pytest --hypothesis-profile=explore tests/laws`.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeat", settings.get_profile("explore"), derandomize=True, database=None)
settings.load_profile("repeat")

# Garbage of programs in Go is collected twenty times less often: their CPU is what tests wait for, not their memory.
# Installing Ringfence on a new API server costs it 6.3 s of CPU instead of 7.4 with 400, and 8.6 with 100, the default.
GARBAGE_COLLECTION: Final = os.environ.setdefault("GOGC", "2000")

# A shell starts background jobs with SIGINT ignored, which processes that tests start and interrupt would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits for an API server: what is quick fills the workers' time at the end."""
    items.sort(key=lambda item: item.get_closest_marker("apiserver") is None)


pytest_plugins = ["tests.rights_used", "tests.controlplane_fixtures", "tests.installed", "tests.skips"]

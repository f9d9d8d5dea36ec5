"""Fixtures for every folder of tests."""

import os
import signal
from typing import Final

from hypothesis import HealthCheck, settings

# The same examples in every run and however slow the machine is: a new counterexample is no reason to refuse a change
# that has nothing to do with it. New ones are looked for by `pytest --hypothesis-profile=explore tests/laws`.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeat", settings.get_profile("explore"), derandomize=True, database=None)
settings.load_profile("repeat")

# Garbage of programs in Go is collected four times less often: their CPU is what the tests wait for, not their memory.
# Installing Ringfence on a new API server costs it 7.2 s of CPU instead of 8.6 (and 570 MB instead of 340).
GARBAGE_COLLECTION: Final = os.environ.setdefault("GOGC", "400")

# A shell starts background jobs with SIGINT ignored, which processes that tests start and interrupt would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.rights_used", "tests.controlplane_fixtures", "tests.skips"]

"""Fixtures for every folder of tests."""

import signal

# A shell starts background jobs with SIGINT ignored, which processes that tests start and interrupt would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.rights_used", "tests.controlplane_fixtures", "tests.skips"]

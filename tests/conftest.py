"""Fixtures for every folder of tests."""

pytest_plugins = ["tests.controlplane_fixtures", "tests.skips"]

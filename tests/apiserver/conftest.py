"""Fixtures for tests on the real API server."""

import pytest

from ringfence.controlplane import ControlPlane
from tests.dry_run import DryRun


@pytest.fixture(scope="module")
def dry_run(controlplane: ControlPlane, crds: list[str]) -> DryRun:
    """Ask the API server about an object without storing it: `dry_run(manifest).accepted`."""
    assert crds
    return DryRun(controlplane.admin_kubeconfig)

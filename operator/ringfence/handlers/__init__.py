"""The way in: kopf watches our four kinds, and every event means no more than "look again"."""

import sys

_GENERATED_CLIENT = "kubernetes"

# Where the generated client is installed, kopf imports all of it to know two of its classes: a quarter of what starting
# costs, in CPU and in memory. No object of these classes ever meets kopf here, which does as well without.
if _GENERATED_CLIENT not in sys.modules:
    sys.modules[_GENERATED_CLIENT] = None  # type: ignore[assignment]
    try:
        import kopf  # noqa: F401
    finally:
        del sys.modules[_GENERATED_CLIENT]

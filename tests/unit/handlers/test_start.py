"""What starting the operator loads."""

import subprocess
import sys


def test_the_operator_starts_without_the_generated_client() -> None:
    """It is a quarter of what a start costs, and the command line still finds it when it asks for it itself."""
    code = "import ringfence.cli.operator, sys; print('kubernetes' in sys.modules); import kubernetes.client"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]

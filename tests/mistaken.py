"""`ringfence` with a mistake in what it renders, which the linter lets pass and Envoy refuses.

Nobody knows of such a mistake: this one is planted, for tenants whose gateway takes `WRONG` requests a minute.
"""

from typing import Any, Final

from ringfence.gateway import files, upstreams
from ringfence.gateway.served import Gateway

WRONG: Final = 666


def clusters(gateway: Gateway) -> list[dict[str, Any]]:
    """All clusters; one of them waits for less than no time."""
    first, *others = upstreams.clusters(gateway)
    mistaken = {**first, "connect_timeout": "-1s"} if gateway.requests_per_minute == WRONG else first
    return [mistaken, *others]


if __name__ == "__main__":
    from ringfence.cli import main

    vars(files)["clusters"] = clusters
    main()

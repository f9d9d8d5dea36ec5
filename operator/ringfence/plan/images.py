"""Which images a gateway's pods run: settings of the installation, whose repositories admission pins."""

from dataclasses import dataclass
from typing import Final

from ringfence import __version__, names

ENVOY: Final = "1.40.0"
"""The release of Envoy that configurations are rendered for and tested with."""


@dataclass(frozen=True, slots=True)
class Images:
    """Image references with a tag or a digest."""

    gateway: str = f"{names.GATEWAY_REPOSITORY}:distroless-v{ENVOY}"
    collector: str = f"{names.COLLECTOR_REPOSITORY}:{__version__}"

    @property
    def repositories(self) -> tuple[str, str]:
        """The same without tags and digests: an update of either needs no other policy."""
        return repository(self.gateway), repository(self.collector)


SHIPPED: Final = Images()


def repository(image: str) -> str:
    """The reference without tag and digest; a colon before the last slash is a registry's port."""
    named = image.partition("@")[0]
    host, slash, last = named.rpartition("/")
    return host + slash + last.partition(":")[0]

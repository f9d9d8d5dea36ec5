"""What pods find on this machine in place of a cluster."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Self

NODE = "ringfence-node"


@dataclass(frozen=True)
class Machine:
    """Programs instead of images, and addresses of this machine instead of other hosts."""

    programs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What an image starts with, by the last part of its repository: `envoy` for `docker.io/envoyproxy/envoy:v1`."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files of the images that are others here: path in the container, path on this machine."""
    outside: Mapping[str, str] = field(default_factory=dict)
    """Where pods can connect to: `host:port` as they say it, `address:port` where that is. Nowhere else."""
    spared: Sequence[str] = ()
    """Namespaces whose pods are left alone, whatever their images."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What images set."""

    def entrypoint(self, image: str) -> Sequence[str] | None:
        """What a container of this image starts with; None where nothing here stands for it."""
        return self.programs.get(image.rpartition("/")[2].partition("@")[0].partition(":")[0])

    def to_json(self) -> str:
        """This as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote."""
        return cls(**json.loads(text))

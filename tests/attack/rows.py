"""What a row of the attack table is, and short ways to write requests.

Law: a row is data. Its attack differs from its twin in the one thing that its rule is about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.attack.asking import Request, Who

Ask = tuple[Who, Request]


@dataclass(frozen=True)
class Row:
    """An attack that one rule refuses, and what differs in one thing and is allowed."""

    title: str
    rule: str
    """The id of a validation, with which the refusal begins."""
    attack: Ask
    twin: Ask
    personal: bool = False
    """Whether it is about who asks; other rows are sent as a GitOps account with every right, too."""
    backed: bool = False
    """Whether something else than a policy of ours refuses it as well, once the rule is gone."""

    @property
    def id(self) -> str:
        """For reports."""
        return f"{self.rule}: {self.title}"


def namespace(name: str, subresource: str = "") -> str:
    """The path of a core namespace."""
    return f"/api/v1/namespaces/{name}" + (f"/{subresource}" if subresource else "")


def core(where: str, plural: str, name: str = "") -> str:
    """A path in the core group."""
    return f"/api/v1/namespaces/{where}/{plural}" + (f"/{name}" if name else "")


def group(api: str, where: str, plural: str, name: str = "") -> str:
    """A path in another group; cluster-scoped where ``where`` is empty."""
    scope = f"namespaces/{where}/" if where else ""
    return f"/apis/{api}/{scope}{plural}" + (f"/{name}" if name else "")


def ours(where: str, plural: str, name: str = "") -> str:
    """A path of our own kinds."""
    return group("ringfence.dev/v1alpha1", where, plural, name)


def labelled(**labels: str | None) -> dict[str, Any]:
    """The merge patch that sets labels; two underscores stand for ``ringfence.dev/``."""
    return {"metadata": {"labels": {key.replace("__", "ringfence.dev/"): value for key, value in labels.items()}}}


def named(name: str, body: Mapping[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A manifest without kind, which the path tells."""
    return {"metadata": {"name": name, **metadata}, **(body or {})}


ANY_CHANGE: Final = {"metadata": {"labels": {"team": "search"}}}
RBAC: Final = "rbac.authorization.k8s.io/v1"
NETWORKING: Final = "networking.k8s.io/v1"

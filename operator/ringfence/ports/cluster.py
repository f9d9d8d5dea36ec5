"""What the engine may ask of a Kubernetes API server, and the ways in which that fails.

Law: an error says what to do next (wait, look again, give up), never how the transport failed.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from ringfence.gateway.served import Issuer
from ringfence.model.kinds import Ref, ResourceType
from ringfence.plan.seen import Existence

Object: TypeAlias = Mapping[str, Any]
"""A Kubernetes object as the API server sent it."""


class ClusterError(Exception):
    """A call that did not succeed. ``message`` is the API server's own, or says what was not reached."""

    def __init__(self, message: str, *, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        """The HTTP status; 0 where no answer came."""
        self.retry_after = retry_after
        """Seconds that the API server asked to wait, where it did."""


class UnreachableError(ClusterError):
    """No answer, or one that speaks of the server's own trouble (5xx): a write may or may not have happened."""


class ThrottledError(ClusterError):
    """The API server asked to slow down (429): nothing happened."""


class ConflictError(ClusterError):
    """The object is not what the caller believed (409, or a precondition): look again."""


class NotFoundError(ClusterError):
    """The object, its namespace or its whole type is not there (404)."""


class RefusedError(ClusterError):
    """The API server understood and said no (400, 403, 422): asking again will not help by itself."""


class NotJudgedError(RefusedError):
    """An admission policy could not be asked yet (403): nothing happened, and asking again will help.

    A policy needs the definition of its parameters, which an API server looks for every 30 s, also after its start.
    """


class UnauthorizedError(ClusterError):
    """The credentials were not accepted (401)."""


class ExpiredError(ClusterError):
    """The resource version is too old to watch from (410): list again."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the objects of a list."""

    items: Sequence[Object]
    resource_version: str
    """The same on every page of one list; a watch goes on from it."""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One line of a watch. ``BOOKMARK`` carries nothing but a newer resource version."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    object: Object


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the API server says that we are."""

    username: str
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that may be done with a resource."""

    verb: str
    group: str
    resource: str
    """The plural, or ``plural/subresource``."""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}" + (f".{self.group}" if self.group else "")


@dataclass(frozen=True, slots=True)
class Grant:
    """A rule that holds for us, as a SelfSubjectRulesReview tells it; ``*`` stands for all."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]

    def covers(self, permission: Permission) -> bool:
        """Answer whether the permission is part of the grant."""
        return (
            not self.verbs.isdisjoint({"*", permission.verb})
            and not self.groups.isdisjoint({"*", permission.group})
            and not self.resources.isdisjoint({"*", permission.resource})
        )


class Reader(Protocol):
    """Lists and watches."""

    def pages(
        self, kind: ResourceType, *, namespace: str = "", selector: str = "", metadata_only: bool = False
    ) -> AsyncIterator[Page]:
        """Every object of a type, in pages; ``selector`` is a label selector."""
        ...

    def watch(self, kind: ResourceType, *, since: str, selector: str = "") -> AsyncIterator[WatchEvent]:
        """What happened after resource version ``since``; ends when the API server ends it."""
        ...

    async def served(self, group: str, version: str) -> frozenset[str]:
        """The plurals that the API server serves in a group and version; empty where it knows neither."""
        ...

    async def secret_exists(self, namespace: str, name: str) -> Existence:
        """Ask by a create with ``dryRun=All``: content is neither asked for nor answered."""
        ...

    async def issuer(self) -> Issuer:
        """Who signs the tokens of ServiceAccounts, with the keys that verify them (OpenID Connect Discovery 1.0)."""
        ...

    async def claims_in(self, namespace: str) -> int:
        """How many PersistentVolumeClaims a namespace has."""
        ...

    async def authority(self, namespace: str, name: str) -> str:
        """The certificates in `ca.crt` of a ConfigMap, PEM (RFC 7468); empty where there is none."""
        ...


class Writer(Protocol):
    """Changes. Each of them but status and Events carries an audit id, by which the API server's log names the run."""

    async def create(self, ref: Ref, manifest: Object, *, audit_id: str) -> Object:
        """Make an object that is not there yet; a conflict where it is, whoever made it."""
        ...

    async def deposit(self, ref: Ref, manifest: Object, data: Mapping[str, bytes], *, audit_id: str) -> Object:
        """Make a Secret of ``manifest`` and ``data``; answers its metadata, never its content."""
        ...

    async def apply(self, ref: Ref, manifest: Object, *, audit_id: str, uid: str = "", dry_run: bool = False) -> Object:
        """Server-side apply as our field manager, by force; answers the object as it is now, or as it would be.

        Where ``uid`` is given, only to the object that has it: a namesake made since is a conflict.
        """
        ...

    async def delete(self, ref: Ref, *, uid: str, audit_id: str) -> Object:
        """Delete exactly the object with that uid; answers what the API server said of it."""
        ...

    async def merge(self, ref: Ref, patch: Object, *, audit_id: str, resource_version: str = "") -> Object:
        """JSON merge patch; where ``resource_version`` is given, only of the object as it was then."""
        ...

    async def patch_status(self, ref: Ref, status: Object, *, uid: str) -> Object:
        """Merge ``status`` into the object with that uid."""
        ...

    async def create_event(self, event: Object) -> None:
        """Post an ``events.k8s.io/v1`` Event."""
        ...


class Leases(Protocol):
    """The Lease by which one of several processes is elected."""

    async def get_lease(self, ref: Ref) -> Object | None:
        """The Lease as it is, ``None`` where there is none."""
        ...

    async def put_lease(self, ref: Ref, lease: Object) -> Object:
        """Create the Lease, or replace the one whose resource version it carries."""
        ...


class Cluster(Reader, Writer, Leases, Protocol):
    """Everything that the engine does with the API server."""

    async def whoami(self) -> Identity:
        """The identity that the credentials stand for."""
        ...

    async def grants(self, namespace: str) -> Sequence[Grant]:
        """Everything that this identity may do in a namespace and, thereby, in all of them."""
        ...

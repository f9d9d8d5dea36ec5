"""Every layer but the policies with a part taken away, and put back.

Law: what is taken away is what the rows name and nothing else: one right each, one keyword or expression of a schema,
the level of a namespace, one resource of a quota. Whoever loosens says why, as policies ask.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from ringfence import names
from ringfence.cli.glass import REASON
from ringfence.controlplane import MERGE_PATCH, Client
from ringfence.model.kinds import CORE_NAMESPACE, RESOURCE_QUOTA
from tests.attack.prepared import RBAC
from tests.attack.rows import KEYWORDS, LevelRow, QuotaRow, RoleRow, Row, SchemaRow
from tests.attack.rows_limits import STRICT

_CLUSTER: Final = f"/apis/{RBAC}/v1"
_DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_LEVEL: Final = "pod-security.kubernetes.io/enforce"
_PLENTY: Final = "1k"
_ACCOUNT: Final = "system:serviceaccount:"


@contextmanager
def with_rights(admin: Client, rows: Sequence[Row]) -> Iterator[None]:
    """Give each who asks the one right that he lacks."""
    made: list[str] = []
    for index, row in enumerate(rows):
        assert isinstance(row, RoleRow)
        name = f"given-{index}"
        role = {"kind": "ClusterRole", "name": name, "apiGroup": RBAC}
        for kind, body in (
            ("clusterroles", {"rules": [_rule(row)]}),
            ("clusterrolebindings", {"roleRef": role, "subjects": [_subject(row.attack[0].user)]}),
        ):
            made.append(f"{_CLUSTER}/{kind}/{name}")
            admin.request("POST", f"{_CLUSTER}/{kind}", {"metadata": {"name": name}, **body}).must()
    yield
    for path in made:
        admin.delete(path).must()


def _rule(row: RoleRow) -> dict[str, Any]:
    group, resource, verb, name = row.right
    rule = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
    return {**rule, "resourceNames": [name]} if name else rule


def _subject(user: str) -> dict[str, str]:
    if not user.startswith(_ACCOUNT):
        return {"apiGroup": RBAC, "kind": "User", "name": user}
    namespace, _, name = user.removeprefix(_ACCOUNT).partition(":")
    return {"kind": "ServiceAccount", "namespace": namespace, "name": name}


@contextmanager
def without_rules(admin: Client, rows: Sequence[Row]) -> Iterator[None]:
    """Take keywords and expressions out of our definitions; what is a greatest number becomes one greater."""
    before: dict[str, dict[str, Any]] = {}
    for plural in sorted({row.at[0] for row in rows if isinstance(row, SchemaRow)}):
        path = f"{_DEFINITIONS}/{plural}.ringfence.dev"
        definition = admin.get(path).must()
        before[path] = definition["spec"]
        changed = copy.deepcopy(definition)
        schema = changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for at, rule in sorted(
            {(row.at[1], row.rule) for row in rows if isinstance(row, SchemaRow) and row.at[0] == plural}
        ):
            _loosen(schema, at, rule)
        admin.request("PUT", path, changed).must()
    yield
    for path, spec in before.items():
        admin.request("PUT", path, {**admin.get(path).must(), "spec": spec}).must()


def _loosen(schema: dict[str, Any], at: str, rule: str) -> None:
    *above, last = at.split(".")
    node = _node(schema, above if rule == "required" or not at else [*above, last])
    holder = next(each for each in (node, *_inside(node)) if _has(each, rule))
    if rule == "required":
        holder[rule].remove(last)
    elif rule not in KEYWORDS:
        kept = [each for each in holder["x-kubernetes-validations"] if not each["message"].startswith(rule)]
        holder["x-kubernetes-validations"] = kept
    elif rule.startswith("max"):
        holder[rule] += 1
    else:
        del holder[rule]


def _node(schema: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    found = schema
    for step in path:
        found = found.get("items", found) if "properties" not in found else found
        found = found["properties"][step]
    return found


def _inside(node: dict[str, Any]) -> list[dict[str, Any]]:
    """What each item or value of a list or map is."""
    return [node[key] for key in ("items", "additionalProperties") if key in node]


def _has(node: Mapping[str, Any], rule: str) -> bool:
    if rule in KEYWORDS:
        return rule in node
    return any(each["message"].startswith(rule) for each in node.get("x-kubernetes-validations", ()))


@contextmanager
def without_level(admin: Client, rows: Sequence[Row]) -> Iterator[None]:
    """Take the level of Pod Security from the namespace."""
    assert all(isinstance(row, LevelRow) for row in rows)
    lax, strict = ({"metadata": {"labels": {_LEVEL: level}}} for level in ("privileged", "restricted"))
    with _excused(admin, CORE_NAMESPACE.path(None, STRICT), lax, strict):
        yield


@contextmanager
def with_plenty(admin: Client, rows: Sequence[Row]) -> Iterator[None]:
    """Raise what is counted, in each namespace's quota."""
    with ExitStack() as stack:
        for row in rows:
            assert isinstance(row, QuotaRow)
            path = RESOURCE_QUOTA.path(_namespace(row), names.QUOTA)
            was = admin.get(path).must()["spec"]["hard"][row.rule]
            more, back = ({"spec": {"hard": {row.rule: amount}}} for amount in (_PLENTY, was))
            stack.enter_context(_excused(admin, path, more, back))
        yield


def _namespace(row: Row) -> str:
    return row.attack[1].path.partition("/namespaces/")[2].partition("/")[0]


@contextmanager
def _excused(admin: Client, path: str, change: Mapping[str, Any], back: Mapping[str, Any]) -> Iterator[None]:
    """Change what the operator made, with a reason; afterwards there is none."""
    _patch(admin, path, _noted(change, REASON))
    yield
    _patch(admin, path, _noted(back, REASON))
    _patch(admin, path, {"metadata": {"annotations": dict.fromkeys(REASON)}})


def _noted(change: Mapping[str, Any], annotations: Mapping[str, str]) -> dict[str, Any]:
    return {**change, "metadata": {**change.get("metadata", {}), "annotations": annotations}}


def _patch(admin: Client, path: str, body: Mapping[str, Any]) -> None:
    admin.request("PATCH", path, body, content_type=MERGE_PATCH).must()


Loosening = Callable[[Client, Sequence[Row]], AbstractContextManager[None]]


@dataclass(frozen=True)
class Part:
    """A part of the table that is loosened at once."""

    name: str
    loosened: Loosening
    belongs: Callable[[Row], bool]
    """Which rows are this part's."""


PARTS: Final = (
    Part("roles", with_rights, lambda row: isinstance(row, RoleRow)),
    # Expressions come after keywords: were both gone at once, a row about a keyword could rest on an expression, too.
    Part("keywords", without_rules, lambda row: isinstance(row, SchemaRow) and row.rule in KEYWORDS),
    Part("expressions", without_rules, lambda row: isinstance(row, SchemaRow) and row.rule not in KEYWORDS),
    Part("level", without_level, lambda row: isinstance(row, LevelRow)),
    Part("quota", with_plenty, lambda row: isinstance(row, QuotaRow)),
)

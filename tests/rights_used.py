"""Granted = used: what the operator asked of all API servers of a whole test run, compared with what its roles give.

Laws: a right that no request needed is a failure, and so is a request that no right covers; a run of a part of the
tests is not judged.
"""

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.plan.operator_rights import AT_HOME, EVERYWHERE
from ringfence.plan.rights import Action, actions

OPERATOR: Final = f"system:serviceaccount:{names.OPERATOR_NAMESPACE}:{names.OPERATOR_SERVICE_ACCOUNT}"
CLIENT: Final = "ringfence/"
"""How the user agent of the operator's program begins: tests that attack with its token have another one."""
_BY_OUR_ROLE: Final = re.compile(rf'RBAC: allowed by \w+Binding "{names.OPERATOR_SERVICE_ACCOUNT}["/]')
_BINDINGS: Final = {names.role_binding(role): role for role in (*names.ROLES, names.SHELL, names.APPROVER)}
_FOLDER: Final = pytest.StashKey[Path]()
_WORKERS_FOLDER: Final = "rights_used"

GRANTED: Final = actions((*EVERYWHERE, *AT_HOME))


@dataclass(frozen=True)
class Digest:
    """Requests of the operator, counted by the rights that they need."""

    used: Counter[Action]
    refused: Counter[Action]
    """What RBAC refused."""

    @property
    def unused(self) -> list[Action]:
        """Rights that are given and were never needed."""
        return sorted(GRANTED - set(self.used))

    @property
    def uncovered(self) -> list[Action]:
        """What was asked without a right; tests that take one away are no news."""
        return sorted(action for action in self.refused if not _covered(action))


def digest(audit_log: Iterable[bytes]) -> Digest:
    """Count the operator's requests in the lines of an audit log."""
    used: Counter[Action] = Counter()
    refused: Counter[Action] = Counter()
    for line in audit_log:
        if OPERATOR.encode() in line and line.endswith(b"\n"):
            event = json.loads(line)
            if _is_the_operators(event):
                _count(event, used, refused)
    return Digest(used, refused)


def _is_the_operators(event: Mapping[str, Any]) -> bool:
    if event["user"]["username"] != OPERATOR or not event.get("userAgent", "").startswith(CLIENT):
        return False
    # A watch is told of when it begins and when it ends, anything else when it ends.
    began = event["stage"] == "ResponseStarted"
    return "objectRef" in event and (began or event["verb"] != "watch" or event["responseStatus"]["code"] >= 400)


def _count(event: Mapping[str, Any], used: Counter[Action], refused: Counter[Action]) -> None:
    annotations = event.get("annotations", {})
    if annotations.get("authorization.k8s.io/decision") == "forbid":
        refused[_action(event)] += 1
    elif _BY_OUR_ROLE.match(annotations.get("authorization.k8s.io/reason", "")) and not _provoked(event):
        used.update(_needed(event))


def _provoked(event: Mapping[str, Any]) -> bool:
    """Whether a policy refused what the operator asks for only to see it refused: nothing rests on that right."""
    return bool("dryRun=All" in event.get("requestURI", "") and event["responseStatus"]["code"] == HTTPStatus.FORBIDDEN)


def _needed(event: Mapping[str, Any]) -> Iterator[Action]:
    """The request's own right, and those that the API server asks for in its course without a word in the log."""
    action = _action(event)
    yield next((each for each in (action, action._replace(name="")) if each in GRANTED), action)
    if event["verb"] == "patch" and event["responseStatus"]["code"] == 201:  # an apply of what was not there
        yield action._replace(verb="create", name="")
    if action.resource == "rolebindings" and event["verb"] in {"create", "patch"} and action.name in _BINDINGS:
        yield Action("rbac.authorization.k8s.io", "clusterroles", "bind", _bound(event["objectRef"]))


def _bound(binding: Mapping[str, str]) -> str:
    role = _BINDINGS[binding["name"]]
    return names.tenant_role(role) if names.split_core_namespace(binding["namespace"])[1] else names.home_role(role)


def _action(event: Mapping[str, Any]) -> Action:
    target = event["objectRef"]
    resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
    return Action(target.get("apiGroup", ""), resource, event["verb"], target.get("name", ""))


def _covered(action: Action) -> bool:
    return action in GRANTED or action._replace(name="") in GRANTED


# --- collecting, from as many processes as tests run in


def note(config: pytest.Config, audit_log: Path) -> None:
    """Keep what one API server saw of the operator, before the log is gone."""
    with audit_log.open("rb") as lines:
        seen = digest(lines)
    record = [[[*action, count] for action, count in counted.items()] for counted in (seen.used, seen.refused)]
    folder = config.stash[_FOLDER]
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".json", delete=False) as file:
        json.dump(record, file)


def noted(folder: Path) -> Digest:
    """Everything that was kept, of all processes."""
    used: Counter[Action] = Counter()
    refused: Counter[Action] = Counter()
    for path in folder.glob("*.json"):
        for counted, found in zip((used, refused), json.loads(path.read_text()), strict=True):
            counted.update({Action(*action): count for *action, count in found})
    return Digest(used, refused)


def pytest_configure(config: pytest.Config) -> None:
    """Make one folder for all processes; only the one where everything comes together judges."""
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[_FOLDER] = Path(worker[_WORKERS_FOLDER])
        return
    folder = tempfile.TemporaryDirectory(prefix="ringfence-rights-")
    config.add_cleanup(folder.cleanup)
    config.stash[_FOLDER] = Path(folder.name)
    config.pluginmanager.register(_Gate(config))


class _Gate:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._digest: Digest | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[_WORKERS_FOLDER] = str(self._config.stash[_FOLDER])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and _is_whole(self._config):
            self._digest = noted(self._config.stash[_FOLDER])
            if self._digest.unused or self._digest.uncovered:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._digest is not None:
            terminalreporter.section("the operator's rights: granted, and used in this run")
            for line in table(self._digest):
                terminalreporter.line(line)


def _is_whole(config: pytest.Config) -> bool:
    """Whether every test was to run."""
    narrowed = any(
        config.getoption(option, None) for option in ("keyword", "markexpr", "deselect", "lf", "collectonly")
    )
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not narrowed


def table(seen: Digest) -> Iterator[str]:
    """A line a right with the number of requests that needed it, and then what is wrong."""
    for action in sorted(GRANTED):
        yield f"{seen.used[action]:7}  {action}"
    yield from (
        f"UNUSED: {action}; take it out of plan/operator_rights.py or test what needs it" for action in seen.unused
    )
    yield from (f"REFUSED: {action} was asked for {seen.refused[action]} times" for action in seen.uncovered)
    if not (seen.unused or seen.uncovered):
        yield f"granted = used: {len(GRANTED)} rights, {seen.used.total()} uses, none too many and none missing"

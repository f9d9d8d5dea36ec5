"""The gateway's part of the story: a real Envoy, two providers on this machine, and who may call what.

Law: as in the rest of the story, each act does something, measures what came of it and judges that.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from ringfence.cli.demo.cluster import DemoCluster
from ringfence.cli.demo.narrator import Narrator
from ringfence.cli.demo.overview import condition
from ringfence.cli.demo.promise import BrokenPromiseError, within
from ringfence.cli.demo.provider import Provider, providers_running
from ringfence.cli.demo.workload import Said, Workload, start_workload
from ringfence.controlplane import ControlPlaneError
from ringfence.controlplane.node import Machine, NodeProcess
from ringfence.controlplane.node.envoy import find_envoy

_TENANT: Final = "initech"
_MANIFESTS: Final = Path(__file__).with_name("gateway.yaml")
_PATIENCE: Final = 60.0  # seconds
_FLOOD: Final = 12
"""Requests in a row, to a model that takes five a minute."""
_OK, _UNAUTHORIZED, _FORBIDDEN, _TOO_MANY = 200, 401, 403, 429
_FIRST = Provider("api.first.example", key="sk-demo-first")
_SECOND = Provider("api.second.example", key="sk-demo-second")
# What the rendered Envoy verifies providers by, as its image has it.
_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"


@contextmanager
def node_running(narrator: Narrator, cluster: DemoCluster) -> Iterator[NodeProcess | None]:
    """Run pods from here to the end of the block; None where this machine has no Envoy or lets nobody run pods."""
    with ExitStack() as stack:
        node = None
        try:
            node = stack.enter_context(_node(cluster, stack))
        except ControlPlaneError as error:
            narrator.say(f"! the gateway's part of the story is left out: {error}")
        yield node


def _node(cluster: DemoCluster, stack: ExitStack) -> NodeProcess:
    """A node that has the gateway's programs, and the providers to which its pods may connect."""
    authority = stack.enter_context(providers_running((_FIRST, _SECOND), cluster.folder / "providers"))
    machine = Machine(
        programs={
            "envoy": [str(find_envoy())],
            "operator": [sys.executable, "-m", "ringfence"],
            "workload": ["/bin/sleep"],
        },
        files={_AUTHORITIES: str(authority)},
        outside={f"{each.host}:443": each.address for each in (_FIRST, _SECOND)},
        environment={"PYTHONPATH": os.pathsep.join(sys.path)},  # the collector is this very code
        spared=["ringfence-system"],  # the story starts, kills and stops the operator itself
    )
    return NodeProcess(cluster.plane.folder, machine)


def serve_models(narrator: Narrator, cluster: DemoCluster, node: NodeProcess) -> None:
    """Tell the gateway's part. Raises BrokenPromiseError where a claim does not hold."""
    narrator.title("Models, through the tenant's own gateway")
    _apply(narrator, cluster)
    acts = _Acts(
        narrator,
        cluster,
        workload=start_workload(cluster, node.folder, _TENANT, "app"),
        production=start_workload(cluster, node.folder, _TENANT, "live"),
    )
    acts.call()
    acts.refuse()
    acts.fall_back()
    acts.flood()
    acts.promote()
    acts.count()


def _apply(narrator: Narrator, cluster: DemoCluster) -> None:
    tenant, *others = yaml.safe_load_all(_MANIFESTS.read_text())
    with narrator.step("kubectl apply: a tenant with two providers, their keys, and two ModelRoutes") as step:
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(tenant))
        home = f"/api/v1/namespaces/{_TENANT}"
        within(_PATIENCE, "the home namespace is there", lambda: cluster.plane.admin.get(home).ok)
        for name, provider in (("model-first", _FIRST), ("model-second", _SECOND)):
            key = f"--from-literal=api-key={provider.key}"
            cluster.kubectl("create", "secret", "generic", name, "--namespace", _TENANT, key)
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(others))
        started = time.monotonic()
        ready = within(_PATIENCE, "the gateway serves", lambda: _gateway_ready(cluster))
        routes = ("modelroutes", "--all", "--namespace", _TENANT)
        cluster.kubectl("wait", "--for=condition=Ready", *routes, f"--timeout={_PATIENCE:.0f}s")
        step.result = f"GatewayReady after {time.monotonic() - started:.1f} s. {ready}"


def _gateway_ready(cluster: DemoCluster) -> str:
    found = condition(cluster.items("tenants", f"--field-selector=metadata.name={_TENANT}")[0], "GatewayReady")
    return found.get("message", "") if found.get("status") == "True" else ""


@dataclass(frozen=True)
class _Acts:
    """What is shown once the gateway serves."""

    narrator: Narrator
    cluster: DemoCluster
    workload: Workload
    """In the first environment."""
    production: Workload
    """In a protected one."""

    def call(self) -> None:
        """An approved model."""
        with self.narrator.step(
            f"a pod in {self.workload.namespace} asks model chat, with the token it mounts"
        ) as step:
            step.result = str(_wanted(self.workload.ask("chat"), _OK, _FIRST.host))

    def refuse(self) -> None:
        """A model that nobody approved, and somebody whom nobody knows."""
        with self.narrator.step("the same pod asks for first-large itself, which no route offers") as step:
            step.result = str(_wanted(self.workload.ask("first-large"), _FORBIDDEN))
        with self.narrator.step("somebody without a token asks model chat") as step:
            step.result = str(_wanted(self.workload.ask("chat", known=False), _UNAUTHORIZED))

    def fall_back(self) -> None:
        """A provider that is out of order."""
        with self.narrator.step(f"{_FIRST.host} is out of order") as step:
            _FIRST.out_of_order = True
            try:
                step.result = str(_wanted(self.workload.ask("chat"), _OK, _SECOND.host))
            finally:
                _FIRST.out_of_order = False

    def flood(self) -> None:
        """More than a route lets through."""
        with self.narrator.step(f"{_FLOOD} requests in a row to model narrow, which takes 5 a minute") as step:
            answers = [self.workload.ask("narrow") for _ in range(_FLOOD)]
            let_through = sum(answer.status == _OK for answer in answers)
            last = _wanted(answers[-1], _TOO_MANY)
            if not 0 < let_through < _FLOOD:
                raise BrokenPromiseError(f"{let_through} of {_FLOOD} requests were let through")
            step.result = f"{let_through} are answered, and then {last}"

    def promote(self) -> None:
        """A protected environment takes two persons."""
        with self.narrator.step(
            f"a pod in {self.production.namespace} asks model chat, which was not promoted"
        ) as step:
            step.result = str(_wanted(self.production.ask("chat"), _FORBIDDEN))
        with self.narrator.step("ringfence promote chat --to prod, by ann, an admin of the tenant") as step:
            step.result = self._as("ann", "oidc:initech-admins", "promote", "chat", "--to", "prod")
        with self.narrator.step("ringfence approve chat --environment prod, by bea, an approver") as step:
            told = self._as("bea", "oidc:initech-owners", "approve", "chat", "--environment", "prod")
            served = within(_PATIENCE, "the promoted route is served", self._in_production)
            step.result = f"{told.splitlines()[-1].strip()}\nin {self.production.namespace}: {served}"

    def _in_production(self) -> str:
        said = self.production.ask("chat")
        return str(said) if said.status == _OK else ""

    def _as(self, user: str, group: str, *command: str) -> str:
        config = self.cluster.plane.kubeconfig(user, [group])
        code, told = self.cluster.ringfence(*command, "--tenant", _TENANT, "--kubeconfig", str(config))
        if code:
            raise BrokenPromiseError(f"ringfence {' '.join(command)}, as {user}: {told}")
        return told

    def count(self) -> None:
        """What was used, by whom."""
        with self.narrator.step("ringfence usage") as step:
            step.result = within(_PATIENCE, "usage is told", self._usage)

    def _usage(self) -> str:
        code, told = self.cluster.ringfence("usage", "--tenant", _TENANT)
        counted = any({self.production.namespace, "chat"} <= set(line.split()) for line in told.splitlines())
        return told if not code and counted else ""


def _wanted(said: Said, status: int, by: str = "") -> Said:
    if said.status != status or by not in str(said):
        raise BrokenPromiseError(f"the gateway said {said}, and not {status} {by}")
    return said

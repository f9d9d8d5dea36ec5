"""The story that the demo tells, act by act. Each act does something, measures what came of it and judges that."""

import signal
import time
from pathlib import Path
from typing import Final

from ringfence import names
from ringfence.cli.demo.cluster import DemoCluster, demo_cluster
from ringfence.cli.demo.gateway import node_running, serve_models
from ringfence.cli.demo.narrator import Narrator
from ringfence.cli.demo.overview import Overview, condition
from ringfence.cli.demo.promise import BrokenPromiseError, within
from ringfence.cli.demo.record import altered_copy
from ringfence.cli.demo.repair import milliseconds_until_back
from ringfence.cli.demo.requests import OPERATOR, POLICY, Requests
from ringfence.cli.glass import in_force
from ringfence.controlplane import ControlPlane, Progress, find_tools
from ringfence.controlplane.node import NodeProcess
from ringfence.controlplane.plane import SERVERS

_PATIENCE: Final = 60.0  # seconds, on a machine that does other things too
_REPAIR: Final = 1000.0  # milliseconds that a repair may take
_FENCE: Final = ("acme-web", "ringfence-deny-all")
_FOREIGN: Final = "acme-lab"
_CLAIM: Final = """\
apiVersion: ringfence.dev/v1alpha1
kind: Namespace
metadata: {name: lab, namespace: acme}
spec: {environment: dev}
"""


def tell(narrator: Narrator, repository: Path, *, keep: bool) -> None:
    """Tell the whole story, then take everything down. Raises BrokenPromiseError where a claim does not hold."""
    find_tools([*SERVERS, "kubectl"], progress=Progress())
    plane = ControlPlane(audit_policy=POLICY)
    try:
        with narrator.step("a real Kubernetes control plane on this machine, without nodes") as step:
            plane.start()
            step.result = f"kube-apiserver {plane.admin.get('/version').must()['gitVersion']} at {plane.url}"
        with demo_cluster(plane) as cluster, node_running(narrator, cluster) as node:
            _play(narrator, cluster, repository / "manifests", node)
            if keep:
                _stay(narrator, cluster)
    finally:
        plane.stop()
    narrator.say("\nEverything is taken down; nothing is left.")


def _play(narrator: Narrator, cluster: DemoCluster, manifests: Path, node: NodeProcess | None) -> None:
    _install(narrator, cluster, manifests / "install")
    _start(narrator, cluster)
    _apply(narrator, cluster, manifests / "samples")
    _show(narrator, cluster)
    _repair(narrator, cluster)
    _refuse(narrator, cluster)
    _read(narrator, cluster)
    if node is not None:
        serve_models(narrator, cluster, node)
    narrator.title("What outlives the operator")
    _crash(narrator, cluster)
    _verify(narrator, cluster)


def _install(narrator: Narrator, cluster: DemoCluster, folder: Path) -> None:
    with narrator.step("kubectl apply -k manifests/install") as step:
        made = cluster.kubectl("apply", "--server-side", "-k", str(folder)).splitlines()
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", f"--timeout={_PATIENCE:.0f}s")
        within(_PATIENCE, "the policies are in force", lambda: in_force(cluster.plane.admin))
        kinds = [line.partition(".")[0].partition("/")[0] for line in made]
        step.result = (
            f"{kinds.count('customresourcedefinition')} CustomResourceDefinitions, "
            f"{kinds.count('validatingadmissionpolicy')} admission policies, {kinds.count('clusterrole')} "
            "ClusterRoles, ServiceAccount, Deployment (no node here runs it)"
        )


def _start(narrator: Narrator, cluster: DemoCluster) -> None:
    with narrator.step(
        "ringfence run, as the Deployment would: its own ServiceAccount, the shipped roles, nothing else"
    ) as step:
        within(_PATIENCE, "the operator leads", cluster.start_operator().leads)
        step.result = OPERATOR


def _apply(narrator: Narrator, cluster: DemoCluster, folder: Path) -> None:
    with narrator.step("kubectl apply -f manifests/samples") as step:
        applied = cluster.kubectl("apply", "-f", str(folder)).splitlines()
        started = time.monotonic()
        for kind in ("tenants", "tenantnamespaces"):
            cluster.kubectl(
                "wait", "--for=condition=Ready", kind, "--all", "--all-namespaces", f"--timeout={_PATIENCE:.0f}s"
            )
        seconds = time.monotonic() - started
        step.result = (
            f"{len(applied)} objects; every Tenant and Namespace is Ready {seconds:.1f} s after the last of them"
        )


def _show(narrator: Narrator, cluster: DemoCluster) -> None:
    overview = Overview.of(cluster)
    narrator.show(overview.table())
    judged = [item for item in (*overview.routes, *overview.policies) if condition(item, "Ready")]
    if lacking := len(overview.routes) + len(overview.policies) - len(judged):
        raise BrokenPromiseError(f"{lacking} routes or policies are not judged")
    narrator.say(
        f"\n{len(overview.routes)} ModelRoutes wait for frontends that nobody runs here; "
        f"{len(overview.policies)} RetentionPolicies are judged, and not enforced yet by this release.\n"
    )


def _repair(narrator: Narrator, cluster: DemoCluster) -> None:
    namespace, policy = _FENCE
    with narrator.step(f"kubectl delete networkpolicy {policy} -n {namespace}, as cluster-admin") as step:
        step.result = cluster.refusal("delete", "networkpolicy", policy, "-n", namespace)
    with narrator.step(f"the same by force, with annotation {names.BREAK_GLASS_ANNOTATION}") as step:
        elapsed = milliseconds_until_back(cluster.plane, namespace, policy)
        if elapsed > _REPAIR:
            raise BrokenPromiseError(f"{policy} came back after {elapsed:.0f} ms, promised are {_REPAIR:.0f}")
        step.result = f"it is back {elapsed:.0f} ms after the request was sent"


def _refuse(narrator: Narrator, cluster: DemoCluster) -> None:
    with narrator.step(f"claiming {_FOREIGN}, a namespace that somebody else made") as step:
        cluster.kubectl("create", "namespace", _FOREIGN)
        before = _version(cluster, _FOREIGN)
        cluster.kubectl("apply", "-f", "-", stdin=_CLAIM)
        ready = within(_PATIENCE, "Namespace lab is judged", lambda: _ready(cluster, "lab"))
        if ready["status"] != "False" or ready["reason"] != "NameTaken":
            raise BrokenPromiseError(f"Namespace lab is {ready['status']}, {ready['reason']}: {ready['message']}")
        if _version(cluster, _FOREIGN) != before:
            raise BrokenPromiseError(f"namespace {_FOREIGN} was written to")
        step.result = f"refused, and not touched. {ready['reason']}: {ready['message']}"


def _crash(narrator: Narrator, cluster: DemoCluster) -> None:
    with narrator.step("kill -9 of the operator, and a restart") as step:
        cluster.operator.kill()
        requests = Requests(cluster.plane.audit_log)
        within(_PATIENCE, "the operator leads again and has looked at everything", cluster.start_operator().settled)
        counts = requests.by_verb()
        if requests.writes():
            raise BrokenPromiseError(f"an unchanged world was written to: {dict(counts)}")
        told = ", ".join(f"{number} {verb}" for verb, number in sorted(counts.items()))
        step.result = f"0 writes; the API server's audit log has {told} (its Lease apart)"


def _read(narrator: Narrator, cluster: DemoCluster) -> None:
    with narrator.step("ringfence lineage log --tenant acme --limit 3") as step:
        code, step.result = cluster.lineage("log", "--tenant", "acme", "--limit", "3")
        if code or "drift" not in step.result or "NameTaken" not in step.result:
            raise BrokenPromiseError(f"the repair and the refusal are not on record:\n{step.result}")


def _verify(narrator: Narrator, cluster: DemoCluster) -> None:
    with narrator.step("ringfence lineage verify --key signing-key.pub.pem") as step:
        cluster.operator.stop()  # signs a last checkpoint and gives the Lease back
        key = str(cluster.ledger / "signing-key.pub.pem")
        code, step.result = cluster.lineage("verify", "--key", key)
        if code or "verified" not in step.result:
            raise BrokenPromiseError(f"the record is not what it was:\n{step.result}")
    with narrator.step("the same, after one bit was flipped in a copy of each tenant's log") as step:
        code, step.result = cluster.lineage("verify", "--key", key, ledger=altered_copy(cluster.ledger))
        if code != 1 or step.result.count("LeafAltered") != len(cluster.items("tenants")):
            raise BrokenPromiseError(f"a flipped bit went unnoticed:\n{step.result}")


def _stay(narrator: Narrator, cluster: DemoCluster) -> None:
    cluster.start_operator()
    try:
        narrator.say(
            f"\nIt stays until Ctrl-C. In another terminal:\n\n  export KUBECONFIG={cluster.plane.admin_kubeconfig}"
        )
        narrator.say(
            f"  kubectl get ringfence --all-namespaces\n  ringfence lineage log --ledger sqlite:///{cluster.ledger}"
        )
        while True:
            signal.pause()
    except KeyboardInterrupt:
        cluster.operator.stop()


def _ready(cluster: DemoCluster, name: str) -> dict[str, str]:
    found = cluster.items("tenantnamespaces", "--namespace", "acme", "--field-selector", f"metadata.name={name}")
    return dict(condition(found[0], "Ready"))


def _version(cluster: DemoCluster, namespace: str) -> str:
    return cluster.kubectl("get", "namespace", namespace, "-o", "jsonpath={.metadata.resourceVersion}")

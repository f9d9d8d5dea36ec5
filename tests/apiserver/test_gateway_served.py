"""The whole path: a Tenant's gateway, rendered by the operator, run from its own Deployment, and asked by a workload.

Nothing is simulated but the kubelet and the providers: the API server admits the pods, Envoy is real, tokens are those
that pods mount, and the workload is the one that the how-to shows.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from ringfence import names
from ringfence.adapters.sqlite.usage import SqliteUsageReader
from ringfence.cli.check import check
from ringfence.cli.demo.provider import ANSWER, Provider, providers_running
from ringfence.controlplane import MERGE_PATCH, Client, ControlPlane
from ringfence.controlplane.node import Machine, NodeProcess
from ringfence.controlplane.node.envoy import find_envoy
from ringfence.controlplane.process import GuardedProcess
from ringfence.model.kinds import ENDPOINT_SLICE, NAMESPACE
from ringfence.usage.outcome import Outcome
from tests.controlplane_fixtures import REPOSITORY, Kubectl
from tests.mistaken import WRONG
from tests.operating import OperatorProcess, operating, operator_kubeconfig
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

HOW_TO: Final = REPOSITORY / "docs" / "how-to" / "serve-models.md"
MANIFESTS: Final = REPOSITORY / "operator" / "ringfence" / "cli" / "demo" / "gateway.yaml"
HOME: Final = "initech"
WORKLOADS: Final = "initech-app"
FIRST: Final = Provider("api.first.example", key="sk-canary-first")
SECOND: Final = Provider("api.second.example", key="sk-canary-second")
LONG: Final = 60.0  # seconds
_TENANT: Final = f"/apis/ringfence.dev/v1alpha1/tenants/{HOME}"
_FILES: Final = f"/api/v1/namespaces/{HOME}/configmaps/{names.GATEWAY_FILES}"
CHECK: Final = typer.Typer()
CHECK.command()(check)
_ROUTE: Final = f"/apis/ringfence.dev/v1alpha1/namespaces/{HOME}/modelroutes/chat"


@pytest.fixture(scope="module")
def node(controlplane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """Run a node with Envoy, the collector and Python, and two providers to which its pods may connect."""
    folder = tmp_path_factory.mktemp("node") / "providers"
    with providers_running((FIRST, SECOND), folder) as authority:
        machine = Machine(
            programs={
                "envoy": [str(find_envoy())],
                "operator": [sys.executable, "-m", "ringfence"],
                "python": [sys.executable],
            },
            files={"/etc/ssl/certs/ca-certificates.crt": str(authority)},
            outside={f"{each.host}:443": each.address for each in (FIRST, SECOND)},
            spared=[names.OPERATOR_NAMESPACE],
            environment={"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        with NodeProcess(controlplane.folder, machine) as running:
            yield running


@pytest.fixture(scope="module")
def operator(
    controlplane: ControlPlane,
    kubectl: Kubectl,
    admin: Client,
    node: NodeProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OperatorProcess]:
    """Run the operator with its own rights, and a tenant that it serves."""
    ranges = ("--pod-ranges", "10.244.0.0/16", "--node-ranges", "192.0.2.0/24")
    tenant, *others = yaml.safe_load_all(MANIFESTS.read_text())
    with operating(controlplane, tmp_path_factory.mktemp("operator"), *ranges) as process:
        kubectl("apply", "-f-", stdin=tenant)
        eventually(lambda: admin.get(f"/api/v1/namespaces/{HOME}").ok, LONG)
        for name, provider in (("model-first", FIRST), ("model-second", SECOND)):
            kubectl("create", "secret", "generic", name, "-n", HOME, f"--from-literal=api-key={provider.key}")
        kubectl("apply", "-f-", stdin=others)
        kubectl("wait", "--for=condition=Ready", "-n", HOME, "tns", "--all", f"--timeout={LONG:.0f}s")
        eventually(lambda: gateway_ready(admin)["status"] == "True", LONG)
        yield process


def gateway_ready(admin: Client) -> dict[str, str]:
    conditions = admin.get(_TENANT).must()["status"]["conditions"]
    found: dict[str, str] = next(each for each in conditions if each["type"] == "GatewayReady")
    return found


def is_served(admin: Client) -> bool:
    """Whether the condition says that the very configuration of the status is served."""
    found = gateway_ready(admin)
    return found["status"] == "True" and config_hash(admin) in found["message"]


def config_hash(admin: Client) -> str:
    return str(admin.get(_TENANT).must()["status"]["gateway"]["configHash"])


def documented(kind: str, containing: str) -> str:
    """The block of code in the how-to that contains this."""
    blocks: list[str] = re.findall(rf"```{kind}\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    return next(block for block in blocks if containing in block)


def workload(name: str, code: str) -> dict[str, Any]:
    """The pod of the how-to, with what level Restricted and the quota want besides."""
    spec: dict[str, Any] = yaml.safe_load(documented("yaml", "audience: ringfence-gateway"))["spec"]
    spec["containers"][0] |= {
        "image": "registry.example/python:3",
        "args": ["-c", code],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec["securityContext"] = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def said(admin: Client, node: NodeProcess, name: str) -> str:
    """What a workload has printed so far."""
    uid = admin.get(f"/api/v1/namespaces/{WORKLOADS}/pods/{name}").must()["metadata"]["uid"]
    log: Path = node.folder / "pods" / uid / "app" / "log"
    return log.read_text() if log.exists() else ""


def asking() -> str:
    """The code of the how-to, which prints the answer and stays."""
    ask = documented("python", "from openai import OpenAI").replace("client.chat", "answer = client.chat", 1)
    return f"{ask}\nprint(answer.choices[0].message.content, flush=True)\nimport time; time.sleep(600)"


def test_the_workload_of_the_how_to_is_answered(
    operator: OperatorProcess, admin: Client, kubectl: Kubectl, node: NodeProcess
) -> None:
    """With OpenAI's own client, the pod's token, and the address and authority from the pod's namespace."""
    kubectl("apply", "-n", WORKLOADS, "-f-", stdin=workload("chat-ui", asking()))
    eventually(lambda: ANSWER in said(admin, node, "chat-ui"), LONG)


def test_what_is_ready_was_seen_to_be_served(operator: OperatorProcess, admin: Client) -> None:
    """The condition names the revision that the files have, and each environment of a route says that it is served."""
    eventually(lambda: is_served(admin))
    environments = admin.get(_ROUTE).must()["status"]["environments"]
    assert [(each["name"], each["served"]) for each in environments] == [("dev", "True")]


def test_a_change_is_served_and_seen_within_seconds(operator: OperatorProcess, admin: Client) -> None:
    """From the write of a route to the condition that says every replica serves it."""
    before = config_hash(admin)
    change = {"spec": {"limits": {"requestsPerMinute": 601}}}
    admin.request("PATCH", _ROUTE, change, content_type=MERGE_PATCH).must()
    eventually(lambda: config_hash(admin) != before)
    eventually(lambda: is_served(admin))


def test_whoever_wants_to_pay_for_it_sees_that_a_provider_answers(
    operator: OperatorProcess, admin: Client, controlplane: ControlPlane, node: NodeProcess
) -> None:
    """As an admin of the tenant, by a key that he may issue. Nothing is sent before he agrees, and no word is told."""
    for namespace in ("app", "live"):
        keys = {"spec": {"gatewayKeys": [{"name": "checks", "mode": "Live"}]}}
        admin.request("PATCH", NAMESPACE.path(HOME, namespace), keys, content_type=MERGE_PATCH).must()
    asked = ["--kubeconfig", str(controlplane.kubeconfig("ann", ["oidc:initech-admins"])), "--gateway", entrance(admin)]
    served = eventually(lambda: answered(live("app", *asked, "--yes")), LONG)
    declined, refused = live("app", *asked), live("live", *asked, "--yes")
    assert (declined.exit_code, declined.stdout) == (1, "")
    assert "one token of model chat, which the provider may charge for" in declined.stderr
    assert "nothing was sent" in declined.stderr
    assert (refused.exit_code, "failed, 403 model_not_allowed, nothing served" in refused.stdout) == (1, True)
    eventually(lambda: lines(node, "live"))
    (line,) = (each for each in lines(node, "app") if each["status"] == 200)
    model, revision = "model first-large of api.first.example", admin.get(_ROUTE).must()["status"]["revision"]
    assert f": served, 200, {model}, 4 tokens, {revision}; request {line['request_id']}" in served.stdout
    assert f"configuration {line['config_rev']}\n" in served.stdout
    for told in (served, refused):
        assert not re.search(f"Hello|{ANSWER}|{names.gateway_key_prefix(live=True)}", told.output)


def live(namespace: str, *arguments: str) -> Result:
    """Check the route by the key of a Namespace, without anybody who would agree."""
    wanted = ["--live", f"{HOME}/chat", "--as-key", f"{namespace}/checks"]
    return CliRunner().invoke(CHECK, [*wanted, *arguments])


def answered(found: Result) -> Result | None:
    return found if found.exit_code == 0 else None


def entrance(admin: Client) -> str:
    """Where the gateway's only replica is reached from here."""
    label = f"labelSelector=kubernetes.io/service-name%3D{names.GATEWAY}"
    (found,) = admin.get(f"{ENDPOINT_SLICE.collection_path(HOME)}?{label}").must()["items"]
    (port,) = (each["port"] for each in found["ports"] if each["name"] == "https")
    return f"{found['endpoints'][0]['addresses'][0]}:{port}"


def lines(node: NodeProcess, namespace: str) -> list[dict[str, Any]]:
    """What the access log has of the key of a Namespace."""
    (log,) = (node.folder / "pods").glob("*/volumes/run/access.log")
    caller = (names.core_namespace(HOME, namespace), names.gateway_key("checks"))
    found = map(json.loads, log.read_text().splitlines())
    return [each for each in found if (each.get("namespace"), each.get("service_account")) == caller]


def test_a_gateway_serves_on_with_the_operator_down_and_its_files_broken(
    operator: OperatorProcess, admin: Client, kubectl: Kubectl, node: NodeProcess
) -> None:
    """Envoy keeps what it took last; once the operator is back, the files are as they were, and taken."""
    (files,) = (node.folder / "pods").glob("*/volumes/config")
    operator.kill()
    listeners = json.loads(admin.get(_FILES).must()["data"]["lds.json"])
    listeners["resources"][0]["address"] = {}
    glass = {names.BREAK_GLASS_ANNOTATION: "what if it was broken"}
    broken = {"metadata": {"annotations": glass}, "data": {"lds.json": json.dumps(listeners)}}
    admin.request("PATCH", _FILES, broken, content_type=MERGE_PATCH).must()
    eventually(lambda: _listens_nowhere((files / "lds.json").read_text()))
    kubectl("apply", "-n", WORKLOADS, "-f-", stdin=workload("latecomer", asking()))
    eventually(lambda: ANSWER in said(admin, node, "latecomer"), LONG)
    operator.start()
    eventually(operator.leads, LONG)
    eventually(lambda: not _listens_nowhere(admin.get(_FILES).must()["data"]["lds.json"]), LONG)
    eventually(lambda: gateway_ready(admin)["status"] == "True", LONG)


def _listens_nowhere(listeners: str) -> bool:
    return not json.loads(listeners)["resources"][0]["address"]


def test_what_envoy_refuses_is_put_back(
    operator: OperatorProcess, admin: Client, kubectl: Kubectl, controlplane: ControlPlane, node: NodeProcess
) -> None:
    """By the operator that rendered it, which says so; rendered otherwise it is tried, and no request was lost."""
    eventually(lambda: is_served(admin), LONG)
    before = files_of(admin)
    with rendering_wrongly(operator, controlplane):
        limit = {"spec": {"gateway": {"requestsPerMinute": WRONG}}}
        admin.request("PATCH", _TENANT, limit, content_type="application/merge-patch+json").must()
        eventually(lambda: gateway_ready(admin)["reason"] == "ConfigurationRefused", LONG)
        told = gateway_ready(admin)["message"]
        refused = admin.get(_FILES).must()["metadata"]["annotations"][names.REFUSED_ANNOTATION]
        assert f"Envoy refused revision {refused}, of its clusters" in told
        assert f"revision {before[0]} goes on serving" in told
        assert files_of(admin) == before
        kubectl("apply", "-n", WORKLOADS, "-f-", stdin=workload("unharmed", asking()))
        eventually(lambda: ANSWER in said(admin, node, "unharmed"), LONG)
        assert files_of(admin) == before
    eventually(lambda: is_served(admin), LONG)
    assert config_hash(admin) not in (before[0], refused)
    assert names.REFUSED_ANNOTATION not in admin.get(_FILES).must()["metadata"]["annotations"]


def files_of(admin: Client) -> tuple[str, dict[str, str]]:
    """The revision that is published, and its files."""
    found = admin.get(_FILES).must()
    return found["metadata"]["annotations"][names.REVISION_ANNOTATION], found["data"]


@contextmanager
def rendering_wrongly(operator: OperatorProcess, plane: ControlPlane) -> Iterator[None]:
    """Let another one do the operator's work, that makes a mistake; then let it go on."""
    operator.kill()
    kubeconfig, ledger = str(operator_kubeconfig(plane)), f"sqlite:///{operator.ledger}"
    line = ["run", "--kubeconfig", kubeconfig, "--ledger", ledger, "--log-format", "json", *operator.arguments]
    log = operator.folder / "mistaken.log"
    process = GuardedProcess([sys.executable, "-m", "tests.mistaken", *line], log=log, cwd=REPOSITORY)
    try:
        eventually(lambda: '"leading"' in log.read_text(), LONG)
        yield
    finally:
        process.kill()
        operator.start()
        eventually(operator.leads, LONG)


def test_no_key_is_found_in_anything_that_was_written(operator: OperatorProcess, node: NodeProcess) -> None:
    """Neither the operator's records and log, nor what gateways and workloads wrote, has a provider's key."""
    (mounted,) = (node.folder / "pods").glob("*/volumes/key-first/key")
    assert FIRST.key.encode() in mounted.read_bytes()
    written = [
        *operator.folder.rglob("*"),
        *node.folder.glob("pods/*/volumes/run/*"),
        *node.folder.glob("pods/*/*/log"),
    ]
    for file in filter(Path.is_file, written):
        assert b"sk-canary" not in file.read_bytes(), file


def test_nothing_that_was_said_is_found_in_what_ringfence_writes(operator: OperatorProcess, node: NodeProcess) -> None:
    """No question and no answer: not in the record, the counts, the operator's log or the gateway's."""
    question = re.findall(r'"content": "([^"]+)"', asking())[0]
    workloads = [file.read_text() for file in node.folder.glob("pods/*/*/log")]
    assert any(ANSWER in text for text in workloads), "it is there, where the caller printed it"
    written = filter(Path.is_file, (*operator.folder.rglob("*"), *node.folder.glob("pods/*/volumes/run/*")))
    contents = {str(file): file.read_bytes() for file in written}
    contents["records"] = json.dumps(operator.records()).encode()  # in the ledger they are deflated
    found = [name for name, text in contents.items() if ANSWER.encode() in text or f'"{question}"'.encode() in text]
    assert found == []


def test_a_line_of_the_log_leads_to_the_record_of_its_configuration(
    operator: OperatorProcess, node: NodeProcess
) -> None:
    """By the revision that both name."""
    logs = node.folder.glob("pods/*/volumes/run/access.log*")
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    reconciles = [event["run"]["facets"].get("ringfence_reconcile", {}) for event in operator.records()]
    recorded = {each["configuration"]["after"] for each in reconciles if each.get("configuration")}
    assert lines
    assert {line["config_rev"] for line in lines if line["config_rev"]} <= recorded


def test_what_was_used_is_told_when_the_pod_that_served_it_is_asked_to_end(
    operator: OperatorProcess, admin: Client, kubectl: Kubectl, node: NodeProcess
) -> None:
    """At once, not at the next round: what a replica has counted would go with it. No right to logs is needed."""
    kubectl("apply", "-n", WORKLOADS, "-f-", stdin=workload("parting", asking()))
    eventually(lambda: ANSWER in said(admin, node, "parting"), LONG)
    asked = [name for name in ("chat-ui", "latecomer", "unharmed", "parting") if ANSWER in said(admin, node, name)]
    assert served(operator) < len(asked), "the last one is not told yet"
    replicas = ("-n", HOME, "-l", f"{names.GATEWAY_LABEL}=true")
    kubectl("annotate", "pods", *replicas, f"{names.BREAK_GLASS_ANNOTATION}=another node")
    kubectl("delete", "pods", *replicas, "--wait=false")
    eventually(lambda: served(operator) == len(asked), LONG / 2)


def served(operator: OperatorProcess) -> int:
    """Requests of the workloads that were served, as they are kept beside the ledger."""
    reader = SqliteUsageReader(operator.ledger)
    logs = [log for log, tenant in reader.tenants().items() if tenant == HOME]
    rows = [row for log in logs for row in reader.rows(log, since=0, until=2**40)]
    ours = (row for row in rows if (row.key.namespace, row.key.account) == (WORKLOADS, names.DEFAULT_SERVICE_ACCOUNT))
    return sum(row.numbers.requests for row in ours if row.key.outcome is Outcome.SERVED)

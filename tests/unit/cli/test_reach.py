"""`ringfence verify` and `ringfence explain-deny` as people and pipelines see them, from files."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from ringfence.cli.reach.explain import explain_deny
from ringfence.cli.reach.verify import verify
from tests import sample_world
from tests.laws.worlds import core

PLATFORM: Final = [core("kube-system"), core("default")]
LEAK: Final = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: planted, namespace: acme-web}
spec: {podSelector: {matchLabels: {app: x}}, ingress: [{}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: leak, namespace: globex-dev}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to: [{namespaceSelector: {}}]
    ports: [{port: 80, endPort: 90}]
"""
FOUND: Final = """\
Undeclared: default, kube-system -> acme-web (app=x) on all ports, opened by acme-web/planted \
(crosses the tenant's fence, and its Tenant declares no such exception)
Undeclared: any address -> acme-web (app=x) on all ports, opened by acme-web/planted \
(crosses the tenant's fence, and its Tenant declares no such exception)
OtherTenant: globex-dev -> acme-web (app=x) on TCP 80-90, opened by globex-dev/leak, acme-web/planted \
(between two tenants)
Undeclared: globex-dev -> default, kube-system on TCP 80-90, opened by globex-dev/leak \
(crosses the tenant's fence, and its Tenant declares no such exception)
TooWide: acme-web/planted opens ingress of pods of acme-web with app=x on all ports \
for pods of other tenants, pods of other environments, others than the Tenant declares
TooWide: globex-dev/leak opens egress of pods of globex-dev on TCP 80-90 \
for pods of other tenants, pods of other environments, others than the Tenant declares
7 namespaces of 2 tenants: 8 findings
"""


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples with their fences, as `kubectl get -o json` writes them: one List."""
    items = [*sample_world.settled().objects.values(), *PLATFORM]
    file = tmp_path_factory.mktemp("reach") / "dump.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return file


def _run(command: Any, *arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(command)
    return CliRunner(env={"TERM": "dumb", "COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])


def test_the_samples_are_fine_and_every_connection_is_listed(dump: Path) -> None:
    """The last line is the result; the exit code says it too."""
    done = _run(verify, "--from", dump)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0].split() == ["FROM", "TO", "PORTS", "WHAT", "OPENED", "BY"]
    assert any(line.split()[:5] == ["acme-web", "acme-data", "TCP", "5432", "Peers"] for line in lines)
    assert lines[-1] == "7 namespaces of 2 tenants: no way across a fence"


def test_every_way_across_a_fence_is_named_with_its_policies(dump: Path, tmp_path: Path) -> None:
    """Both ends, the ports, the policies, and why it should not be."""
    leak = tmp_path / "leak.yaml"
    leak.write_text(LEAK)
    done = _run(verify, "--from", dump, "--from", leak)
    assert done.exit_code == 1
    assert done.output.partition("\n\n")[2] == FOUND


def test_yaml_says_the_same_as_json(dump: Path, tmp_path: Path) -> None:
    """With an object a document, as well as with a List."""
    items = json.loads(dump.read_text())["items"]
    folder = tmp_path / "rendered"
    folder.mkdir()
    (folder / "all.yaml").write_text(yaml.safe_dump_all(items))
    assert _run(verify, "--from", folder).output == _run(verify, "--from", dump).output


def test_json_has_everything(dump: Path, tmp_path: Path) -> None:
    """Ports as NetworkPolicies write them, and nothing left out."""
    leak = tmp_path / "leak.yaml"
    leak.write_text(LEAK)
    done = _run(verify, "--from", dump, "--from", leak, "-o", "json")
    assert done.exit_code == 1
    value = json.loads(done.output)
    assert (value["version"], value["ok"], value["unknown"]) == (1, False, [])
    assert value["tenants"]["acme"] == ["acme", "acme-data", "acme-models", "acme-web"]
    (path,) = [each for each in value["breaches"] if each["kind"] == "OtherTenant"]
    assert path == {
        "kind": "OtherTenant",
        "tenant": "globex",
        "from": {"namespace": "globex-dev", "pods": "", "addresses": ""},
        "to": {"namespace": "acme-web", "pods": "app=x", "addresses": ""},
        "ports": [{"protocol": "TCP", "port": 80, "endPort": 90}],
        "policies": ["globex-dev/leak", "acme-web/planted"],
    }
    assert {each["policy"] for each in value["gaps"]} == {"acme-web/planted", "globex-dev/leak"}


def test_what_can_not_be_known_is_an_exit_code_of_its_own(dump: Path, tmp_path: Path) -> None:
    """Neither well nor broken."""
    other = tmp_path / "other.yaml"
    other.write_text("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: x, namespace: acme-web}\n")
    done = _run(verify, "--from", dump, "--from", other)
    assert done.exit_code == 3
    assert "Unknown: CiliumNetworkPolicy acme-web/x" in done.output
    assert done.output.endswith("not known whether all is well\n")


@pytest.mark.parametrize(("text", "code"), [("a: [", 3), ("a: 1\na: 2\n", 3), ("", 3)])
def test_files_that_say_nothing_clear_are_not_judged(tmp_path: Path, text: str, code: int) -> None:
    """Not YAML, a key twice, or nothing at all."""
    file = tmp_path / "odd.yaml"
    file.write_text(text)
    assert _run(verify, "--from", file).exit_code == code


@pytest.mark.parametrize("arguments", [("--from", "nowhere.yaml"), ("--from", ".", "--context", "x"), ("-o", "xml")])
def test_a_command_line_that_makes_no_sense_is_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Before anything is read."""
    assert _run(verify, *arguments).exit_code == 2


def test_no_cluster_is_said_in_a_line(tmp_path: Path) -> None:
    """A kubeconfig that is not there, and a server that does not answer."""
    done = _run(verify, "--kubeconfig", tmp_path / "none")
    assert done.exit_code == 3
    assert done.output.startswith("ringfence: no cluster: ")


def test_a_denial_names_the_policies_of_each_side_and_what_would_open_it(dump: Path) -> None:
    """Here both Namespace objects have to declare it."""
    done = _run(explain_deny, "acme-web", "acme-data", "8080", "--from", dump)
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert lines[0] == "DENIED: a pod of acme-web without labels -> a pod of acme-data without labels on TCP 8080"
    assert "acme-web/ringfence-deny-all" in lines[1]
    assert "acme-data/ringfence-deny-all" in lines[2]
    assert lines[3:] == [
        "  between them is open: TCP 5432",
        "  next: add {to: {namespace: data}, ports: [8080]} to spec.network.egress of Namespace web in acme",
        "  next: add {from: {namespace: web}, ports: [8080]} to spec.network.ingress of Namespace data in acme",
    ]


def test_what_is_allowed_names_the_policies_that_allow_it(dump: Path) -> None:
    """One on each side."""
    done = _run(explain_deny, "acme-web", "acme-data", "5432", "--from", dump)
    assert done.exit_code == 0
    assert done.output.splitlines()[1:3] == [
        "  egress of a pod of acme-web without labels: ALLOWED, by acme-web/ringfence-allow-peers",
        "  ingress of a pod of acme-data without labels: ALLOWED, by acme-data/ringfence-allow-peers",
    ]


@pytest.mark.parametrize(
    ("question", "answer", "hint"),
    [
        (("acme-web", "acme:ringfence.dev/gateway=true", "8443"), "ALLOWED", ""),
        (("acme-web", "acme", "8443"), "DENIED", "other pods can: acme-web -> acme (ringfence.dev/gateway=true)"),
        (("acme-web", "kube-system", "53/udp"), "DENIED", "other pods can: acme-web -> kube-system (k8s-app=kube-dns)"),
        (("acme-web", "kube-system:k8s-app=kube-dns", "53/udp"), "ALLOWED", ""),
        (("acme-web", "globex-dev"), "DENIED", "next: acme and globex are two tenants"),
        (("globex-dev", "globex-prod"), "DENIED", "next: environments dev and prod never connect"),
        (
            ("default", "acme-web", "80"),
            "DENIED",
            "add {namespace: default} to spec.network.ingressFrom of Tenant acme",
        ),
        (
            ("acme-web", "203.0.113.7", "443"),
            "DENIED",
            "add {cidr: 203.0.113.7/32, ports: [443]} to spec.network.egress",
        ),
        (("203.0.113.7", "acme-web"), "DENIED", "spec.network.ingressFrom of Tenant acme"),
        (("default", "kube-system"), "ALLOWED", ""),
    ],
)
def test_every_denial_has_a_next_step_or_says_that_there_is_none(
    dump: Path, question: tuple[str, ...], answer: str, hint: str
) -> None:
    """The object and the field to change, for whoever may change it."""
    done = _run(explain_deny, *question, "--from", dump)
    assert done.output.startswith(f"{answer}: ")
    assert hint in done.output
    assert done.exit_code == (0 if answer == "ALLOWED" else 1)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (("acme-wep", "acme-data"), "did you mean acme-web?"),
        (("acme-web/none", "acme-data"), "no pod 'none' in acme-web"),
        (("acme-web:app", "acme-data"), "key=value"),
        (("acme-web", "acme-data", "http"), "neither a number up to 65535 nor a port's name"),
        (("acme-web", "acme-data", "80/icmp"), "TCP, UDP, SCTP"),
        (("acme-web", "acme-data", "70000"), "65535"),
    ],
)
def test_a_question_about_nothing_says_what_is_there(dump: Path, question: tuple[str, ...], said: str) -> None:
    """With the name that was probably meant."""
    done = _run(explain_deny, *question, "--from", dump)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_the_answer_is_there_as_json(dump: Path) -> None:
    """For a denial with its next steps."""
    done = _run(explain_deny, "acme-web", "acme-data", "8080", "--from", dump, "-o", "json")
    value = json.loads(done.output)
    assert (value["answer"], value["port"]) == ("DENIED", {"protocol": "TCP", "port": 8080})
    assert value["ports"] == [{"protocol": "TCP", "port": 5432, "endPort": 5432}]
    assert "acme-web/ringfence-deny-all" in value["egress"]["isolating"]
    assert len(value["next"]) == 2

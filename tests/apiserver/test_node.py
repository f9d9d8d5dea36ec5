"""The node of a development control plane: pods of a real API server run as processes of this machine."""

import base64
import http.client
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest

from ringfence.controlplane import Client, ControlPlane
from ringfence.controlplane.node import Machine, NodeProcess
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

PORT: Final = 8080
_MERGE: Final = "application/merge-patch+json"
_NUMBERS: Final = itertools.count(1)
Json = dict[str, Any]


class _Outside(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer as whoever is asked for."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"this is {self.headers['Host']}".encode())

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def outside() -> Iterator[int]:
    """Run a server on this machine that pods know as provider.example; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Outside)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def node(controlplane: ControlPlane, outside: int) -> Iterator[NodeProcess]:
    """Run a node whose only image is a server of files."""
    machine = Machine(
        programs={"files": [sys.executable, "-I", "-u", "-m", "http.server", str(PORT)]},
        outside={"provider.example:80": f"127.0.0.1:{outside}"},
    )
    with NodeProcess(controlplane.folder, machine) as running:
        yield running


@pytest.fixture(scope="module")
def namespace(admin: Client, node: NodeProcess) -> str:
    """A namespace where pods may be made."""
    admin.request("POST", "/api/v1/namespaces", {"metadata": {"name": "pods"}}).must()
    eventually(lambda: admin.get("/api/v1/namespaces/pods/serviceaccounts/default").ok)
    return "pods"


Run = Callable[..., str]


@pytest.fixture
def run(admin: Client, namespace: str) -> Iterator[Run]:
    """Make a pod that serves the files of its volume `data`; return its name."""
    made: list[str] = []

    def make(volume: Json, **container: Any) -> str:
        name = f"pod{next(_NUMBERS)}"
        admin.request("POST", f"/api/v1/namespaces/{namespace}/pods", _pod(name, volume, container)).must()
        made.append(name)
        return name

    yield make
    for name in made:
        admin.request("DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}", {"gracePeriodSeconds": 0})


def _pod(name: str, volume: Json, container: Json) -> Json:
    server = {
        "name": "server",
        "image": "registry.example/files:v1",
        "args": ["--directory", "/etc/app/data"],
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}},
        "volumeMounts": [{"name": "data", "mountPath": "/etc/app/data", "readOnly": True}],
        **container,
    }
    spec = {"containers": [server], "volumes": [{"name": "data", **volume}], "automountServiceAccountToken": False}
    return {"metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


class _World:
    """Asks the API server, and pods through their Services."""

    def __init__(self, admin: Client, namespace: str) -> None:
        self._admin = admin
        self._core = f"/api/v1/namespaces/{namespace}"
        self._slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"

    def make(self, plural: str, name: str, **content: Any) -> None:
        self._admin.request("POST", f"{self._core}/{plural}", {"metadata": {"name": name}, **content}).must()

    def change(self, plural: str, name: str, **content: Any) -> None:
        self._admin.request("PATCH", f"{self._core}/{plural}/{name}", content, content_type=_MERGE).must()

    def expose(self, name: str) -> None:
        """Make a Service of a pod's name, by another port than the pod's."""
        self.make("services", name, spec={"selector": {"app": name}, "ports": [{"port": 80, "targetPort": "http"}]})

    def status(self, pod: str) -> Json:
        found: Json = self._admin.get(f"{self._core}/pods/{pod}").must()["status"]
        return found

    def ready(self, pod: str) -> bool:
        conditions = self.status(pod).get("conditions", ())
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def endpoints(self, service: str) -> list[tuple[str, int]]:
        found = self._admin.get(f"{self._slices}?labelSelector=kubernetes.io/service-name={service}").must()["items"]
        return [
            (each["endpoints"][0]["addresses"][0], each["ports"][0]["port"])
            for each in found
            if each["endpoints"][0]["conditions"]["ready"]
        ]

    def served(self, service: str, path: str) -> str:
        """What the service's one pod answers."""
        (address,) = eventually(lambda: self.endpoints(service))
        try:
            return _asked(*address, path)
        except ConnectionError:
            return ""  # where nothing is asked whether it is ready, it may not listen yet


def _asked(host: str, port: int, path: str) -> str:
    with closing(http.client.HTTPConnection(host, port, timeout=10)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


@pytest.fixture
def world(admin: Client, namespace: str) -> _World:
    """What the tests ask."""
    return _World(admin, namespace)


def test_a_pod_serves_its_volume_through_its_service_and_follows_every_change(run: Run, world: _World) -> None:
    """A ConfigMap's new content is in the pod's files without a restart."""
    world.make("configmaps", "pages", data={"page": "one", "gone": "soon"})
    pod = run({"configMap": {"name": "pages"}})
    world.expose(pod)
    assert world.served(pod, "/page") == "one"
    world.change("configmaps", "pages", data={"page": "two", "gone": None, "new": "page"})
    eventually(lambda: world.served(pod, "/page") == "two")
    assert world.served(pod, "/new") == "page"
    assert "Error response" in world.served(pod, "/gone")
    assert world.status(pod)["containerStatuses"][0]["restartCount"] == 0


def test_a_pod_waits_for_a_secret_and_says_for_which_one(run: Run, world: _World) -> None:
    """It starts once the Secret is there; one that is optional is not waited for."""
    relaxed = run({"secret": {"secretName": "late", "optional": True}})
    strict = run({"secret": {"secretName": "late"}})
    eventually(lambda: world.ready(relaxed))
    waiting = world.status(strict)["containerStatuses"][0]["state"]["waiting"]
    assert "secrets pods/late is not there" in waiting["message"]
    world.make("secrets", "late", stringData={"key": "value"})
    eventually(lambda: world.ready(strict))


def test_a_pods_token_is_for_its_audience_and_ends_with_the_pod(run: Run, world: _World) -> None:
    """Tokens are asked for as a kubelet asks: bound to the pod."""
    token = {"serviceAccountToken": {"audience": "some-gateway", "path": "token", "expirationSeconds": 600}}
    pod = run({"projected": {"sources": [token]}})
    world.expose(pod)
    claims = _claims(world.served(pod, "/token"))
    assert claims["aud"] == ["some-gateway"]
    assert claims["kubernetes.io"]["pod"]["name"] == pod


def _claims(token: str) -> Json:
    middle = token.split(".")[1]
    found: Json = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found


def test_a_pod_reaches_what_it_was_given_and_nothing_else(run: Run, world: _World, outside: int) -> None:
    """The same server is reachable by the name that the pod was given, and not by its own address."""
    script = (
        "import http.client, sys\n"
        "for host, port in ((line.split() for line in sys.argv[1:])):\n"
        "    try:\n"
        "        connection = http.client.HTTPConnection(host, int(port), timeout=5)\n"
        "        connection.request('GET', '/')\n"
        "        found = connection.getresponse().read().decode()\n"
        "    except OSError as error:\n"
        "        found = type(error).__name__\n"
        "    open('/etc/app/data/' + host, 'w').write(found)\n"
    )
    tried = ["provider.example 80", f"127.0.0.1 {outside}", "198.51.100.7 80"]
    server = f"import http.server; http.server.test(http.server.SimpleHTTPRequestHandler, port={PORT})"
    code = f"{script}\nimport os; os.chdir('/etc/app/data')\n{server}"
    writable = [{"name": "data", "mountPath": "/etc/app/data"}]
    pod = run({"emptyDir": {}}, command=[sys.executable, "-c", code], args=tried, volumeMounts=writable)
    world.expose(pod)
    assert world.served(pod, "/provider.example") == "this is provider.example"
    assert world.served(pod, "/127.0.0.1") == "ConnectionRefusedError"
    assert world.served(pod, "/198.51.100.7") == "OSError"


def test_a_container_writes_to_its_volumes_and_nowhere_else(run: Run, world: _World) -> None:
    """The root is read-only, and so is a volume that is mounted so; /etc is the container's own."""
    tries = "; ".join(f"touch {path} 2>/dev/null && echo {path} >> /run/app/done" for path in _PLACES)
    command = ["/bin/sh", "-c", f"{tries}; ls /etc >> /run/app/done; exec sleep 60"]
    mounts = [{"name": "data", "mountPath": "/run/app"}, {"name": "data", "mountPath": "/etc/app", "readOnly": True}]
    shower = {
        "name": "shower",
        "image": "files",
        "args": ["--directory", "/run/app"],
        "restartPolicy": "Always",
        "ports": [{"name": "http", "containerPort": PORT}],
        "volumeMounts": [{"name": "data", "mountPath": "/run/app"}],
    }
    pod = _pod("writer", {"emptyDir": {}}, {"command": command, "volumeMounts": mounts, "ports": []})
    pod["spec"]["containers"][0].pop("readinessProbe")
    pod["spec"]["initContainers"] = [shower]
    world.make("pods", "writer", metadata=pod["metadata"], spec=pod["spec"])
    world.expose("writer")
    done = eventually(lambda: world.served("writer", "/done")).splitlines()
    assert done[0] == "/run/app/file"
    assert not set(_PLACES[1:]) & set(done)
    assert {"app", "hosts"} <= set(done)
    assert "hostname" not in done


_PLACES: Final = ("/run/app/file", "/etc/app/file", "/usr/file", "/etc/file", "/tmp/file")


def test_a_program_that_ends_is_started_again(run: Run, world: _World) -> None:
    """Its restarts are counted in the pod's status."""
    pod = run({"emptyDir": {}}, command=["/bin/true"], args=[])
    eventually(lambda: any(each["restartCount"] for each in world.status(pod).get("containerStatuses", ())))


def test_a_deployment_becomes_available_and_ends_without_a_trace(
    admin: Client, namespace: str, world: _World, node: NodeProcess
) -> None:
    """Each replica has the same ports to itself; on the way down each is out of its Service before it ends."""
    template = _pod("twins", {"emptyDir": {}}, {"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}})
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "twins"}}, "template": template}
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    admin.request("POST", path, {"metadata": {"name": "twins"}, "spec": spec}).must()
    world.expose("twins")
    eventually(lambda: admin.get(f"{path}/twins").must()["status"].get("availableReplicas") == 2)
    endpoints = eventually(lambda: found if len(found := world.endpoints("twins")) == 2 else None)
    assert len(set(endpoints)) == 2
    admin.request("PATCH", f"{path}/twins", {"spec": {"replicas": 0}}, content_type=_MERGE).must()
    eventually(lambda: not world.endpoints("twins"))
    assert _asked(*endpoints[0], "/")
    eventually(lambda: not admin.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector=app=twins").must()["items"])
    with pytest.raises(OSError, match="refused"):
        _asked(*endpoints[0], "/")


def test_a_pod_whose_image_has_no_program_here_is_left_to_others(admin: Client, world: _World, run: Run) -> None:
    """The node takes nothing that it can't run."""
    stranger = run({"emptyDir": {}}, image="registry.example/other:v1")
    known = run({"emptyDir": {}})
    eventually(lambda: world.ready(known))
    assert "nodeName" not in admin.get(f"/api/v1/namespaces/pods/pods/{stranger}").must()["spec"]


_GET: Final = (
    "from urllib.request import urlopen; print(urlopen('http://neighbour.pods.svc/page').read().decode(), end='')"
)


def test_pods_find_each_other_by_their_services(run: Run, world: _World) -> None:
    """By the name that cluster DNS would give, also of a Service that came later than the pod."""
    world.make("configmaps", "neighbour", data={"page": "from a neighbour"})
    script = f'until {sys.executable} -c "{_GET}" > /run/app/page 2>/dev/null; do sleep 0.1; done'
    asking = {
        "name": "asking",
        "image": "any",
        "command": ["/bin/sh", "-c", f"{script}; exec sleep 60"],
        "restartPolicy": "Always",
        "volumeMounts": [{"name": "data", "mountPath": "/run/app"}],
    }
    mounts = [{"name": "data", "mountPath": "/run/app"}]
    asker = _pod("asker", {"emptyDir": {}}, {"args": ["--directory", "/run/app"], "volumeMounts": mounts})
    asker["spec"]["initContainers"] = [asking]
    world.make("pods", "asker", metadata=asker["metadata"], spec=asker["spec"])
    world.expose("asker")
    eventually(lambda: world.ready("asker"))
    pod = run({"configMap": {"name": "neighbour"}})
    service = {"selector": {"app": pod}, "ports": [{"port": 80, "targetPort": "http"}]}
    world.make("services", "neighbour", spec=service)
    eventually(lambda: world.served("asker", "/page") == "from a neighbour")


def test_a_pods_ports_are_for_callers_on_this_machine(run: Run, world: _World) -> None:
    """They listen at an address that others can reach, and hang up on whoever comes from another one."""
    pod = run({"emptyDir": {}})
    world.expose(pod)
    (address,) = eventually(lambda: world.endpoints(pod))
    assert "Directory listing" in _asked(*address, "/")
    with closing(http.client.HTTPConnection(*address, timeout=10, source_address=("127.0.0.1", 0))) as stranger:
        stranger.request("GET", "/")
        with pytest.raises(ConnectionError):
            stranger.getresponse()


def test_programs_end_with_their_node(run: Run, world: _World, node: NodeProcess) -> None:
    """Even with one that is killed, which can't end them itself. It is the last test: no pod runs after it."""
    pod = run({"emptyDir": {}})
    eventually(lambda: world.ready(pod))
    assert node.pid is not None
    programs = [int(each) for task in Path(f"/proc/{node.pid}/task").iterdir() for each in _children(task)]
    assert programs
    os.kill(node.pid, signal.SIGKILL)
    eventually(lambda: not any(Path(f"/proc/{each}").exists() for each in programs))


def _children(task: Path) -> list[str]:
    return (task / "children").read_text().split()

"""The API server and etcd are away, hang or lack a definition: the operator says so, waits, and nothing is lost."""

from collections.abc import Callable, Iterator

import pytest

from ringfence import names
from ringfence.cli.glass import in_force
from ringfence.model.kinds import LEASE, MODEL_ROUTE, NETWORK_POLICY, Ref
from tests.apiserver.installing import REPOSITORY, Cluster, on
from tests.breaking import delete_by_force
from tests.installed import installed
from tests.operating import OperatorProcess, operator_kubeconfig
from tests.tenancy import Tenancy
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

SLOWLY = ("--writes-per-second", "15")
BURST = tuple(f"n{number}" for number in range(8))
FENCE = 10  # writes that a Namespace takes at least
SUPERSEDED = 4
MODEL_ROUTES = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{MODEL_ROUTE.plural}.{MODEL_ROUTE.group}"
ASKABLE = 90  # seconds: an API server that was just started looks for definitions every 5, for parameters every 30
LEASE_PATH = Ref(LEASE, names.OPERATOR_NAMESPACE, names.LEASE).path


@pytest.fixture(scope="module")
def cluster(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A control plane of its own, for it is broken again and again."""
    with installed(pytestconfig) as plane:
        yield on(plane, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def process(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator with one ledger for all tests, not running yet."""
    kubeconfig = operator_kubeconfig(cluster.plane)
    # Slow enough for an outage to come in the middle of something.
    operator = OperatorProcess(cluster.plane, tmp_path_factory.mktemp("operator"), kubeconfig, SLOWLY)
    yield operator
    operator.kill()


@pytest.fixture
def operator(process: OperatorProcess) -> OperatorProcess:
    """The operator, leading and at rest."""
    process.keep_running()
    eventually(lambda: process.leads() and process.settled(), 60)
    return process


@pytest.fixture
def tenancy(operator: OperatorProcess, tenant_name: Callable[[], str]) -> Tenancy:
    """A tenant of the test's own, served, with one Namespace that was made in peace."""
    tenancy = Tenancy(operator.plane.admin, tenant_name())
    eventually(lambda: in_force(operator.plane.admin), ASKABLE)
    tenancy.begin()
    eventually(tenancy.served, ASKABLE)
    tenancy.apply("calm")
    eventually(lambda: tenancy.served("calm"), 90)
    return tenancy


def test_started_before_the_api_server_it_serves_once_that_is_there(
    process: OperatorProcess, cluster: Cluster, tenant_name: Callable[[], str]
) -> None:
    """It says whom it waits for, is alive but not ready, and needs no restart."""
    tenancy = Tenancy(cluster.plane.admin, tenant_name())
    tenancy.begin()
    cluster.plane.apiserver.kill()
    process.start()
    waiting = eventually(lambda: process.said("waiting for the API server"), 90)
    assert cluster.plane.url in waiting["error"]
    assert waiting["retry_in"] > 0
    assert process.probe("/healthz") == (200, "starting\n")
    assert process.probe("/readyz")[0] == 503
    cluster.plane.apiserver.start()
    eventually(process.leads, 60)
    eventually(lambda: process.probe("/readyz") == (200, "leader\n"), ASKABLE)
    eventually(tenancy.served, ASKABLE)


@pytest.mark.parametrize("server", ["api server", "etcd"])
def test_an_outage_in_the_middle_of_work_loses_nothing(
    operator: OperatorProcess, cluster: Cluster, tenancy: Tenancy, server: str
) -> None:
    """Every Namespace gets what one gets that was made in peace, and every run has an outcome on record."""
    written = operator.metrics()["ringfence_writes_total"]
    tenancy.apply(*BURST)
    eventually(lambda: operator.metrics()["ringfence_writes_total"] > written + 3)
    killed = cluster.plane.etcd if server == "etcd" else cluster.plane.apiserver
    killed.kill()
    made = operator.metrics()["ringfence_writes_total"] - written
    assert made < len(BURST) * FENCE, "everything was done before the outage"
    killed.start()
    _everything_is_made_and_recorded(operator, tenancy)


def test_an_api_server_that_hangs_for_longer_than_the_lease_ends_the_operator(
    operator: OperatorProcess, cluster: Cluster, tenancy: Tenancy
) -> None:
    """Another one may lead by then, so it stops within the lease's 15 s. Started anew, it does what was left."""
    tenancy.apply(*BURST)
    cluster.plane.apiserver.freeze()
    try:
        assert operator.exit_code(30) == SUPERSEDED
    finally:
        cluster.plane.apiserver.thaw()
    assert operator.said("lease lost")
    assert "the lease could not be renewed" in operator.log.read_text()
    operator.start()
    _everything_is_made_and_recorded(operator, tenancy)


def test_a_definition_that_is_deleted_and_comes_back_is_waited_for(
    operator: OperatorProcess, cluster: Cluster, tenancy: Tenancy
) -> None:
    """Fences are repaired meanwhile; what was asked for meanwhile is done when all kinds are served again."""
    admin = cluster.plane.admin
    delete_by_force(admin, MODEL_ROUTES)
    missing = eventually(lambda: operator.said("custom resource definitions are missing"), 60)
    assert missing["missing"] == [MODEL_ROUTE.plural]
    assert "manifests/install" in missing["event"]
    tenancy.apply("meanwhile")
    _a_fence_is_repaired(tenancy)
    _install_definitions(cluster)
    eventually(lambda: tenancy.served("calm", "meanwhile"), 60)
    assert operator.leads()


def test_started_without_one_definition_it_names_it_and_serves_once_it_is_installed(
    operator: OperatorProcess, cluster: Cluster, tenancy: Tenancy
) -> None:
    """Nothing is decided until all kinds are known: what exists unseen might own what is about to be made."""
    assert operator.stop() == 0
    admin = cluster.plane.admin
    assert admin.get(LEASE_PATH).must()["spec"]["holderIdentity"] == ""
    delete_by_force(admin, MODEL_ROUTES)
    eventually(lambda: not admin.get(MODEL_ROUTES).ok)
    tenancy.apply("early")
    operator.start()
    missing = eventually(lambda: operator.said("custom resource definitions are missing"), 90)
    assert missing["missing"] == [MODEL_ROUTE.plural]
    status, why = operator.probe("/readyz")
    assert status == 503
    assert "custom resources" in why
    assert not admin.get(tenancy.core("early")).ok
    _install_definitions(cluster)
    eventually(operator.leads, 60)
    eventually(lambda: tenancy.served("early"), ASKABLE)


def _everything_is_made_and_recorded(operator: OperatorProcess, tenancy: Tenancy) -> None:
    eventually(lambda: operator.keep_running() and tenancy.served("calm", *BURST), 90)
    eventually(operator.settled, 60)
    expected = tenancy.children("calm").keys()
    assert len(expected) > 8
    for name in BURST:
        assert tenancy.children(name).keys() == expected
    started, ended = (_runs(operator, types) for types in ({"START"}, {"COMPLETE", "FAIL", "ABORT"}))
    assert started - ended == set()


def _runs(operator: OperatorProcess, types: set[str]) -> set[str]:
    return {event["run"]["runId"] for event in operator.records() if event["eventType"] in types}


def _install_definitions(cluster: Cluster) -> None:
    cluster.kubectl("apply", "--server-side", "-k", str(REPOSITORY / "crds"))


def _a_fence_is_repaired(tenancy: Tenancy) -> None:
    core = names.core_namespace(tenancy.tenant, "calm")
    policy = Ref(NETWORK_POLICY, core, names.DENY_ALL)
    delete_by_force(tenancy.admin, policy.path)
    eventually(lambda: tenancy.admin.get(policy.path).ok)

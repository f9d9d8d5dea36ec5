"""Attacks that a namespace's own settings refuse: the level of Pod Security, and the quota.

Law: a row of Pod Security fails one check of the level, and one of the quota exceeds one resource. What policies refuse
as well is asked where the glass was broken: it opens policies, and never these.
"""

import copy
from typing import Any, Final

from ringfence.admission.threats import Threat
from tests.attack.asking import create
from tests.attack.prepared import DEVELOPER, GITOPS, pod
from tests.attack.rows import LevelRow, QuotaRow, Row, core, named
from tests.attack.rows_fence import REASON

STRICT: Final = "acme-prod"
"""A namespace whose level is the strictest one."""
TIGHT: Final = "acme-tight"
"""One whose quota leaves nothing."""
PODS: Final = core(STRICT, "pods")
PLAIN: Final = (DEVELOPER, create(PODS, pod("web", STRICT)))


def run(metadata: dict[str, Any] | None = None, **spec: Any) -> Any:
    """A pod with these fields."""
    whole = pod("web", STRICT, **spec)
    whole["metadata"].update(metadata or {})
    return create(PODS, whole)


def contained(**security: Any) -> Any:
    """A pod whose container has these security settings beside the strict ones; None takes one away."""
    whole = copy.deepcopy(pod("web", STRICT))
    settings = {**whole["spec"]["containers"][0]["securityContext"], **security}
    kept = {name: value for name, value in settings.items() if value is not None}
    whole["spec"]["containers"][0]["securityContext"] = kept
    return create(PODS, whole)


def probing(host: str) -> Any:
    """A pod that its node asks for its health at this host."""
    whole = copy.deepcopy(pod("web", STRICT))
    whole["spec"]["containers"][0]["livenessProbe"] = {"httpGet": {"host": host, "port": 80}}
    return create(PODS, whole)


def level(title: str, rule: str, request: Any, **more: Any) -> Row:
    return LevelRow(title, rule, (DEVELOPER, request), PLAIN, threat=Threat.BROKEN_PODS, **more)


KERNEL: Final = {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}
FOREIGN_DISK: Final = {"name": "disk", "nfs": {"server": "10.0.0.1", "path": "/"}}

LEVEL_ROWS: Final = (
    level("the node's superuser", "runAsNonRoot != true", contained(runAsNonRoot=None)),
    level("the number of the superuser", "runAsUser=0", contained(runAsUser=0)),
    level("more rights than its parent", "allowPrivilegeEscalation != false", contained(allowPrivilegeEscalation=None)),
    level("raw packets", "unrestricted capabilities", contained(capabilities={})),
    level("every call to the kernel", "seccompProfile", contained(seccompProfile=None)),
    level("the node, made to ask another host", "probe or lifecycle host", probing("10.0.0.1"), backed=True),
    level("a setting of the kernel", "forbidden sysctls", run(securityContext=KERNEL)),
    level("another SELinux user", "seLinuxOptions", contained(seLinuxOptions={"user": "system_u"})),
    level("no AppArmor", "forbidden AppArmor profile", contained(appArmorProfile={"type": "Unconfined"})),
    level(
        "a disk over the network, as root of it", "restricted volume types", run(volumes=[FOREIGN_DISK]), backed=True
    ),
)


def quota(title: str, rule: str, threat: Threat, attack: Any, twin: Any) -> Row:
    return QuotaRow(title, rule, attack, twin, threat=threat)


def service(**spec: Any) -> Any:
    """A Service for which somebody broke the glass."""
    body = {"spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}}
    return create(
        core("acme-dev", "services"), named("web", {**body, "metadata": {"name": "web", **REASON["metadata"]}})
    )


def claim(where: str, size: str = "1Gi") -> Any:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
        "storageClassName": "encrypted",
    }
    return create(core(where, "persistentvolumeclaims"), named("data", {"spec": spec}))


def sized(cpu: str) -> Any:
    """A pod that asks for so many processors."""
    whole = copy.deepcopy(pod("web", TIGHT))
    whole["spec"]["containers"][0]["resources"] = {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}
    return create(core(TIGHT, "pods"), whole)


QUOTA_ROWS: Final = (
    quota(
        "a port of every node",
        "services.nodeports",
        Threat.EXPOSED_SERVICES,
        (GITOPS, service(type="NodePort")),
        (GITOPS, service()),
    ),
    quota(
        "an address of the cloud's",
        "services.loadbalancers",
        Threat.EXPOSED_SERVICES,
        (GITOPS, service(type="LoadBalancer", allocateLoadBalancerNodePorts=False)),
        (GITOPS, service()),
    ),
    quota(
        "more processors than were granted",
        "requests.cpu",
        Threat.QUOTA_RACES,
        (DEVELOPER, sized("2")),
        (DEVELOPER, sized("1")),
    ),
    quota(
        "storage beside the gateway",
        "persistentvolumeclaims",
        Threat.QUOTA_RACES,
        (GITOPS, claim("acme")),
        (GITOPS, claim("acme-dev")),
    ),
    quota(
        "more maps than were granted",
        "configmaps",
        Threat.HUGE_OBJECTS,
        (DEVELOPER, create(core(TIGHT, "configmaps"), named("more"))),
        (DEVELOPER, create(core("acme-dev", "configmaps"), named("more"))),
    ),
)

ROWS: Final = (*LEVEL_ROWS, *QUOTA_ROWS)

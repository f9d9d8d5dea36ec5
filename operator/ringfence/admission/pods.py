"""Pods: the one gate that every workload passes, whoever makes it.

Law: what the Pod Security level refuses is refused here once more, so that a label taken off a namespace opens no node;
no pod carries a token but the gateway's, nor a credential in its own text.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import GLASS_WHOLE, LIVING, ME, OPERATOR, SPEC_CHANGED, annotations, noted_otherwise
from ringfence.admission.policy import Expression, Policy, Resources, Validation
from ringfence.admission.scheduling import PLACE_RULES, PLACE_VARIABLES
from ringfence.admission.threats import Threat
from ringfence.model.rules import cel_list

_LONGEST_TOKEN: Final = 86_400
"""In seconds: nodes ask for whatever a pod says, and a token that was taken works until its end."""
_CREDENTIAL_NAME: Final = "(KEY|TOKEN|PASSWORD|SECRET)$"
# `$(NAME)` is what another variable holds, which may come from a Secret.
_REFERENCE: Final = "^[$][(][A-Za-z_][A-Za-z0-9_.-]*[)]$"

# What the node would mount from wherever a pod says is a way past every NetworkPolicy. A hostPath has its own rule.
_VOLUMES: Final = (
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
    *("hostPath", "image", "persistentVolumeClaim", "projected", "secret"),
)
# By these, network plugins give a pod other networks or addresses, of which NetworkPolicies know nothing.
_NETWORKS: Final = (
    *("cni.projectcalico.org/", "k8s.ovn.org/", "k8s.v1.cni.cncf.io/", "v1.multus-cni.io/"),
    *("ipam.antrea.io/", "ipam.cilium.io/", "ipam.spidernet.io/", "ovn.kubernetes.io/"),
)
# What level Baseline lets a container add.
_CAPABILITIES: Final = cel_list(
    (
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP"),
        *("SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
)
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle.?postStart", "lifecycle.?preStop")
_SOURCES: Final = ("clusterTrustBundle", "configMap", "downwardAPI", "secret", "serviceAccountToken")


def _no(field: str) -> str:
    return f"!object.spec.?{field}.orValue(false)"


PODS: Final = Policy(
    name="ringfence-pods",
    about="A pod of a tenant runs where it may, shares nothing with its node, and carries no credential.",
    # One policy, though it is long: most of what a policy costs is the conversion of object and Guardrail.
    resources=(Resources("", ("pods", "pods/ephemeralcontainers")),),
    unless=(
        GLASS_WHOLE,
        LIVING,
        Expression(SPEC_CHANGED.name, f"{SPEC_CHANGED.cel} || {OPERATOR} || {noted_otherwise(_NETWORKS)}"),
    ),
    screened=True,
    missing="Deny",
    variables=(
        Expression(
            "containers",
            """
            object.spec.containers + object.spec.?initContainers.orValue([])
              + object.spec.?ephemeralContainers.orValue([])
            """,
        ),
        Expression("volumes", "object.spec.?volumes.orValue([])"),
        *PLACE_VARIABLES,
    ),
    validations=(
        Validation(
            "pod-host-namespaces",
            (Threat.BROKEN_PODS,),
            " && ".join(map(_no, ("hostNetwork", "hostPID", "hostIPC"))),
            "no host namespaces",
        ),
        Validation(
            "pod-privileged",
            (Threat.BROKEN_PODS,),
            "variables.containers.all(c, !c.?securityContext.?privileged.orValue(false))",
            "no privileged containers",
        ),
        Validation(
            "pod-capabilities",
            (Threat.BROKEN_PODS,),
            f"""
            variables.containers.all(c, c.?securityContext.?capabilities.?add.orValue([]).all(a,
              a in {_CAPABILITIES}))
            """,
            "no capabilities beyond those that level Baseline allows",
        ),
        Validation(
            "pod-probe-host",
            (Threat.OPENED_NETWORK, Threat.SIDE_ENTRANCES),
            " && ".join(
                f"variables.containers.all(c, c.?{probe}.?{way}.?host.orValue('') == '')"
                for probe in _PROBES
                for way in ("httpGet", "tcpSocket")
            ),
            "no hosts in probes and hooks: the node would knock there, past every NetworkPolicy",
        ),
        Validation(
            "pod-host-path",
            (Threat.BROKEN_PODS,),
            "variables.volumes.all(v, !has(v.hostPath))",
            "no hostPath volumes",
        ),
        Validation(
            "pod-volumes",
            (Threat.BROKEN_PODS, Threat.EXFILTRATION),
            f"variables.volumes.all(v, {' || '.join(f'has(v.{source})' for source in _VOLUMES)})",
            f"volumes of these sources only: {', '.join(source for source in _VOLUMES if source != 'hostPath')}",
        ),
        Validation(
            "pod-networks",
            (Threat.OPENED_NETWORK, Threat.SIDE_ENTRANCES),
            # What a plugin itself noted there stays; most tell it by the status, some of kube-system's don't.
            f"""
            {ME}.startsWith('system:serviceaccount:kube-system:') || !{annotations("object")}.exists(k,
              ({" || ".join(f"k.startsWith('{prefix}')" for prefix in _NETWORKS)})
              && {annotations("oldObject")}[?k].orValue('') != object.metadata.annotations[k])
            """,
            "no other networks or addresses: NetworkPolicies would not hold there",
        ),
        Validation(
            "pod-key-account",
            (Threat.STOLEN_TOKENS,),
            f"!object.spec.?serviceAccountName.orValue('').startsWith('{names.gateway_key('')}')",
            "the account of a gateway key is for callers without a pod here",
        ),
        Validation(
            "pod-host-port",
            (Threat.BROKEN_PODS, Threat.EXPOSED_SERVICES),
            "variables.containers.all(c, c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0))",
            "no ports of the node",
        ),
        Validation(
            "pod-node-name",
            (Threat.BROKEN_PODS, Threat.CHANGED_PLACE),
            "request.operation != 'CREATE' || object.spec.?nodeName.orValue('') == ''",
            "nodeName is set by the scheduler",
        ),
        Validation(
            "pod-token",
            (Threat.STOLEN_TOKENS,),
            f"""
            variables.volumes.all(v, v.?projected.?sources.orValue([]).all(s, !has(s.serviceAccountToken)
              || s.serviceAccountToken.?audience.orValue('') == '{names.GATEWAY_AUDIENCE}'))
            """,
            f"no tokens but for audience {names.GATEWAY_AUDIENCE}; set automountServiceAccountToken: false",
        ),
        Validation(
            "pod-token-age",
            (Threat.STOLEN_TOKENS,),
            f"""
            variables.volumes.all(v, v.?projected.?sources.orValue([]).all(s,
              s.?serviceAccountToken.?expirationSeconds.orValue({_LONGEST_TOKEN}) <= {_LONGEST_TOKEN}))
            """,
            f"a pod's token is renewed every day: expirationSeconds is {_LONGEST_TOKEN} at most",
        ),
        Validation(
            "pod-certificate",
            (Threat.STOLEN_TOKENS,),
            f"""
            variables.volumes.all(v, v.?projected.?sources.orValue([]).all(s,
              {" || ".join(f"has(s.{source})" for source in _SOURCES)}))
            """,
            f"projected volumes of these sources only: {', '.join(_SOURCES)}; no certificates of the pod's own",
        ),
        Validation(
            "pod-credential",
            (Threat.READ_SECRETS,),
            f"""
            variables.containers.all(c, c.?env.orValue([]).all(e, e.?value.orValue('') == ''
              || !e.name.upperAscii().matches('{_CREDENTIAL_NAME}') || e.value.matches('{_REFERENCE}')))
            """,
            "a credential stands in env in clear; take it from a Secret (valueFrom.secretKeyRef)",
        ),
        *PLACE_RULES,
        Validation("operator-pod", (Threat.CONFUSED_DEPUTY,), f"!({OPERATOR})", "the operator runs no pods"),
    ),
)

POLICIES: Final = (PODS,)

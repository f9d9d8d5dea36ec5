"""What the API server itself fills in beside what Ringfence says.

Law: of a field that Ringfence owns whole, these keys with these values are no difference; any other key is somebody's.

Kubernetes: pkg/apis/{core,apps}/v1/defaults.go; an object as it was applied is compared on a real API server by
`tests/apiserver/test_gateway_objects.py`.
"""

from collections.abc import Mapping
from typing import Any, Final

ANY: Final = object()
"""Whatever the API server chose."""

_POD_TEMPLATE: Final[Mapping[str, Any]] = {
    "creationTimestamp": ANY,
    "dnsPolicy": "ClusterFirst",
    "failureThreshold": 3,
    "imagePullPolicy": ANY,  # by the image's tag
    # `kubectl rollout restart` writes when it was; taking that away would be one more restart.
    "kubectl.kubernetes.io/restartedAt": ANY,
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "scheme": "HTTP",
    "serviceAccount": ANY,  # the old name of `serviceAccountName`, which is compared
    "successThreshold": 1,
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "timeoutSeconds": 1,
}
_BY_KIND: Final[Mapping[str, Mapping[str, Any]]] = {
    "Deployment": {**_POD_TEMPLATE, "progressDeadlineSeconds": 600},
    "Service": {
        "clusterIP": ANY,
        "clusterIPs": ANY,
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ANY,
        "ipFamilyPolicy": ANY,
        "sessionAffinity": "None",
    },
}


def is_default(kind: str, name: str, value: Any) -> bool:
    """Whether this key of an object of that kind is there without anybody's having asked for it."""
    defaults = _BY_KIND.get(kind, {})
    return name in defaults and defaults[name] in (ANY, value)

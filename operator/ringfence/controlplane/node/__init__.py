"""A node without a kubelet or containers: the pods of a development control plane run as processes of this machine.

    from ringfence.controlplane.node import Machine, NodeProcess

    machine = Machine(programs={"envoy": ["/path/to/envoy"]}, outside={"api.example:443": "127.0.0.1:4711"})
    with NodeProcess(plane.folder, machine):
        ...                                  # pods whose images have a program here run; the others wait

What it keeps of a kubelet: volumes (ConfigMaps, Secrets, projected tokens, swapped by `..data`), commands and arguments
exactly as they stand in the pod, mounts at their paths, a read-only root, readiness, restarts, grace on deletion, the
rights of a node. What it lacks: images, cgroups, users, init containers other than sidecars, and NetworkPolicies.
"""

from ringfence.controlplane.node.machine import NODE, Machine
from ringfence.controlplane.node.process import NodeProcess

__all__ = ["NODE", "Machine", "NodeProcess"]

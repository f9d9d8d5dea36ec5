"""The ends of a connection and its port, as they are written on a command line."""

import difflib
from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ringfence.reach.ports import Port
    from ringfence.reach.world import End, Pod, World

_LAST_PORT = 65535


def end_of(world: "World", text: str, argument: str) -> "End":
    """Who is meant; ends the command where nobody is."""
    from ringfence.reach.world import External, Pod

    try:
        return External(ip_address(text))
    except ValueError:
        pass
    namespace, _, labels = text.partition(":")
    namespace, _, name = namespace.partition("/")
    if namespace not in world.namespaces:
        raise _unknown(f"there is no namespace {namespace!r}", namespace, world.namespaces, argument)
    if name:
        return _pod(world, namespace, name, argument)
    return Pod(namespace, _labels(labels, argument) if labels else {})


def port_of(text: str, target: "End") -> "Port":
    """Which port is meant; ends the command where none is."""
    from ringfence.reach.ports import PROTOCOLS, Port
    from ringfence.reach.world import Pod

    number, _, protocol = text.partition("/")
    protocol = protocol.upper() or "TCP"
    if protocol not in PROTOCOLS:
        raise _wrong(f"{protocol} is no protocol of NetworkPolicies: {', '.join(PROTOCOLS)}", "PORT")
    if number.isdecimal() and 1 <= int(number) <= _LAST_PORT:
        return Port(protocol, int(number))
    found = target.ports.get((number, protocol)) if isinstance(target, Pod) else None
    if not found:
        raise _wrong(f"{number!r} is neither a number up to {_LAST_PORT} nor a port's name that {target} has", "PORT")
    return Port(protocol, min(found))


def _pod(world: "World", namespace: str, name: str, argument: str) -> "Pod":
    pods = {pod.name: pod for pod in world.pods.get(namespace, ())}
    if name not in pods:
        raise _unknown(f"there is no pod {name!r} in {namespace}", name, pods, argument)
    return pods[name]


def _labels(text: str, argument: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(key and equals for key, equals, _ in pairs):
        raise _wrong(f"{text!r} are no labels: write key=value,key=value", argument)
    return {key: value for key, _, value in pairs}


def _unknown(message: str, name: str, names: Iterable[str], argument: str) -> typer.BadParameter:
    close = difflib.get_close_matches(name, names, n=1)
    return _wrong(message + (f"; did you mean {close[0]}?" if close else ""), argument)


def _wrong(message: str, argument: str) -> typer.BadParameter:
    return typer.BadParameter(message, param_hint=argument)

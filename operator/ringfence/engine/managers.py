"""Who changed an object, as far as the API server says.

Law: ``managedFields`` are evidence, not proof: times have whole seconds, and who only removed a field leaves no entry.
"""

from ringfence import names
from ringfence.ports.cluster import Object


def latest_managers(thing: Object) -> tuple[str, ...]:
    """Return the field managers of the newest write, ours and those of subresources left out."""
    entries = [
        (entry.get("time", ""), entry.get("manager", ""))
        for entry in thing["metadata"].get("managedFields") or ()
        if not entry.get("subresource")
    ]
    newest = max((time for time, _ in entries), default="")
    managers = dict.fromkeys(manager for time, manager in entries if time == newest)
    return tuple(manager for manager in managers if manager and manager != names.FIELD_MANAGER)

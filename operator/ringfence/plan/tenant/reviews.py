"""What a Tenant's people have to look at from time to time.

Law: a date that nobody declared is unknown, and said to be unknown. Messages name no person: they go into records.
"""

from collections.abc import Iterator
from datetime import datetime

from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.plan import Condition
from ringfence.plan.reasons import ConditionType
from ringfence.plan.timers import Deadline, after, due, moment


def reviews(tenant: Subject[TenantSpec], spec: TenantSpec, now: datetime) -> tuple[Condition, ...]:
    """The conditions that speak of dates."""
    found = (
        due(ConditionType.ACCESS_REVIEW_DUE, _access(tenant, spec), now),
        due(ConditionType.ROTATION_DUE, _rotations(spec), now),
        due(ConditionType.EXCEPTION_EXPIRED, _exceptions(spec), now),
    )
    return tuple(condition for condition in found if condition is not None)


def dates(tenant: Subject[TenantSpec], spec: TenantSpec) -> tuple[datetime | None, ...]:
    """All dates at which one of those conditions changes."""
    deadlines = (*_access(tenant, spec), *_rotations(spec), *_exceptions(spec))
    return tuple(deadline.at for deadline in deadlines)


def _access(tenant: Subject[TenantSpec], spec: TenantSpec) -> Iterator[Deadline]:
    """Reviews are counted from the Tenant's creation, when its lists were first decided."""
    if every := spec.access.review_every:
        yield Deadline(f"the access lists are to be reviewed every {every}", after(moment(tenant.meta.created), every))


def _rotations(spec: TenantSpec) -> Iterator[Deadline]:
    for provider in spec.providers:
        credential = provider.credential
        if credential is not None and (every := credential.rotate_every):
            what = f"the key of provider {provider.name} is to be rotated every {every}"
            yield Deadline(what, after(credential.rotated_at, every))


def _exceptions(spec: TenantSpec) -> Iterator[Deadline]:
    for exception in spec.exceptions:
        yield Deadline(f"an exception to {exception.control} ends", exception.until)

"""What falls due without an event to announce it.

Law: time is data. A date gives a condition and the moment to look again; nothing here reads a clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ringfence import names
from ringfence.model.fields import Duration
from ringfence.model.subject import Meta
from ringfence.plan.plan import Condition
from ringfence.plan.reasons import ConditionType, Reason

LONGEST_PAUSE = timedelta(hours=4)
RECHECK = timedelta(seconds=30)
"""When to ask again for something that no event announces."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something that falls due; ``at`` is None where that can't be known."""

    what: str
    """For people: what to do."""
    at: datetime | None


def moment(text: str) -> datetime | None:
    """An RFC 3339 time; None where ``text`` is none or has no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def after(start: datetime | None, span: Duration) -> datetime | None:
    """``span`` after ``start``; None where there is no start."""
    return start + timedelta(seconds=span.seconds) if start else None


def due(kind: ConditionType, deadlines: Iterable[Deadline], now: datetime) -> Condition | None:
    """The condition ``kind``: True when one deadline has passed, Unknown when one can't be known; None without any."""
    known = sorted(deadlines, key=lambda deadline: deadline.what)
    if passed := [each for each in known if each.at is not None and each.at <= now]:
        return Condition(
            kind, "True", Reason.DUE, "; ".join(f"{each.what} (since {_text(each.at)})" for each in passed)
        )
    if unknown := [each for each in known if each.at is None]:
        return Condition(kind, "Unknown", Reason.AGE_UNKNOWN, "; ".join(each.what for each in unknown))
    if not known:
        return None
    first = min((each for each in known if each.at is not None), key=lambda each: _text(each.at))
    return Condition(kind, "False", Reason.NOT_DUE, f"next: {first.what} ({_text(first.at)})")


def next_moment(now: datetime, *moments: datetime | None) -> datetime | None:
    """The earliest of these moments that is still to come."""
    return min((each for each in moments if each is not None and each > now), default=None)


def paused_until(metas: Iterable[Meta], now: datetime) -> datetime | None:
    """Until when repair is suspended; None where it is not."""
    ends = [end for meta in metas if (end := _pause(meta)) is not None and now < end <= now + LONGEST_PAUSE]
    return max(ends, default=None)


def paused(until: datetime | None, refused: str | None) -> Condition | None:
    """The condition Paused while repair is suspended, or was asked to be and is not."""
    if until is None:
        return Condition(ConditionType.PAUSED, "False", Reason.PAUSE_REFUSED, refused) if refused else None
    message = f"repair is suspended until {_text(until)}; remove {names.PAUSED_UNTIL_ANNOTATION} to end it"
    return Condition(ConditionType.PAUSED, "True", Reason.PAUSED, message)


def refused_pause(meta: Meta, now: datetime) -> str | None:
    """Why a pause that was asked for is not made."""
    asked = meta.annotations.get(names.PAUSED_UNTIL_ANNOTATION)
    end = _pause(meta)
    if asked is None or (end is not None and end <= now + LONGEST_PAUSE):
        return None
    limit = int(LONGEST_PAUSE.total_seconds() // 3600)
    return f"{names.PAUSED_UNTIL_ANNOTATION} must be a time in UTC at most {limit} hours ahead; repair goes on"


def _pause(meta: Meta) -> datetime | None:
    asked = meta.annotations.get(names.PAUSED_UNTIL_ANNOTATION)
    return moment(asked) if asked is not None else None


def _text(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""

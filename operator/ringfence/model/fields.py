"""The types of single fields: names, texts, durations, times, schedules.

Law: every string has a greatest length and an anchored pattern in the common part of RE2 (the API server), Rust's
regular expressions (pydantic; both take linear time) and ECMAScript's (editors), so all judge alike.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from ringfence.model.rules import Rule, with_validations

DnsLabel = Annotated[str, Field(max_length=63, pattern="^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
DnsSubdomain = Annotated[
    str, Field(max_length=253, pattern="^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")
]
Region = DnsLabel

NAMESPACE_NAME: Final = "[a-z](-?[a-z0-9])*"
NAMESPACE_NAME_LENGTH: Final = 32
NamespaceName = Annotated[str, Field(max_length=NAMESPACE_NAME_LENGTH, pattern=f"^{NAMESPACE_NAME}$")]
"""The name of a Namespace object: never ``--``, never a hyphen at an end."""

ENVIRONMENT: Final = "[a-z]([a-z0-9-]*[a-z0-9])?"
ENVIRONMENT_LENGTH: Final = 30
EnvironmentName = Annotated[str, Field(max_length=ENVIRONMENT_LENGTH, pattern=f"^{ENVIRONMENT}$")]
ProviderName = EnvironmentName
ModelName = Annotated[str, Field(max_length=96, pattern="^[A-Za-z0-9][A-Za-z0-9._:/@-]*$")]
"""A model's exact name; no wildcard."""

Revision = Annotated[str, Field(max_length=68, pattern="^rev-[0-9a-f]{8,64}$")]

LABEL_VALUE: Final = "[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
LabelValue = Annotated[str, Field(max_length=63, pattern=f"^({LABEL_VALUE})?$")]
LabelText = Annotated[str, Field(max_length=63, pattern=f"^{LABEL_VALUE}$")]
"""A label's value that is not empty."""

LABEL_PREFIX_LENGTH: Final = 253
_DOMAIN: Final = "[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
_LABEL_KEY: Final = f"({_DOMAIN}/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?"
LabelKey = Annotated[str, Field(max_length=LABEL_PREFIX_LENGTH, pattern=f"^{_LABEL_KEY}$")]
LABEL_KEYS: Final = Rule(
    f"self.all(k, k.matches('^{_LABEL_KEY}$') && k.indexOf('/') <= {LABEL_PREFIX_LENGTH})",
    "every key must be a label's key: an optional DNS name and slash, then 63 letters, digits and ._- at most",
    lambda labels: all(re.fullmatch(_LABEL_KEY, key) and key.find("/") <= LABEL_PREFIX_LENGTH for key in labels),
)
LabelMap = Annotated[Mapping[str, LabelValue], Field(max_length=32), LABEL_KEYS]

Line = Annotated[str, Field(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of text for people, perhaps empty."""
Statement = Annotated[str, Field(max_length=512, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")]
"""One line of text for people that says something."""
Email = Annotated[str, Field(max_length=254, pattern="^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}$")]


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


INTEGRAL: Final = BeforeValidator(_whole)
"""Makes 1.0 an integer, as JSON schema has it."""
Port = Annotated[int, Field(ge=1, le=65535), INTEGRAL]
PerMinute = Annotated[int, Field(ge=1, le=2_147_483_647), INTEGRAL]

_DURATION: Final = "[1-9][0-9]{0,5}[smhd]"
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(str):
    """A span of time as it was written: ``15s``, ``10m``, ``24h``, ``90d``."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Duration":
        """Raises ValueError where ``text`` is not a duration."""
        if re.fullmatch(_DURATION, text) is None:
            raise ValueError(f"not a duration: {text!r}; write for example 15s, 10m, 24h or 90d")
        return super().__new__(cls, text)

    @property
    def seconds(self) -> int:
        """Its length in seconds."""
        return int(self[:-1]) * _SECONDS[self[-1]]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(max_length=7, pattern=f"^{_DURATION}$", strict=True)
        return core_schema.no_info_after_validator_function(cls, text)


def at_most(limit: str) -> Rule:
    """A rule that a duration is not longer than ``limit``."""
    most = Duration(limit).seconds
    return Rule(f"{cel_seconds('self')} <= {most}", f"must be {limit} at most", lambda span: span.seconds <= most)


def at_least(limit: str) -> Rule:
    """A rule that a duration is not shorter than ``limit``."""
    least = Duration(limit).seconds
    return Rule(f"{cel_seconds('self')} >= {least}", f"must be {limit} at least", lambda span: span.seconds >= least)


def cel_seconds(duration: str) -> str:
    """The CEL expression for the length in seconds of the duration that the expression ``duration`` gives."""
    number = f"int({duration}.substring(0, {duration}.size() - 1))"
    factor = f"{{'s': 1, 'm': 60, 'h': 3600, 'd': 86400}}[{duration}.substring({duration}.size() - 1)]"
    return f"{number} * {factor}"


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


# Not `format: date-time`: with a format of its own, the API server takes a list for a string.
_EXISTS: Final = Rule(
    "timestamp(self) > timestamp('0001-01-01T00:00:00Z')",
    "must be a moment that exists, such as 2026-11-01T00:00:00Z",
    _is_moment,
)


class _Moment:
    """RFC 3339 in UTC; the pattern leaves out what only one of the two judges would take."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        clock = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?"
        pattern = f"^[12][0-9]{{3}}-[01][0-9]-[0-3][0-9]T{clock}Z$"
        text = core_schema.str_schema(max_length=27, pattern=pattern, strict=True)
        existing = core_schema.no_info_after_validator_function(_EXISTS.check, text)
        moment = core_schema.no_info_after_validator_function(datetime.fromisoformat, existing)
        made = core_schema.union_schema([core_schema.is_instance_schema(datetime), moment])
        return core_schema.json_or_python_schema(json_schema=moment, python_schema=made)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return with_validations(handler(schema), [_EXISTS.schema])


Timestamp = Annotated[datetime, _Moment()]


def _cron_field(number: str) -> str:
    item = f"([*]|{number}(-{number})?)(/[1-9][0-9]?)?"
    return f"{item}(,{item})*"


_CRON_FIELDS: Final = (
    "[0-5]?[0-9]",  # minute
    "([01]?[0-9]|2[0-3])",  # hour
    "(0?[1-9]|[12][0-9]|3[01])",  # day of the month
    "(0?[1-9]|1[0-2])",  # month
    "[0-7]",  # day of the week; 0 and 7 are Sunday
)
Schedule = Annotated[str, Field(max_length=64, pattern=f"^{' '.join(_cron_field(number) for number in _CRON_FIELDS)}$")]
"""A cron line of five fields in UTC. A range may wrap: ``22-2`` are the hours 22, 23, 0, 1 and 2."""

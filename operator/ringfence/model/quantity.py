"""Kubernetes quantities: exact arithmetic, and the canonical text that the API server stores.

Law: a quantity is a whole number of nano-units, as in `k8s.io/apimachinery/pkg/api/resource`; nothing is a float.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from ringfence.model.rules import Rule, broken, with_validations

_NANO: Final = 10**9
_MILLI: Final = 10**6  # nano-units in a thousandth
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX: Final = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX: Final = {exponent: suffix for suffix, exponent in _BINARY.items()}

# Without a sign and with two digits of exponent at most: all that people write, and nothing that is costly to judge.
PATTERN: Final = "([0-9]+([.][0-9]*)?|[.][0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?"
# CEL's `isInteger` takes 2000m for no integer, so both judges look at how the number is written.
WHOLE: Final = "[0-9]+([KMGTPE]i|[kMGTPE]|[eE][+]?[0-9]{1,2})?"
_GRAMMAR: Final = re.compile(
    r"(?P<whole>[0-9]*)(?:[.](?P<part>[0-9]*))?(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]{1,2}))?"
)
MAX_LENGTH: Final = 24
MAX_TEXT: Final = "1Ei"


class Family(Enum):
    """How a quantity is written; Kubernetes keeps the family that it was given."""

    DECIMAL = "DecimalSI"
    BINARY = "BinarySI"
    EXPONENT = "DecimalExponent"


def _shift_up(digits: int, power: int) -> int:
    """``digits * 10**power``, rounded up to an integer."""
    factor: int = 10 ** abs(power)
    return digits * factor if power >= 0 else -(-digits // factor)


def _canonical(nanos: int, family: Family) -> str:
    sign, amount = ("-", -nanos) if nanos < 0 else ("", nanos)
    if amount == 0:
        return "0"
    if family is Family.BINARY and amount >= 1024 * _NANO and amount % _NANO == 0:
        return sign + _binary(amount // _NANO)
    return sign + _decimal(amount, exponent_form=family is Family.EXPONENT)


def _binary(units: int) -> str:
    exponent = 0
    while units % 1024 == 0 and exponent < max(_BINARY_SUFFIX):
        units, exponent = units // 1024, exponent + 10
    return f"{units}{_BINARY_SUFFIX.get(exponent, '')}"


def _decimal(nanos: int, *, exponent_form: bool) -> str:
    exponent = -9
    while nanos % 1000 == 0 and exponent < max(_DECIMAL_SUFFIX):
        nanos, exponent = nanos // 1000, exponent + 3
    if exponent_form:
        return f"{nanos}e{exponent}" if exponent else str(nanos)
    return f"{nanos}{_DECIMAL_SUFFIX[exponent]}"


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """An exact amount. Equality and order are those of the amounts: ``1`` equals ``1000m``."""

    nanos: int
    family: Family = field(default=Family.DECIMAL, compare=False)
    whole: bool = field(default=True, compare=False)
    """Whether it was written as a whole number, without a fraction or a unit below one."""

    @classmethod
    def parse(cls, text: str | int) -> Self:
        """The amount that ``text`` says; below one nano it is rounded up, as Kubernetes does.

        Raises ValueError for anything else than a quantity without a sign.
        """
        if isinstance(text, int):
            return cls(text * _NANO)
        if re.fullmatch(PATTERN, text) is None or (found := _GRAMMAR.fullmatch(text)) is None:
            raise ValueError(f"not a Kubernetes quantity: {text!r}")
        part, suffix, exponent = found["part"] or "", found["suffix"] or "", found["exponent"]
        digits = int(found["whole"] + part) << _BINARY.get(suffix, 0)
        power = int(exponent) if exponent else _DECIMAL.get(suffix, 0)
        family = Family.EXPONENT if exponent else Family.BINARY if suffix in _BINARY else Family.DECIMAL
        return cls(_shift_up(digits, power - len(part) + 9), family, re.fullmatch(WHOLE, text) is not None)

    @classmethod
    def total(cls, quantities: Iterable[Self]) -> Self:
        """The exact sum, in the family of the first; zero where there is none."""
        items = tuple(quantities)
        return cls(sum(item.nanos for item in items), items[0].family if items else Family.DECIMAL)

    def __add__(self, other: Self) -> Self:
        return type(self)(self.nanos + other.nanos, self.family)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.nanos - other.nanos, self.family)

    @property
    def rounded_up(self) -> int:
        """The smallest integer that is not less, in whole units (bytes, cores)."""
        return -(-self.nanos // _NANO)

    def __str__(self) -> str:
        """The canonical text in lists of resources, which the API server rounds up to thousandths."""
        return _canonical(-(-self.nanos // _MILLI) * _MILLI, self.family)

    @property
    def exact(self) -> str:
        """The canonical text of exactly this amount."""
        return _canonical(self.nanos, self.family)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _judge, serialization=core_schema.plain_serializer_function_ser_schema(lambda quantity: quantity.exact)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        union = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
        return with_validations({**union, "maxLength": MAX_LENGTH}, [IN_RANGE.schema])


ZERO: Final = Quantity(0)
LARGEST: Final = Quantity.parse(MAX_TEXT)

IN_RANGE: Final = Rule(
    f"type(self) == int ? self >= 0 && self <= {LARGEST.nanos // _NANO} "
    f": string(self).matches('^{PATTERN}$') && quantity(string(self)).compareTo(quantity('{MAX_TEXT}')) <= 0",
    f"must be a Kubernetes quantity between 0 and {MAX_TEXT}, such as 500m, 2 or 8Gi",
    lambda value: ZERO <= value <= LARGEST,
)


def _judge(value: Any) -> Quantity:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str) or len(str(value)) > MAX_LENGTH:
        raise broken([("", IN_RANGE.message)])
    try:
        quantity = Quantity.parse(value)
    except ValueError:
        raise broken([("", IN_RANGE.message)]) from None
    IN_RANGE.check(quantity)
    return quantity

"""Fields of the API's answers about bookings."""

from datetime import date
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from accounts.api.schema import FieldProblemShape
from accounts.domain.errors import invalid
from bookings.record.domain.money import format_number
from bookings.record.domain.months import month_read
from bookings.record.messages import sentence


class PlainNumber(serializers.CharField):
    """A decimal as a string without trailing zeros: "12.5"."""

    def to_representation(self, value: Any) -> str:
        return format_number(Decimal(value))


class Month(serializers.CharField):
    """The month of a day: "2026-03"."""

    def to_representation(self, value: Any) -> str:
        return f"{value:%Y-%m}"


class Sentence(serializers.CharField):
    """A sentence in the language of the request, made from a code and numbers."""

    def get_attribute(self, row: Any) -> str:
        return sentence(row.code, row.numbers)


class FieldProblems(serializers.ListSerializer[Any]):
    """Fields that have problems, each with its sentence."""

    child = FieldProblemShape()

    def to_representation(self, problems: Any) -> list[Any]:
        return [
            {"field": each.field, "code": each.code, "message": sentence(each.code, each.numbers)}
            for each in problems
        ]


class Hex(serializers.CharField):
    """Bytes in hexadecimal digits."""

    def to_representation(self, value: Any) -> str:
        return bytes(value).hex()


class IdOf(serializers.UUIDField):
    """A field that shows a related row by its id."""

    def to_representation(self, value: Any) -> str:
        return str(value.pk)


def month_named(text: str) -> date:
    """Return the first day of the month in a query; raise `Invalid` (`not-a-month`) if it is not one."""
    month = month_read(text)
    if month is None:
        raise invalid("month", "not-a-month")
    return month

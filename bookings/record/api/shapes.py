"""Fields of the API's answers about bookings."""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from accounts.api.schema import FieldProblemShape
from accounts.api.shapes import ObjectOf, Shape, Text
from accounts.domain.errors import invalid
from bookings.record.domain.money import format_number
from bookings.record.domain.months import month_read
from bookings.record.domain.references import LONGEST_KEY, LONGEST_REFERENCE, LONGEST_VALUE, MOST_KEYS
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


class ReferenceBody(Shape):
    """Notes of a caller for its own systems. Both are read by those who made the thing and their
    organisation alone."""

    reference = Text(
        LONGEST_REFERENCE,
        required=False,
        allow_blank=True,
        help_text="Your own id of it, by which its list can be filtered. Need not be unique.",
    )
    metadata = ObjectOf(
        child=Text(LONGEST_VALUE, allow_blank=True),
        max_length=MOST_KEYS,
        required=False,
        allow_null=True,
        help_text=f"Your own named texts: up to {MOST_KEYS}, names of up to {LONGEST_KEY} characters. A "
        "change keeps the names that it leaves out; an empty text removes its name, null all.",
    )


class ReferencedShape(serializers.Serializer[Any]):
    """A base for things at which callers note something; `references_show` says whether the reader sees
    it."""

    reference = serializers.CharField(
        allow_null=True,
        source="shown_reference",
        help_text="The id that your own systems have for it, empty for none. Null if you may not see it: it "
        "is for those who made it and their organisation, not for hosts.",
    )
    metadata = serializers.DictField(
        child=serializers.CharField(),
        allow_null=True,
        source="shown_metadata",
        help_text="Texts of your own systems, by name. Null if you may not see them.",
    )


def references_show(rows: Iterable[Any], is_theirs: Callable[[Any], bool]) -> None:
    """Give rows what `ReferencedShape` shows of them, to readers for whom `is_theirs` holds."""
    for row in rows:
        is_shown = is_theirs(row)
        row.shown_reference = row.reference if is_shown else None
        row.shown_metadata = row.metadata if is_shown else None


def month_named(text: str) -> date:
    """Return the first day of the month in a query; raise `Invalid` (`not-a-month`) if it is not one."""
    month = month_read(text)
    if month is None:
        raise invalid("month", "not-a-month")
    return month

"""What somebody asks for: the part of a request that quotes and reservations share."""

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.shapes import Choice, Instant, ListOf, Number, Shape, Text, Whole
from accounts.domain.errors import invalid
from bookings.funding.domain.funding import Share
from bookings.record.domain.periods import Period
from bookings.samples.domain.samples import MOST_AT_ONCE
from instruments.models import Instrument

# Longer than any policy admits; a rule says `too-long` well before.
LONGEST = timedelta(days=366)


class SamplesBody(Shape):
    """How many samples, and what they are."""

    count = Whole(min_value=1, max_value=100_000, required=False, allow_null=True)
    text = Text(500, required=False, allow_blank=True)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer", "minimum": 1, "maximum": 100_000},
            {"type": "string", "maxLength": 500},
            {
                "type": "object",
                "properties": {
                    "count": {"type": ["integer", "null"], "minimum": 1, "maximum": 100_000},
                    "text": {"type": "string", "maxLength": 500},
                },
                "additionalProperties": False,
            },
        ],
        "description": "How many, or what they are, or both. A rate card priced by the sample "
        "needs the number.",
    }
)
class Samples(serializers.Field[Any, Any, Any, Any]):
    """`3`, `"wafers"` or `{"count": 3, "text": "wafers"}`."""

    @property
    def fields(self) -> Any:
        """Those of the long form: what is wrong is said of them."""
        return SamplesBody().fields

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, str):
            data = {"text": data}
        elif not isinstance(data, dict):
            data = {"count": data}
        shape = SamplesBody(data=data)
        if not shape.is_valid():
            raise ValidationError(shape.errors)
        return dict(shape.validated_data)

    def to_representation(self, value: Any) -> Any:
        return value


class AskedBody(Shape):
    instrument = serializers.UUIDField()
    start = Instant()
    end = Instant()
    organisation = Text(
        40, required=False, help_text="Who pays: a code. Your only one, unless named."
    )
    service_mode = Choice(Instrument.ServiceMode.choices, required=False)
    options = serializers.DictField(
        child=Number(10, 4, min_value=0, max_value=10**6),
        required=False,
        help_text="Quantities of the rate card's options, by code.",
    )
    samples = Samples(required=False)


class ShareBody(Shape):
    """What one source pays."""

    source = Text(40, help_text="A code.")  # type: ignore[assignment]
    percent = Number(6, 3, help_text="Percent of the payable amount; all together 100.")


class FundingBody(Shape):
    """What the payer pays from."""

    funding = ShareBody(
        many=True,
        required=False,
        help_text="At most ten sources of the payer, by percent, in all 100: what is payable is "
        "set aside in them.",
    )


class SampleItemsBody(Shape):
    """The sample items it is for."""

    sample_items = ListOf(
        child=serializers.UUIDField(),
        max_length=MOST_AT_ONCE,
        required=False,
        help_text="Ids of own samples (`samples/`). A class of hazard that the instrument does not "
        "accept refuses the booking.",
    )


def shares_of(data: dict[str, Any]) -> tuple[Share, ...]:
    """The shares of a checked body; none where nothing is said."""
    return tuple(Share(each["source"], each["percent"]) for each in data.get("funding", ()))


def period_of(data: dict[str, Any], start: str = "start", end: str = "end") -> Period:
    """The period of two fields; `Invalid` if the end is not after the start, or out of all
    proportion."""
    if data[end] <= data[start]:
        raise invalid(end, "not-after-start")
    if data[end] - data[start] > LONGEST:
        raise invalid(end, "span-too-long", days=LONGEST.days)
    return Period(data[start], data[end])


def codes_in(text: str, name: str, allowed: Collection[str]) -> list[str]:
    """The codes of a field, between commas; `Invalid` where one is not among the allowed."""
    codes = list(dict.fromkeys(code.strip() for code in text.split(",") if code.strip()))
    if not set(codes) <= set(allowed):
        raise invalid(name, "unknown-value")
    return codes


def samples_of(data: dict[str, Any]) -> tuple[Decimal | None, str]:
    """How many samples, if said, and what they are."""
    samples = data.get("samples", {})
    count = samples.get("count")
    return (None if count is None else Decimal(count)), samples.get("text", "")

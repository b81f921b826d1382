"""Fields that requests for quotes and for reservations share."""

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.shapes import Choice, Instant, ListOf, Number, ObjectOf, Shape, Text, Whole
from accounts.domain.errors import invalid
from accounts.models import Organisation
from bookings.funding.domain.funding import MOST_SHARES, Share
from bookings.record.domain.periods import Period
from bookings.samples.domain.samples import MOST_AT_ONCE
from instruments.register.models import Instrument

# Longer than any policy admits; a rule says `too-long` well before.
LONGEST = timedelta(days=366)


class SamplesBody(Shape):
    """The number of samples, and what they are."""

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
    """The samples: `3`, `"wafers"` or `{"count": 3, "text": "wafers"}`."""

    @property
    def fields(self) -> Any:
        """Return the fields of the long form, so that problems are reported under their names."""
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


class PayerCode(serializers.CharField):
    """The code of the organisation that pays, for which prices and rules are computed."""

    def __init__(self) -> None:
        super().__init__(
            allow_null=True,
            help_text="Code of the organisation that would pay; default: the first of yours by name. Null: "
            "no organisation.",
        )


def code_of(payer: Organisation | None) -> str | None:
    return payer.code if payer else None


class AskedBody(Shape):
    instrument = serializers.UUIDField()
    start = Instant()
    end = Instant()
    organisation = Text(40, required=False, help_text="Who pays: a code. Your only one, unless named.")
    service_mode = Choice(Instrument.ServiceMode.choices, required=False)
    options = ObjectOf(
        child=Number(10, 4, min_value=0, max_value=10**6),
        required=False,
        help_text="Quantities of the rate card's options, by code.",
    )
    samples = Samples(required=False)


class ShareBody(Shape):
    """The share of the price that one funding source pays."""

    source = Text(40, help_text="Code of a funding source.")  # type: ignore[assignment]
    percent = Number(6, 3, help_text="Share of the payable amount in percent; all shares add up to 100.")


class FundingBody(Shape):
    """The payer's funding sources that pay."""

    funding = ShareBody(  # type: ignore[call-arg]
        many=True,
        max_length=MOST_SHARES,
        required=False,
        help_text="Up to ten funding sources of the payer, with shares that add up to 100 percent. The "
        "payable amount is reserved in them. Left out when something is booked: the default of the person, "
        "if there is one that can pay; an empty list: none.",
    )


class SampleItemsBody(Shape):
    """The sample items to be measured."""

    sample_items = ListOf(
        child=serializers.UUIDField(),
        max_length=MOST_AT_ONCE,
        required=False,
        help_text="Ids of your own samples (`samples/`). The booking is refused if the instrument does "
        "not accept a hazard class of one of them.",
    )


class AcceptingBody(Shape):
    """The version of the house rules that the person accepts by booking."""

    house_rules = Whole(
        required=False,
        allow_null=True,
        min_value=1,
        help_text="The version of the instrument's house rules that you accept; required once per version.",
    )


def shares_of(data: dict[str, Any]) -> tuple[Share, ...]:
    """Return the shares of a checked body; none if it gives none."""
    return tuple(Share(each["source"], each["percent"]) for each in data.get("funding", ()))


def shares_or_default(data: dict[str, Any]) -> tuple[Share, ...] | None:
    """Return the shares of a checked body; None if it does not say what pays, so that the default of the
    person does. An empty list says that no source pays."""
    return shares_of(data) if "funding" in data else None


def period_of(data: dict[str, Any], start: str = "start", end: str = "end") -> Period:
    """Return the period between two fields; raise `Invalid` if its end is not after its start or it is
    unreasonably long."""
    if data[end] <= data[start]:
        raise invalid(end, "not-after-start")
    if data[end] - data[start] > LONGEST:
        raise invalid(end, "span-too-long", days=LONGEST.days)
    return Period(data[start], data[end])


def codes_in(text: str, name: str, allowed: Collection[str]) -> list[str]:
    """Return the codes in a field, which are separated by commas; raise `Invalid` if one is not allowed."""
    codes = list(dict.fromkeys(code.strip() for code in text.split(",") if code.strip()))
    if not set(codes) <= set(allowed):
        raise invalid(name, "unknown-value")
    return codes


def samples_of(data: dict[str, Any]) -> tuple[Decimal | None, str]:
    """Return the number of samples, if given, and their description."""
    samples = data.get("samples", {})
    count = samples.get("count")
    return (None if count is None else Decimal(count)), samples.get("text", "")

"""The API for rate cards."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Instant, object_of, query_values, rfc3339
from accounts.api.versions import etag, expected_version
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import invalid
from accounts.domain.roles import By
from accounts.selectors.memberships import place_of
from instruments.rates.domain import ratecards
from instruments.rates.messages import PRICE_GROUP_LABELS
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import rate_cards_of, readable_card
from instruments.rates.services.ratecards import rate_card_change, rate_card_create, rate_card_delete
from instruments.register.selectors.registry import instrument_by_id

# These serializers only describe; `parse_rate_card` checks.
_CLOCK = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"
_CODE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$"


class Decimals(serializers.RegexField):
    """A decimal number as a string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^\d{1,10}(\.\d{1,4})?$", **kwargs)


class Name(serializers.CharField):
    """A name that pages show instead of the code."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=ratecards.LONGEST_NAME, required=False, **kwargs)


class Modes(serializers.ListField):
    """Ways of working."""

    def __init__(self, **kwargs: Any) -> None:
        most = len(ratecards.SERVICE_MODES)
        super().__init__(
            child=serializers.ChoiceField(ratecards.SERVICE_MODES), **{"max_length": most} | kwargs
        )


class RatesShape(serializers.Serializer[Any]):
    """Prices per hour or sample by price group. The instrument is not offered to a group without a price."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            group: Decimals(required=False, help_text=PRICE_GROUP_LABELS[group])
            for group in ratecards.PRICE_GROUPS
        }


class BandShape(serializers.Serializer[Any]):
    """Wall-clock hours with a multiplier. If several bands cover a minute, the first in the list counts."""

    code = serializers.RegexField(_CODE)
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7), max_length=7, required=False
    )
    holidays = serializers.BooleanField(required=False)
    opens = serializers.RegexField(_CLOCK)
    closes = serializers.RegexField(_CLOCK)
    multiplier = Decimals()
    name = Name()
    name_zh = Name()


class TierShape(serializers.Serializer[Any]):
    after_minutes = serializers.IntegerField(min_value=0)
    multiplier = Decimals()


class OptionShape(serializers.Serializer[Any]):
    """An extra to the use of the instrument."""

    code = serializers.RegexField(_CODE)
    unit = serializers.ChoiceField(ratecards.OPTION_UNITS)
    price = Decimals()
    subsidised = serializers.BooleanField(required=False)
    name = Name()
    name_zh = Name()
    modes = Modes(required=False, help_text="The ways of working that it is for; without it, all.")
    when = serializers.ChoiceField(
        ratecards.OPTION_WHENS,
        required=False,
        help_text="`required`: part of every price; `offered` (the default): asked for with the booking; "
        "`on_use`: added at check-out by the host.",
    )
    quantity = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="Of a required option: `billed` (the default), as many hours as are billed, or a number.",
    )


class CancellationTierShape(serializers.Serializer[Any]):
    notice_minutes = serializers.IntegerField(min_value=0)
    percent = Decimals()


class UsageShape(serializers.Serializer[Any]):
    """The rates of some ways of working. Terms that it states take the place of the card's."""

    modes = Modes()
    unit = serializers.ChoiceField(ratecards.RATE_UNITS, required=False)
    rates = RatesShape()
    billing_increment_minutes = serializers.IntegerField(min_value=1, max_value=1440, required=False)
    minimum_minutes = serializers.IntegerField(min_value=0, required=False)
    bands = serializers.ListField(child=BandShape(), max_length=50, required=False)
    tiers = serializers.ListField(child=TierShape(), max_length=50, required=False)
    daily_cap_minutes = serializers.IntegerField(min_value=1, max_value=1500, required=False, allow_null=True)
    setup_fee = Decimals(required=False)


class TrainingShape(serializers.Serializer[Any]):
    rates = RatesShape()


class CardShape(serializers.Serializer[Any]):
    """The prices of an instrument (docs/fees.md): one rate for all ways of working (`rates`, `rate_unit`), or
    rates by way of working (`usage`)."""

    currency = serializers.ChoiceField(sorted(MINOR_DIGITS))
    rate_unit = serializers.ChoiceField(ratecards.RATE_UNITS, required=False)
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(
        required=False, allow_null=True, help_text="The first day on which it no longer applies."
    )
    rates = RatesShape(required=False)
    usage = serializers.ListField(child=UsageShape(), max_length=50, required=False)
    training = TrainingShape(required=False, allow_null=True)
    billing_increment_minutes = serializers.IntegerField(min_value=1, max_value=1440, required=False)
    minimum_minutes = serializers.IntegerField(min_value=0, required=False)
    bands = serializers.ListField(child=BandShape(), max_length=50, required=False)
    tiers = serializers.ListField(child=TierShape(), max_length=50, required=False)
    daily_cap_minutes = serializers.IntegerField(min_value=1, max_value=1500, required=False, allow_null=True)
    setup_fee = Decimals(required=False)
    options = serializers.ListField(child=OptionShape(), max_length=50, required=False)
    tax_percent = Decimals(required=False)
    charge_basis = serializers.ChoiceField(ratecards.CHARGE_BASES, required=False)
    cancellation = serializers.ListField(child=CancellationTierShape(), max_length=50, required=False)
    no_show_percent = Decimals(required=False)


class RateCardBody(CardShape):
    publish = serializers.BooleanField(
        default=False, help_text="Publish the card, so that it applies from its first day."
    )


class RateCardShape(CardShape):
    """A version of a rate card. `valid_until` is the actual end: a later version may have ended it early."""

    id = serializers.UUIDField()
    version = serializers.IntegerField()
    published_at = Instant(allow_null=True)
    replaced_at = Instant(
        allow_null=True, help_text="When a newer version with the same first day replaced it."
    )
    created_at = Instant()


def shown(row: RateCard) -> dict[str, Any]:
    moments = {name: getattr(row, name) for name in ("published_at", "replaced_at", "created_at")}
    return {
        "id": str(row.pk),
        "version": row.version,
        **row.card,
        "valid_until": row.valid_until.isoformat() if row.valid_until else None,
        **{name: rfc3339(moment) if moment else None for name, moment in moments.items()},
    }


class InstrumentRateCards(Endpoint):
    @operation(
        "rate_cards",
        _("Rate cards"),
        tag="instruments",
        query=Pages,
        gives=page(RateCardShape),
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Lists the published versions, the newest first; for the host's managers and auditors drafts too."""
        query = query_values(Pages, request.query_params)
        instrument = instrument_by_id(self.actor, instrument_id)
        rows = rate_cards_of(instrument)
        if not self.actor.may("read-money", place_of(instrument.organisation, instrument)):
            rows = rows.filter(published_at__isnull=False)
        return paginated(request, rows, query, ("-version",), lambda cards: [shown(card) for card in cards])

    @operation(
        "rate_card_create",
        _("Add a rate card"),
        tag="instruments",
        takes=RateCardBody,
        gives=RateCardShape,
        status=201,
        refuses=[404],
        once=True,
        sends={
            "currency": "CNY",
            "valid_from": "2026-01-01",
            "rates": {"internal": "120.00", "regional": "200.00", "external": "260.00"},
            "billing_increment_minutes": 15,
            "tax_percent": "6",
            "cancellation": [
                {"notice_minutes": 1440, "percent": "0"},
                {"notice_minutes": 0, "percent": "50"},
            ],
            "publish": True,
        },
    )
    def post(self, request: Request, instrument_id: UUID) -> HttpResponseBase:
        """Adds a version of the rate card, for the host's managers. A card without an end date ends where the
        new one begins; any other overlap is refused."""
        card, publish = _card_of(request)

        def create() -> Response:
            row = rate_card_create(
                By(self.actor, self.now), instrument_id=instrument_id, card=card, publish=publish
            )
            return Response(shown(row), status=201, headers=etag(row.revision))

        return self.once(create)


def _card_of(request: Request) -> tuple[ratecards.RateCardValues, bool]:
    """Return the prices in a request's body, and whether to publish them."""
    data = object_of(request.data)
    publish = data.pop("publish", False)
    if not isinstance(publish, bool):
        raise invalid("publish", "not-a-boolean")
    return ratecards.parse_rate_card(data), publish


class InstrumentRateCard(Endpoint):
    @operation(
        "rate_card", _("A version of the rate card"), tag="instruments", gives=RateCardShape, refuses=[404]
    )
    def get(self, request: Request, instrument_id: UUID, version: int) -> Response:
        """Returns a published version; people who may read the host's finances can also read drafts."""
        row = readable_card(self.actor, instrument_by_id(self.actor, instrument_id), version)
        return Response(shown(row), headers=etag(row.revision))

    @operation(
        "rate_card_change",
        _("Change a draft"),
        tag="instruments",
        takes=RateCardBody,
        gives=RateCardShape,
        refuses=[404, 409],
        versioned=True,
    )
    def put(self, request: Request, instrument_id: UUID, version: int) -> Response:
        """Changes the prices of a draft, for the host's managers; `publish` puts it in force like a new
        version. A card that was published is never edited."""
        expected, (card, publish) = expected_version(request), _card_of(request)
        row = rate_card_change(
            By(self.actor, self.now, expected),
            instrument_id=instrument_id,
            version=version,
            card=card,
            publish=publish,
        )
        return Response(shown(row), headers=etag(row.revision))

    @operation(
        "rate_card_delete",
        _("Delete a draft"),
        tag="instruments",
        gives=None,
        status=204,
        refuses=[404, 409],
        versioned=True,
    )
    def delete(self, request: Request, instrument_id: UUID, version: int) -> Response:
        """Deletes a draft of the rate card, for the host's managers."""
        rate_card_delete(
            By(self.actor, self.now, expected_version(request)), instrument_id=instrument_id, version=version
        )
        return Response(status=204)

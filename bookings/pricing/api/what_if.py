"""The API that says what last year's bookings would have cost under another rate card."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import Instant, Money, amount, object_of, rfc3339
from bookings.pricing.domain.what_if import Sums
from bookings.pricing.messages import left_out
from bookings.pricing.selectors.what_if import WhatIf, what_if
from instruments.rates.api.ratecards import CardShape
from instruments.rates.domain.ratecards import RateCardValues, parse_rate_card
from instruments.rates.selectors.ratecards import load_card, readable_card
from instruments.register.selectors.registry import instrument_to_manage


class SumsShape(serializers.Serializer[Any]):
    """The old and new cost of bookings, tax included and before vouchers, and how many of them would have
    paid more, less, the same."""

    bookings = serializers.IntegerField()
    old = Money()
    new = Money()
    difference = Money()
    more = serializers.IntegerField()
    less = serializers.IntegerField()
    same = serializers.IntegerField()


class GroupSumsShape(SumsShape):
    price_group = serializers.CharField()


class OrganisationSumsShape(SumsShape):
    organisation = serializers.CharField(help_text="Code of the paying organisation.")
    name = serializers.CharField()
    name_zh = serializers.CharField(allow_blank=True)


class LeftOutShape(serializers.Serializer[Any]):
    """The number of bookings that cannot be compared, and why."""

    code = serializers.CharField()
    message = serializers.CharField()
    bookings = serializers.IntegerField()


class WhatIfShape(serializers.Serializer[Any]):
    """A comparison of bookings that began in [`since`, `until`). `found`: how many were charged or could have
    been; `priced`: how many of them, the latest, were compared."""

    instrument = serializers.UUIDField()
    currency = serializers.CharField()
    since = Instant()
    until = Instant()
    found = serializers.IntegerField()
    priced = serializers.IntegerField()
    whole = SumsShape()
    groups = GroupSumsShape(many=True)
    organisations = OrganisationSumsShape(
        many=True, help_text="Sorted by difference: the largest increase first, the largest saving last."
    )
    left_out = LeftOutShape(many=True)


def _sums(sums: Sums, currency: str) -> dict[str, Any]:
    money = {name: amount(getattr(sums, name), currency) for name in ("old", "new", "difference")}
    return money | {name: getattr(sums, name) for name in ("bookings", "more", "less", "same")}


def what_if_json(compared: WhatIf) -> dict[str, Any]:
    comparison = compared.comparison
    currency = comparison.card.currency
    return {
        "instrument": str(compared.instrument.pk),
        "currency": currency,
        "since": rfc3339(compared.since),
        "until": rfc3339(compared.until),
        "found": compared.total,
        "priced": comparison.seen,
        "whole": _sums(comparison.whole, currency),
        "groups": [{"price_group": group, **_sums(sums, currency)} for group, sums in comparison.by_group()],
        "organisations": [
            {
                "organisation": organisation.code,
                "name": organisation.name,
                "name_zh": organisation.name_zh,
                **_sums(sums, currency),
            }
            for organisation, sums in compared.organisations
        ],
        "left_out": [
            {"code": code, "message": left_out(code, currency), "bookings": bookings}
            for code, bookings in comparison.left_out.items()
        ],
    }


class WhatIfEndpoint(Endpoint):
    needs_person = True
    only_reads = True

    def answer(self, instrument_id: UUID, card: RateCardValues, now: datetime) -> Response:
        return Response(what_if_json(what_if(self.actor, instrument_id, card, now)))


class WhatIfOfBody(WhatIfEndpoint):
    @operation(
        "what_if",
        _("What last year would have cost under a rate card"),
        tag="money",
        takes=CardShape,
        gives=WhatIfShape,
        refuses=[404],
        sends={
            "currency": "CNY",
            "valid_from": "2027-01-01",
            "rates": {"internal": "130.00", "regional": "220.00", "external": "280.00"},
        },
    )
    def post(self, request: Request, instrument_id: UUID) -> Response:
        """Price every booking of the last 365 days that was charged, or could have been, again from its
        stored inputs by the rate card of the body. Only those who may read the host's money may do this.
        Nothing is stored."""
        card = parse_rate_card(object_of(request.data))
        instrument_to_manage(self.actor, instrument_id, "read-money")
        return self.answer(instrument_id, card, self.now)


class WhatIfOfVersion(WhatIfEndpoint):
    @operation(
        "what_if_version",
        _("What last year would have cost under a draft"),
        tag="money",
        gives=WhatIfShape,
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID, version: int) -> Response:
        """Price last year by a stored version of the instrument's rate card, draft or not."""
        instrument = instrument_to_manage(self.actor, instrument_id, "read-money")
        card = load_card(readable_card(self.actor, instrument, version)).values
        return self.answer(instrument_id, card, self.now)

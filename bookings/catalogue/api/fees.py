"""Quotes: what a booking would cost, and whether it would be accepted."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import RefusalShape, operation
from accounts.api.shapes import Amount, Money, amount, checked
from accounts.domain.currencies import in_decimals
from accounts.domain.errors import invalid
from accounts.models import Organisation
from accounts.selectors.organisations import payer_read_for
from bookings.catalogue.api import asking
from bookings.catalogue.api.refusals import refusal_json
from bookings.catalogue.selectors.holds import kept_for
from bookings.catalogue.selectors.quotes import Quotation, load_quotation
from bookings.funding.domain.funding import SourceShare
from bookings.pricing.domain.quotes import quote_to_json
from bookings.pricing.selectors.fees import PriceRequest, least_minutes
from bookings.record.domain.money import format_amount, format_number
from bookings.record.domain.periods import Period
from bookings.record.models import Reservation
from bookings.samples.selectors.samples import load_hazards
from instruments.register.selectors.registry import instrument_to_book


class QuoteLineShape(serializers.Serializer[Any]):
    """A line of a quote that explains itself: usage, setup, option, agreement or bid."""

    kind = serializers.CharField()
    code = serializers.CharField(required=False)
    minutes = serializers.IntegerField(required=False)
    rate = Amount(required=False)
    multiplier = serializers.CharField(required=False)
    quantity = serializers.CharField(required=False)
    price = Amount(required=False)
    percent = serializers.CharField(required=False)
    base = Amount(required=False)
    name = serializers.CharField(required=False, help_text="Of a band or an option, where the card names it.")
    name_zh = serializers.CharField(required=False)
    amount = Amount()


class CardRefShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    version = serializers.IntegerField()


class QuotedShape(serializers.Serializer[Any]):
    """An itemised price. Amounts are decimal strings in its currency."""

    currency = serializers.CharField(allow_null=True)
    price_group = serializers.CharField()
    billed_minutes = serializers.IntegerField(allow_null=True)
    lines = QuoteLineShape(many=True)
    subtotal = Amount(allow_null=True)
    tax = Amount(allow_null=True)
    total = Amount(allow_null=True)
    eligible = Amount(allow_null=True)
    voucher = serializers.CharField(allow_null=True)
    covered = Amount(allow_null=True)
    payable = Amount(allow_null=True)


class QuoteShape(QuotedShape):
    """A quote. Amounts are decimal strings in its currency; all are null if there is no price for the
    group."""

    rate_card = CardRefShape(allow_null=True)


class PartShape(serializers.Serializer[Any]):
    """The part that one funding source would pay."""

    source = serializers.CharField()  # type: ignore[assignment]
    percent = serializers.CharField()
    amount = Money(help_text="In the currency of the price.")
    reserved = Money(
        allow_null=True,
        help_text="What would be reserved, in the currency of the source; null without an exchange rate.",
    )
    left = Money(
        allow_null=True, help_text="What is left of the budget at present; null if there is no budget."
    )


class ConsideredShape(serializers.Serializer[Any]):
    """A voucher grant of the payer: what it would cover, or why it cannot. Only the one that `is_chosen` is
    used."""

    grant = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField(help_text="That of its programme.")
    name_zh = serializers.CharField()
    covers = Amount()
    left = Amount(help_text="What would be left of the grant, in its own currency.")
    why_not = serializers.CharField(allow_null=True)
    is_chosen = serializers.BooleanField()


class QuotationShape(QuoteShape):
    """A quote with the part of each funding source named, the payer's vouchers, and the refusals of the
    booking, if there are any."""

    organisation = asking.PayerCode()
    funding = PartShape(many=True)
    vouchers = ConsideredShape(many=True)
    minimum_minutes = serializers.IntegerField(help_text="At least so many are charged; 0: no minimum.")
    refusals = RefusalShape(many=True)


AMOUNTS = ("subtotal", "tax", "total", "eligible", "voucher", "covered", "payable")


def quote_shown(quote: Mapping[str, Any]) -> dict[str, Any]:
    """Return a quote as answers show it: also the rates and prices of its lines have the currency's
    decimals. Where it is stored they are as its rate card has them."""
    return {**quote, "lines": [line_shown(line, quote["currency"]) for line in quote["lines"]]}


def line_shown(line: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Return a line of a quote as answers show it."""
    rates = {name: in_decimals(Decimal(line[name]), currency) for name in ("rate", "price") if line.get(name)}
    return {**line, **rates}


def quotation_json(quotation: Quotation) -> dict[str, Any]:
    terms = quotation.terms
    quoted: dict[str, Any]
    if quotation.quote is None:
        quoted = dict.fromkeys(("currency", "billed_minutes", *AMOUNTS)) | {"lines": []}
    else:
        quoted = quote_shown(quote_to_json(quotation.quote, explained=True))
    card = terms.card
    currency = quotation.quote.currency if quotation.quote else ""
    return {
        **quoted,
        "price_group": terms.price_group,
        "rate_card": {"id": str(card.id), "version": card.version} if card else None,
        "funding": [part_json(part, quotation) for part in quotation.parts],
        "vouchers": [
            {
                "grant": str(each.offer.id),
                "code": each.offer.code,
                "name": each.offer.name,
                "name_zh": each.offer.name_zh,
                "covers": format_amount(each.covers, currency),
                "left": format_amount(each.left, each.offer.currency),
                "why_not": each.why_not or None,
                "is_chosen": each.is_chosen,
            }
            for each in quotation.vouchers
        ],
        "minimum_minutes": least_minutes(terms, quotation.mode),
        "refusals": [refusal_json(refusal) for refusal in quotation.refusals],
    }


def part_json(part: SourceShare, quotation: Quotation) -> dict[str, Any]:
    currency = quotation.quote.currency if quotation.quote else part.purse.currency
    purse = part.purse
    return {
        "source": purse.code,
        "percent": format_number(part.percent),
        "amount": amount(part.amount, currency),
        "reserved": None if part.reserved is None else amount(part.reserved, purse.currency),
        "left": None if purse.left is None else amount(purse.left, purse.currency),
    }


class QuoteBody(asking.AskedBody, asking.FundingBody, asking.SampleItemsBody, asking.AcceptingBody):
    """The booking to be priced, and the funding sources that would pay."""


class Quotes(Endpoint):
    only_reads = True

    @operation(
        "quote",
        _("Estimated cost"),
        tag="reservations",
        takes=QuoteBody,
        gives=QuotationShape,
        refuses=[404],
        sends={
            "instrument": "0197a1de-0000-7000-8000-000000000002",
            "start": "2026-03-06T18:00:00+08:00",
            "end": "2026-03-06T22:00:00+08:00",
            "organisation": "wusong-tech",
            "service_mode": "assisted",
            "options": {"operator": "1.5"},
        },
    )
    def post(self, request: Request) -> Response:
        """Return the itemised price and every rule that would refuse the booking; the status is 200 even if
        rules refuse. A slot that you hold counts as free for you. House rules that you have not accepted
        refuse unless `house_rules` names their version, and so does a block by the host. Nothing is stored.
        Visitors who are not signed in get the price of the group `external`. Without `funding` your default
        source pays."""
        data = checked(QuoteBody, request.data)
        instrument = instrument_to_book(self.actor, data["instrument"])
        payer = payer_read_for(self.actor, data.get("organisation"))
        mode = data.get("service_mode", "")
        if mode and mode not in instrument.service_modes:
            raise invalid("service_mode", "not-offered")
        priced = PriceRequest(
            period=asking.period_of(data),
            service_mode=mode,
            options=data.get("options", {}),
            quantity=asking.samples_of(data)[0],
        )
        load = partial(
            load_quotation,
            instrument,
            payer,
            priced,
            self.now,
            user_id=self.actor.user_id,
            shares=asking.shares_or_default(data),
            hazards=load_hazards(self.actor, data.get("sample_items", ())),
            accepts=data.get("house_rules"),
            booked_by=self.actor,
        )
        quotation = load()
        if any(refusal.code == "slot-taken" for refusal in quotation.refusals):
            # A booking of just this slot completes the hold that is in the way.
            held = self._held(instrument.pk, payer, priced.period)
            quotation = load(without=[held.pk], hold=held) if held else quotation
        return Response({**quotation_json(quotation), "organisation": asking.code_of(payer)})

    def _held(self, instrument_id: UUID, payer: Organisation | None, period: Period) -> Reservation | None:
        if self.actor.user_id is None or payer is None:
            return None
        return kept_for(self.actor.user_id, instrument_id, payer.pk, period, self.now)

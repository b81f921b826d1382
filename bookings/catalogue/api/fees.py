"""Quotes: what a booking would cost, and whether it would be accepted."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import RefusalShape, operation
from accounts.api.shapes import Money, amount, checked
from accounts.domain.errors import invalid
from accounts.selectors.organisations import payer_for
from bookings.catalogue.api.asking import (
    AskedBody,
    FundingBody,
    SampleItemsBody,
    period_of,
    samples_of,
    shares_of,
)
from bookings.catalogue.api.refusals import refusal_json
from bookings.catalogue.selectors.quotes import Quotation, load_quotation
from bookings.funding.domain.funding import Part
from bookings.pricing.domain.quotes import quote_to_json
from bookings.pricing.selectors.fees import Asked
from bookings.record.domain.money import format_amount, format_number
from bookings.samples.selectors.samples import load_hazards
from instruments.selectors.registry import instrument_to_book


class QuoteLineShape(serializers.Serializer[Any]):
    """A line that explains itself: usage, setup, option or agreement."""

    kind = serializers.CharField()
    code = serializers.CharField(required=False)
    minutes = serializers.IntegerField(required=False)
    rate = serializers.CharField(required=False)
    multiplier = serializers.CharField(required=False)
    quantity = serializers.CharField(required=False)
    price = serializers.CharField(required=False)
    percent = serializers.CharField(required=False)
    base = serializers.CharField(required=False)
    amount = serializers.CharField()


class CardRefShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    version = serializers.IntegerField()


class QuoteShape(serializers.Serializer[Any]):
    """Amounts are decimal strings in the quote's currency. All null where there is no price for
    the group."""

    currency = serializers.CharField(allow_null=True)
    price_group = serializers.CharField()
    rate_card = CardRefShape(allow_null=True)
    billed_minutes = serializers.IntegerField(allow_null=True)
    lines = QuoteLineShape(many=True)
    subtotal = serializers.CharField(allow_null=True)
    tax = serializers.CharField(allow_null=True)
    total = serializers.CharField(allow_null=True)
    eligible = serializers.CharField(allow_null=True)
    voucher = serializers.CharField(allow_null=True)
    covered = serializers.CharField(allow_null=True)
    payable = serializers.CharField(allow_null=True)


class PartShape(serializers.Serializer[Any]):
    """What one funding source would pay."""

    source = serializers.CharField()  # type: ignore[assignment]
    percent = serializers.CharField()
    amount = Money(help_text="In the currency of the price.")
    reserved = Money(
        allow_null=True,
        help_text="What would be set aside, in the currency of the source; null without a rate.",
    )
    left = Money(allow_null=True, help_text="What it has left at present; null: no budget.")


class ConsideredShape(serializers.Serializer[Any]):
    """A voucher grant of the payer: what it would cover, or why it cannot; only the one that
    `is_chosen` pays."""

    grant = serializers.UUIDField()
    code = serializers.CharField()
    covers = serializers.CharField()
    left = serializers.CharField(help_text="Of the grant, in its own currency, once it has paid.")
    why_not = serializers.CharField(allow_null=True)
    is_chosen = serializers.BooleanField()


class QuotationShape(QuoteShape):
    """With what each funding source named would pay, the payer's vouchers, and what refuses the
    booking, if anything does."""

    funding = PartShape(many=True)
    vouchers = ConsideredShape(many=True)
    refusals = RefusalShape(many=True)


AMOUNTS = ("subtotal", "tax", "total", "eligible", "voucher", "covered", "payable")


def quotation_json(quotation: Quotation) -> dict[str, Any]:
    terms = quotation.terms
    quoted: dict[str, Any]
    if quotation.quote is None:
        quoted = dict.fromkeys(("currency", "billed_minutes", *AMOUNTS)) | {"lines": []}
    else:
        quoted = quote_to_json(quotation.quote, explained=True)
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
                "covers": format_amount(each.covers, currency),
                "left": format_amount(each.left, each.offer.currency),
                "why_not": each.why_not or None,
                "is_chosen": each.is_chosen,
            }
            for each in quotation.vouchers
        ],
        "refusals": [refusal_json(refusal) for refusal in quotation.refusals],
    }


def part_json(part: Part, quotation: Quotation) -> dict[str, Any]:
    currency = quotation.quote.currency if quotation.quote else part.purse.currency
    purse = part.purse
    return {
        "source": purse.code,
        "percent": format_number(part.percent),
        "amount": amount(part.amount, currency),
        "reserved": None if part.reserved is None else amount(part.reserved, purse.currency),
        "left": None if purse.left is None else amount(purse.left, purse.currency),
    }


class QuoteBody(AskedBody, FundingBody, SampleItemsBody):
    """What a price is asked for, and what would pay it."""


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
        """The itemised price and every rule that would refuse; 200 also when rules refuse.
        Nothing is kept. Nobody signed in gets the price of the group `external`."""
        data = checked(QuoteBody, request.data)
        instrument = instrument_to_book(self.actor, data["instrument"])
        payer = payer_for(self.actor, data.get("organisation"))
        mode = data.get("service_mode") or next(iter(instrument.service_modes), "self")
        if data.get("service_mode") and mode not in instrument.service_modes:
            raise invalid("service_mode", "not-offered")
        priced = Asked(
            period=period_of(data),
            service_mode=mode,
            options=data.get("options", {}),
            quantity=samples_of(data)[0],
        )
        quotation = load_quotation(
            instrument,
            payer,
            priced,
            self.now,
            user_id=self.actor.user_id,
            shares=shares_of(data),
            hazards=load_hazards(self.actor, data.get("sample_items", ())),
        )
        return Response(quotation_json(quotation))

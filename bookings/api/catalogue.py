"""The catalogue: what is on offer, with the next free slots and the price for me."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.pagination import Cursor, Pages, answer, cursor_of, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import (
    Choice,
    Flag,
    Instant,
    Number,
    Text,
    Whole,
    amount,
    asked,
    rfc3339,
)
from accounts.domain.errors import invalid
from accounts.models import Organisation
from accounts.selectors.organisations import payer_for
from bookings.selectors.catalogue import Offer, free_between, load_offers
from bookings.services.demand import demand_searched
from instruments.api.registry import InstrumentRegister, InstrumentShape
from instruments.domain.criteria import Criteria
from instruments.domain.quality import Quality
from instruments.models import Instrument
from instruments.selectors.quality import load_qualities
from instruments.selectors.registry import managed_instruments
from instruments.selectors.search import search

LONGEST_WINDOW = timedelta(days=62)


class PriceShape(serializers.Serializer[Any]):
    """The rate of the payer's price group, before bands, options and tax."""

    amount = serializers.CharField()
    currency = serializers.CharField()
    unit = serializers.ChoiceField(["hour", "sample"])


class OfferedShape(InstrumentShape):
    """A record with what the catalogue says beside it."""

    price_group = serializers.CharField()
    price_for_me = PriceShape(allow_null=True)
    next_starts = serializers.ListField(
        child=Instant(), help_text="The first starts at which `minutes` could be booked."
    )
    minutes = serializers.IntegerField()


class CatalogueQuery(Pages):
    q = Text(200, default="", help_text="Words to find, in either language.")
    technique = Text(60, default="", help_text="A code; narrower techniques are included.")
    region = Text(20, default="", help_text="A code; regions below it are included.")
    host = Text(40, default="", help_text="The code of the organisation that owns it.")
    facility = serializers.UUIDField(required=False)
    service_mode = Choice(Instrument.ServiceMode.choices, required=False)
    organisation = Text(40, required=False, help_text="Who would pay: a code.")
    free_from = Instant(required=False, help_text="With `free_until`: only what is free then.")
    free_until = Instant(required=False)
    minutes = Whole(
        min_value=1, max_value=44640, required=False, help_text="For how long; 60 unless named."
    )
    max_price = Number(12, 4, min_value=0, required=False, help_text="At most, per hour or sample.")
    managed = Flag(
        default=False,
        help_text="The instruments you manage instead, published or not; no other filter counts.",
    )


def criteria_of(data: dict[str, Any]) -> Criteria:
    """`Invalid` for half a window, or one that is none or too long."""
    start, end = data.get("free_from"), data.get("free_until")
    for name in ("free_from", "free_until"):
        if (start or end) and not data.get(name):
            raise invalid(name, "required")
    if start and end and end <= start:
        raise invalid("free_until", "not-after-start")
    if start and end and end - start > LONGEST_WINDOW:
        raise invalid("free_until", "span-too-long", days=LONGEST_WINDOW.days)
    return Criteria(
        text=data["q"],
        technique=data["technique"],
        region=data["region"],
        host=data["host"],
        facility=data.get("facility"),
        service_mode=data.get("service_mode", ""),
        free_from=start,
        free_until=end,
        minutes=data.get("minutes") or (60 if start else None),
        max_price=data.get("max_price"),
    )


def offered(
    rows: Iterable[tuple[Instrument, Offer]], qualities: Mapping[UUID, Quality]
) -> list[dict[str, Any]]:
    shape = InstrumentShape(
        qualities=qualities
    )  # one for all: making its fields takes longer than a row's answer
    return [
        {
            **shape.to_representation(instrument),
            "price_group": offer.price_group,
            "price_for_me": _price(offer),
            "next_starts": [rfc3339(start) for start in offer.starts],
            "minutes": offer.minutes,
        }
        for instrument, offer in rows
    ]


def _price(offer: Offer) -> dict[str, Any] | None:
    if offer.rate is None:
        return None
    return {**amount(offer.rate, offer.currency), "unit": offer.rate_unit}


class Instruments(InstrumentRegister):
    @operation(
        "instruments",
        _("The catalogue"),
        tag="instruments",
        query=CatalogueQuery,
        gives=page(OfferedShape),
    )
    def get(self, request: Request) -> Response:
        """Published instruments by name, each with its next free starts and the price for the
        asking person. With `free_from`, `free_until` and `minutes`, or with `max_price`, only
        those that have a bookable start in that window, at that price at most; `previous` is
        then always null."""
        query = asked(CatalogueQuery, request.query_params)
        criteria = criteria_of(query)
        payer = payer_for(self.actor, query.get("organisation"))
        if query["managed"]:
            return paginated(
                request,
                managed_instruments(self.actor).prefetch_related("techniques"),
                query,
                ("name", "id"),
                lambda rows: self._shown(rows, payer, criteria),
            )
        if criteria.wants_time or criteria.max_price is not None:
            return self._matching(request, query, criteria, payer)
        return paginated(
            request,
            search(criteria).prefetch_related("techniques"),
            query,
            ("name", "id"),
            lambda rows: self._shown(rows, payer, criteria),
        )

    def _shown(
        self, rows: list[Instrument], payer: Organisation | None, criteria: Criteria
    ) -> list[dict[str, Any]]:
        offers = load_offers(
            rows,
            payer,
            self.now,
            user_id=self.actor.user_id,
            mode=criteria.service_mode or None,
            minutes=criteria.minutes,
        )
        return offered(((row, offers[row.pk]) for row in rows), load_qualities(rows, self.now))

    def _matching(
        self,
        request: Request,
        query: dict[str, Any],
        criteria: Criteria,
        payer: Organisation | None,
    ) -> Response:
        limit = query["limit"]
        found = free_between(
            self.actor,
            criteria,
            payer,
            self.now,
            after=_after(cursor_of(query.get("cursor"))),
            size=limit + 1,
        )
        if not found and payer is not None and "cursor" not in query:
            demand_searched(actor=self.actor, organisation=payer, criteria=criteria, now=self.now)
        shown, following = found[:limit], None
        prefetch_related_objects([row for row, _ in shown], "techniques")
        if len(found) > limit:
            last = shown[-1][0]
            following = Cursor((last.name, str(last.pk)))
        qualities = load_qualities([row for row, _ in shown], self.now)
        return answer(request, offered(shown, qualities), following=following)


def _after(cursor: Cursor | None) -> tuple[str, UUID] | None:
    if cursor is None:
        return None
    try:
        name, pk = cursor.values
        return name, UUID(pk)
    except ValueError:
        raise invalid("cursor", "unknown-cursor") from None

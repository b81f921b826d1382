"""The catalogue: what is on offer, with the next free slots and the price for me."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Cursor, Pages, answer, cursor_of, paginated
from accounts.api.resource import rendered
from accounts.api.schema import operation, page
from accounts.api.shapes import (
    Choice,
    Flag,
    Instant,
    ListOf,
    Number,
    Query,
    Text,
    Whole,
    query_values,
    rfc3339,
)
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.replica import from_replica
from accounts.selectors.organisations import payer_for
from bookings.catalogue.selectors.catalogue import (
    Offer,
    free_between,
    is_reordered,
    load_limit,
    load_offers,
    place_of,
)
from bookings.catalogue.selectors.catalogue_candidates import Place, load_priced, of_today
from bookings.catalogue.selectors.needs import load_meanings, load_widened
from bookings.catalogue.services.demand import demand_searched
from bookings.pricing.domain.quotes import quote_to_json
from bookings.pricing.selectors.fees import load_backing
from bookings.record.domain.money import format_amount
from instruments.api.needs import NeedTermShape
from instruments.api.registry import InstrumentRegister, InstrumentShape, with_quality
from instruments.domain.capabilities import LONGEST_SPEC, requirements_of
from instruments.domain.needs import LONGEST_NEED
from instruments.domain.search import Criteria
from instruments.models import Instrument
from instruments.selectors.needs import load_need_terms, load_parameters
from instruments.selectors.registry import managed_instruments
from instruments.selectors.search import (
    Specifications,
    entries,
    facets,
    load_specifications,
    search,
)

LONGEST_WINDOW = timedelta(days=62)


class PriceShape(serializers.Serializer[Any]):
    """What the payer would pay for `minutes` from the first of `next_starts` on, or for one
    sample: with set-up, agreement, voucher and tax, without options. The booking form and
    `/quotes/` say the same. `rate` is that of the payer's price group, before all this."""

    amount = serializers.CharField(
        allow_null=True, help_text="Null where the requested service mode has no price."
    )
    currency = serializers.CharField()
    covered = serializers.CharField(allow_null=True, help_text="By a voucher.")
    rate = serializers.CharField()
    unit = serializers.ChoiceField(["hour", "sample"])


class OfferedShape(InstrumentShape):
    """A record with what the catalogue says beside it."""

    price_group = serializers.CharField()
    price_for_me = PriceShape(allow_null=True)
    next_starts = serializers.ListField(
        child=Instant(), help_text="The first starts at which `minutes` could be booked."
    )
    minutes = serializers.IntegerField()


class Narrowing(Query):
    """What an instrument is to be."""

    q = Text(
        LONGEST_NEED,
        default="",
        help_text="Words to find, in either language, or what somebody wants to find out.",
    )
    term = Text(
        60,
        default="",
        help_text="The code of a measurand or technique (`terms` of an answer): only instruments "
        "with a technique that answers it; `q` then narrows no more.",
    )
    technique = Text(60, default="", help_text="A code; narrower techniques are included.")
    region = Text(20, default="", help_text="A code; regions below it are included.")
    host = Text(40, default="", help_text="The code of the organisation that owns it.")
    facility = serializers.UUIDField(required=False)
    maker = Text(250, default="", help_text="As written in the facets.")
    service_mode = Choice(Instrument.ServiceMode.choices, required=False)
    kind = Choice(Instrument.Kind.choices, required=False)
    spec = ListOf(
        child=Text(LONGEST_SPEC),
        default=list,
        help_text="`CODE:LOW:HIGH`, at most ten times: what an instrument states of this parameter "
        "(`parameters/`) reaches down to LOW and up to HIGH, in its unit; a side that is not "
        "required stays empty. One that states nothing of it does not fit.",
    )


class CatalogueQuery(Pages, Narrowing):
    organisation = Text(40, required=False, help_text="Code of the organisation that would pay.")
    free_from = Instant(required=False, help_text="With `free_until`: only what is free then.")
    free_until = Instant(required=False)
    minutes = Whole(
        min_value=1, max_value=44640, required=False, help_text="Length in minutes; default: 60."
    )
    without = Text(
        600, default="", help_text="Codes of terms, with commas between, that `q` does not mean."
    )
    max_price = Number(12, 4, min_value=0, required=False, help_text="At most, per hour or sample.")
    max_payable = Number(
        14,
        4,
        min_value=0,
        required=False,
        help_text="At most, to pay for `minutes` or one sample: as `price_for_me` has it.",
    )
    currency = Choice(
        [(code, code) for code in sorted(MINOR_DIGITS)],
        required=False,
        help_text="Of `max_price` and `max_payable`; unless named, that of the region of the "
        "organisation that pays. Prices in others are compared at the newest exchange rates of "
        "its finance.",
    )
    sort = Choice(
        [("relevance", _("best match")), ("name", _("name")), ("price", _("price to pay"))],
        required=False,
        help_text="Unless named: by relevance with `q`, else by name. By `price`: what the asking "
        "organisation pays for `minutes` (an hour unless named), with set-up, agreement and tax, "
        "before time bands and vouchers; in the currency of its region at its stored exchange "
        "rates, before currencies without one.",
    )
    managed = Flag(
        default=False,
        help_text="The instruments you manage instead, published or not; no other filter counts.",
    )


def criteria_of(data: dict[str, Any], payer: Organisation | None = None) -> Criteria:
    """`Invalid` for half a window, or one that is none or too long, for a price in no currency,
    and for requirements that cannot be read."""
    start, end = data.get("free_from"), data.get("free_until")
    for name in ("free_from", "free_until"):
        if (start or end) and not data.get(name):
            raise invalid(name, "required")
    if start and end and end <= start:
        raise invalid("free_until", "not-after-start")
    if start and end and end - start > LONGEST_WINDOW:
        raise invalid("free_until", "span-too-long", days=LONGEST_WINDOW.days)
    max_price, max_payable = data.get("max_price"), data.get("max_payable")
    is_limited = max_price is not None or max_payable is not None
    currency = data.get("currency") or (payer.region.currency if payer else "")
    if is_limited and not currency:
        raise invalid("currency", "required")
    is_priced = max_payable is not None or data.get("sort") == "price"
    return Criteria(
        text=data["q"],
        technique=data["technique"],
        region=data["region"],
        host=data["host"],
        facility=data.get("facility"),
        maker=data["maker"],
        service_mode=data.get("service_mode", ""),
        kind=data.get("kind", ""),
        free_from=start,
        free_until=end,
        minutes=data.get("minutes") or (60 if start or is_priced else None),
        max_price=max_price,
        max_payable=max_payable,
        currency=currency if is_limited else "",
        term=data.get("term", ""),
        specs=requirements_of(specs, load_parameters()) if (specs := data["spec"]) else (),
        sort="" if data.get("sort") == "relevance" else data.get("sort", ""),
    )


def offered(rows: Sequence[tuple[Instrument, Offer]], now: datetime) -> list[dict[str, Any]]:
    """Rows loaded with their techniques. No statement."""
    priced = {row.pk: offer.is_priced for row, offer in rows}
    with_quality([row for row, _ in rows], now, priced=priced)
    return [
        {
            **rendered(InstrumentShape, instrument),
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
    sums = quote_to_json(offer.quote) if offer.quote else {}
    return {
        "amount": sums.get("payable"),
        "currency": offer.currency,
        "covered": sums.get("covered"),
        "rate": format_amount(offer.rate, offer.currency),
        "unit": offer.rate_unit,
    }


class Instruments(InstrumentRegister):
    @from_replica
    @operation(
        "instruments",
        _("The catalogue"),
        tag="instruments",
        query=CatalogueQuery,
        gives=page(
            OfferedShape,
            results_for=serializers.CharField(
                required=False, help_text="The corrected `q`, where nothing contains its words."
            ),
            has_all_words=serializers.BooleanField(
                required=False,
                help_text="With `q`: false where nothing has all its words; these have some, or "
                "answer the first of `terms`.",
            ),
            terms=NeedTermShape(
                many=True,
                required=False,
                help_text="With `q`, on the first page: what it may mean.",
            ),
            is_reordered=serializers.BooleanField(
                required=False,
                help_text="With `sort=price`: whether a time band, a voucher or a cap puts what is "
                "paid on this page in another order.",
            ),
            not_compared=serializers.DictField(
                child=serializers.IntegerField(),
                required=False,
                help_text="With `max_price` or `max_payable`, on the first page: how many "
                "instruments are left out by the currency in which they are priced, for want of an "
                "exchange rate.",
            ),
        ),
    )
    def get(self, request: Request) -> Response:
        """Published instruments by name, each with its next free starts and the price for the
        asking person. With `free_from`, `free_until` and `minutes`, or with `max_price`, only
        those that have a bookable start in that window, at that price at most. With `q` those
        nearest to it come first: whole names and models, then names, makers and techniques with
        their synonyms in either language, then descriptions; where nothing has the words as they
        were typed, `results_for` says what they were taken for, or `has_all_words` is false.
        `terms` are what the words may mean: `term` searches by one of them. With any of these
        `previous` is always null."""
        query = query_values(CatalogueQuery, request.query_params)
        payer = payer_for(self.actor, query.get("organisation"))
        criteria = criteria_of(query, payer)
        if query["managed"]:
            return paginated(
                request,
                managed_instruments(self.actor).prefetch_related("techniques"),
                query,
                ("name", "id"),
                lambda rows: self._shown(rows, payer, criteria),
            )
        if (
            criteria.is_ranked
            or criteria.text
            or criteria.wants_time
            or criteria.wants_price
            or criteria.sort == "price"
        ):
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
        return offered([(row, offers[row.pk]) for row in rows], self.now)

    def _matching(
        self,
        request: Request,
        query: dict[str, Any],
        criteria: Criteria,
        payer: Organisation | None,
    ) -> Response:
        limit = query["limit"]
        after = _after(cursor_of(query.get("cursor")), criteria)

        backing, worths = load_backing(payer), load_limit(criteria, payer, self.now)

        def ask(criteria: Criteria) -> list[tuple[Instrument, Offer]]:
            return free_between(
                self.actor,
                criteria,
                payer,
                self.now,
                after=after,
                size=limit + 1,
                backing=backing,
                worths=worths,
            )

        without = tuple(filter(None, query["without"].split(",")))
        offers, meant = ask(criteria), criteria
        if not offers and not entries(criteria).exists():
            meant = load_widened(criteria, load_meanings(criteria, without))
            offers = ask(meant) if meant != criteria else []
        if not offers and payer is not None and "cursor" not in query:
            demand_searched(By(self.actor, self.now), organisation=payer, criteria=criteria)
        shown, following = offers[:limit], None
        prefetch_related_objects([row for row, _ in shown], "techniques")
        if len(offers) > limit:
            following = Cursor(tuple(map(str, place_of(shown[-1][0]))))
        response = answer(request, offered(shown, self.now), following=following)
        if criteria.text and after is None:
            terms = [term for term in load_need_terms(criteria.text) if term.code not in without]
            response.data["terms"] = [rendered(NeedTermShape, term) for term in terms]
        if criteria.text:
            response.data["has_all_words"] = not meant.words
        if criteria.sort == "price":
            response.data["is_reordered"] = is_reordered((offer for _, offer in shown), worths)
        if criteria.wants_price and after is None:
            sieve = of_today(backing, None, worths, self.now)
            response.data["not_compared"] = load_priced(entries(meant), sieve).uncompared
        if meant.text != criteria.text:
            response.data["results_for"] = meant.text
        return response


def _number(text: str, *, is_whole: bool) -> Decimal | int:
    """`ValueError` for what is no place in an order."""
    if not re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", text):
        raise ValueError(text)
    return max(-(2**31), min(int(text), 2**31 - 1)) if is_whole else Decimal(text)


def _after(cursor: Cursor | None, criteria: Criteria) -> Place | None:
    if cursor is None:
        return None
    try:
        *first, name, pk = cursor.values
        if len(first) != (criteria.is_ranked or criteria.sort == "price"):
            raise ValueError
        place = [_number(text, is_whole=criteria.is_ranked) for text in first]
        return (*place, name, UUID(pk))
    except ValueError:
        raise invalid("cursor", "unknown-cursor") from None


class FacetShape(serializers.Serializer[Any]):
    """A value the catalogue can be narrowed to. `above`: the codes next above it, of regions and
    techniques; `name` is empty where the code says all."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    count = serializers.IntegerField()
    above = serializers.ListField(child=serializers.CharField())


class FacetsShape(serializers.Serializer[Any]):
    """How many instruments fit, and how many each value would leave: counted with all other
    criteria, without the choice made of the same facet, and before free time and price."""

    total = serializers.IntegerField()
    region = FacetShape(many=True)
    technique = FacetShape(many=True)
    host = FacetShape(many=True, help_text="The 50 most frequent.")
    maker = FacetShape(many=True, help_text="The 50 most frequent.")
    service_mode = FacetShape(many=True)
    kind = FacetShape(many=True)
    parameter = FacetShape(
        many=True,
        help_text="With `technique`, `term` or `spec`: the six parameters that most of these "
        "instruments state.",
    )
    not_stated = serializers.IntegerField(
        help_text="With `spec`: how many more would fit if what they do not state met it."
    )


class FacetsQuery(Narrowing):
    """The catalogue's criteria that say what an instrument is."""


class CatalogueFacets(Endpoint):
    @from_replica
    @operation(
        "instrument-facets",
        _("Catalogue filters"),
        tag="instruments",
        query=FacetsQuery,
        gives=FacetsShape,
    )
    def get(self, request: Request) -> Response:
        """Of published instruments. Counts of more than 5,000 may be a minute old."""
        query = query_values(FacetsQuery, request.query_params)
        criteria = criteria_of(query)
        is_specified = criteria.technique or criteria.term or criteria.specs
        counts = facets(criteria)
        if not counts.total:
            criteria = load_widened(criteria, load_meanings(criteria))
            counts = facets(criteria)
        specifications = load_specifications(criteria) if is_specified else Specifications()
        values = {
            "total": counts.total,
            **counts.choices,
            "parameter": specifications.parameters,
            "not_stated": specifications.unstated,
        }
        return Response(rendered(FacetsShape, values))

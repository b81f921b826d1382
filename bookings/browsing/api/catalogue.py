"""The catalogue: what is on offer, with the next free slots and the price for the person who asks."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import shapes
from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Cursor, Pages, answer, cursor_of, paginated
from accounts.api.resource import rendered
from accounts.api.schema import operation, page
from accounts.api.shapes import Amount
from accounts.domain.currencies import MINOR_DIGITS, in_decimals
from accounts.domain.errors import invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.replica import from_replica
from accounts.selectors.organisations import payer_read_for
from bookings.catalogue.api.asking import PayerCode, code_of
from bookings.catalogue.selectors import catalogue
from bookings.catalogue.selectors.catalogue_priced import load_priced
from bookings.catalogue.selectors.catalogue_sieve import Place, of_today
from bookings.catalogue.selectors.needs import ReasonShown, load_near, load_reading, load_reason
from bookings.catalogue.services.demand import demand_searched
from bookings.pricing.domain.quotes import quote_to_json
from bookings.pricing.selectors.fees import load_backing
from instruments.managing.api.registry import InstrumentRegister, InstrumentShape, with_quality
from instruments.register.models import Instrument
from instruments.register.selectors.registry import managed_instruments
from instruments.search.domain.search import Criteria
from instruments.search.selectors.search import Specifications, entries, facets, load_specifications, search
from instruments.vocabulary.api.needs import NeedTermShape
from instruments.vocabulary.domain.needs import LONGEST_NEED
from instruments.vocabulary.domain.parameters import LONGEST_SPEC, requirements_of
from instruments.vocabulary.selectors.needs import load_parameters

LONGEST_WINDOW = timedelta(days=62)


class PayingVoucherShape(serializers.Serializer[Any]):
    """A voucher grant, with the name of its programme."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()


class ExtraShape(serializers.Serializer[Any]):
    """An option of the rate card."""

    code = serializers.CharField()
    unit = serializers.ChoiceField(["hour", "each"])
    price = Amount()


class PriceShape(serializers.Serializer[Any]):
    """The price that the payer would pay for `minutes` from the first of `next_starts` on, or for one sample:
    with set-up, agreement, voucher and tax, without options. The booking form and `/quotes/` give the same.
    `rate` is that of the payer's price group, before anything is added or taken off."""

    amount = Amount(allow_null=True, help_text="Null if the requested service mode has no price.")
    currency = serializers.CharField()
    covered = Amount(allow_null=True, help_text="The part that a voucher pays.")
    voucher = PayingVoucherShape(allow_null=True, help_text="The voucher that pays it.")
    rate = Amount()
    unit = serializers.ChoiceField(["hour", "sample"])
    minimum_minutes = serializers.IntegerField(help_text="At least so many are charged; 0: no minimum.")
    on_top = ExtraShape(
        many=True,
        help_text="Options by the hour that the service mode adds and `amount` does not include, such as an "
        "operator.",
    )


class TermShape(serializers.Serializer[Any]):
    """A technique, or what can be found out."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()


class RelevanceShape(serializers.Serializer[Any]):
    """The reason why an instrument is listed: its `technique` answers `term`; `term` is null if the technique
    itself was asked for. Both describe instruments that nearly match as well: their `technique` is null if
    they state that they miss a requirement, or if their names have only some of the words."""

    technique = TermShape(allow_null=True)
    term = TermShape(allow_null=True)


class OfferedShape(InstrumentShape):
    """An instrument with the price and the free starts that the catalogue shows beside it."""

    price_group = serializers.CharField()
    price_for_me = PriceShape(allow_null=True)
    next_starts = serializers.ListField(
        child=shapes.Instant(), help_text="The first times at which a booking of `minutes` could begin."
    )
    minutes = serializers.IntegerField()
    reason = RelevanceShape(
        allow_null=True, help_text="With `q` or `term`; null where its names have the words."
    )


class Narrowing(shapes.Query):
    """Filters for instruments."""

    q = shapes.Text(
        LONGEST_NEED,
        default="",
        help_text="Words to search for, in either language, or a description of what is to be measured.",
    )
    term = shapes.Text(
        60,
        default="",
        help_text="Code of a measurand or technique from `terms` of an answer. Only instruments with a "
        "matching technique are listed, and `q` does not narrow the list further.",
    )
    without = shapes.Text(
        600, default="", help_text="Codes of terms that `q` does not mean, separated by commas."
    )
    technique = shapes.Text(
        60, default="", help_text="Code of a technique; narrower techniques are included."
    )
    region = shapes.Text(20, default="", help_text="Code of a region; the regions within it are included.")
    host = shapes.Text(40, default="", help_text="The code of the organisation that owns it.")
    facility = serializers.UUIDField(required=False)
    maker = shapes.Text(250, default="", help_text="Name of the manufacturer, as written in the facets.")
    service_mode = shapes.Choice(Instrument.ServiceMode.choices, required=False)
    kind = shapes.Choice(Instrument.Kind.choices, required=False)
    spec = shapes.ListOf(
        child=shapes.Text(LONGEST_SPEC),
        default=list,
        help_text="A required range of a parameter (`parameters/`) as `CODE:LOW:HIGH` in its unit, up "
        "to ten times. Either limit may be empty. Instruments that do not state the parameter "
        "are left out.",
    )


class CatalogueQuery(Pages, Narrowing):
    organisation = shapes.Text(40, required=False, help_text="Code of the organisation that would pay.")
    free_from = shapes.Instant(
        required=False, help_text="With `free_until`: only instruments that are free during this period."
    )
    free_until = shapes.Instant(required=False)
    minutes = shapes.Whole(
        min_value=1,
        max_value=44640,
        required=False,
        help_text="Length of the booking in minutes; default: 60.",
    )
    max_price = shapes.Number(
        12,
        4,
        min_value=0,
        required=False,
        help_text="Maximum list price per hour or sample, before fees, agreement, voucher and tax. Use "
        "`max_payable` for the price to pay.",
    )
    max_payable = shapes.Number(
        14,
        4,
        min_value=0,
        required=False,
        help_text="Maximum price to pay for `minutes` or one sample, as in `price_for_me`.",
    )
    currency = shapes.Choice(
        [(code, code) for code in sorted(MINOR_DIGITS)],
        required=False,
        help_text="Currency of `max_price` and `max_payable`; default: that of the paying "
        "organisation's region. Prices in other currencies are compared at the organisation's "
        "newest exchange rates.",
    )
    sort = shapes.Choice(
        [("relevance", _("best match")), ("name", _("name")), ("price", _("price to pay"))],
        required=False,
        help_text="Default: by relevance with `q`, otherwise by name. `price` sorts by what the paying "
        "organisation pays for `minutes` (default: an hour), with set-up, agreement, voucher and tax, in the "
        "currency of its region; instruments priced in a currency without a stored exchange rate come last. "
        "Each page is exact; which instruments are on it is decided before time bands (`is_reordered`).",
    )
    managed = shapes.Flag(
        default=False,
        help_text="List the instruments that you manage, published or not; all other filters are ignored.",
    )


def criteria_of(data: dict[str, Any], payer: Organisation | None = None) -> Criteria:
    """Return the criteria of a search. Raise `Invalid` for a window that is incomplete, empty or too long,
    for a price without a currency, and for requirements that cannot be parsed."""
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
        without=tuple(filter(None, data["without"].split(","))),
        specs=requirements_of(specs, load_parameters()) if (specs := data["spec"]) else (),
        sort="" if data.get("sort") == "relevance" else data.get("sort", ""),
    )


def offered(
    rows: Sequence[tuple[Instrument, catalogue.Offer]],
    now: datetime,
    reasons: Mapping[UUID, ReasonShown | None],
) -> list[dict[str, Any]]:
    """Return the catalogue's rows as JSON; instruments must be loaded with their techniques. It takes no
    statement."""
    priced = {row.pk: offer.is_priced for row, offer in rows}
    with_quality([row for row, _ in rows], now, priced=priced)
    return [
        {
            **rendered(InstrumentShape, instrument),
            "price_group": offer.price_group,
            "price_for_me": _price(offer),
            "next_starts": [shapes.rfc3339(start) for start in offer.starts],
            "minutes": offer.minutes,
            "reason": rendered(RelevanceShape, reason) if (reason := reasons.get(instrument.pk)) else None,
        }
        for instrument, offer in rows
    ]


def _price(offer: catalogue.Offer) -> dict[str, Any] | None:
    if offer.rate is None:
        return None
    sums = quote_to_json(offer.quote) if offer.quote else {}
    return {
        "amount": sums.get("payable"),
        "currency": offer.currency,
        "covered": sums.get("covered"),
        "voucher": offer.voucher and rendered(PayingVoucherShape, offer.voucher),
        "rate": in_decimals(offer.rate, offer.currency),
        "unit": offer.rate_unit,
        "minimum_minutes": offer.minimum_minutes,
        "on_top": [
            {"code": each.code, "unit": each.unit, "price": in_decimals(each.price, offer.currency)}
            for each in offer.on_top
        ],
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
            organisation=PayerCode(),
            results_for=serializers.CharField(
                required=False, help_text="The corrected `q`, if nothing contains the words as written."
            ),
            is_understood=serializers.BooleanField(
                required=False,
                help_text="With `q`: false where no name has its words and nobody knows what they mean.",
            ),
            terms=NeedTermShape(
                many=True,
                required=False,
                help_text="With `q`, on the first page: what it was taken to want, the likeliest first.",
            ),
            lacking=TermShape(
                allow_null=True,
                required=False,
                help_text="With `q`, on the first page: what was understood, and no published instrument "
                "measures.",
            ),
            near=OfferedShape(
                many=True,
                required=False,
                help_text="With `q` or `term`, on the last page: instruments that are no answer but near to "
                "one, the nearest first, six at most. They do not count as results.",
            ),
            is_reordered=serializers.BooleanField(
                required=False,
                help_text="With `sort=price`: each page is in the order of `price_for_me`. True if a time "
                "band, a tier or a cap changed the order on this page: what follows may cost less, too.",
            ),
            not_compared=serializers.DictField(
                child=serializers.IntegerField(),
                required=False,
                help_text="With `max_price` or `max_payable`, on the first page: by currency, the number of "
                "instruments left out because there is no exchange rate.",
            ),
        ),
    )
    def get(self, request: Request) -> Response:
        """List published instruments by name, each with its next free starts and the price for the person who
        asks. With `free_from`, `free_until` and `minutes`, or with `max_price`, only instruments with a
        bookable start in that window, at that price at most, are listed. With `q` names come first; other
        words are taken for what somebody wants to find out: the instruments whose techniques answer it best
        come first, each with its `reason`. If nothing has the words as typed, `results_for` gives the words
        searched for instead; if nobody knows what they mean, `is_understood` is false. `terms` are possible
        meanings of the words: `term` searches by one of them. With any of these, `previous` is always
        null."""
        query = shapes.query_values(CatalogueQuery, request.query_params)
        payer = payer_read_for(self.actor, query.get("organisation"))
        response = self._page(request, query, payer)
        response.data["organisation"] = code_of(payer)
        return response

    def _page(self, request: Request, query: dict[str, Any], payer: Organisation | None) -> Response:
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
            or criteria.term
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
        self,
        rows: list[Instrument],
        payer: Organisation | None,
        criteria: Criteria,
        reasons: Mapping[UUID, ReasonShown | None] | None = None,
    ) -> list[dict[str, Any]]:
        offers = catalogue.load_offers(
            rows,
            payer,
            self.now,
            user_id=self.actor.user_id,
            mode=criteria.service_mode or None,
            minutes=criteria.minutes,
        )
        return offered([(row, offers[row.pk]) for row in rows], self.now, reasons or {})

    def _matching(
        self, request: Request, query: dict[str, Any], criteria: Criteria, payer: Organisation | None
    ) -> Response:
        limit = query["limit"]
        after = _after(cursor_of(query.get("cursor")), criteria)

        backing, worths = load_backing(payer), catalogue.load_limit(criteria, payer, self.now)

        def ask(criteria: Criteria) -> list[tuple[Instrument, catalogue.Offer]]:
            return catalogue.free_between(
                self.actor,
                criteria,
                payer,
                self.now,
                after=after,
                size=limit + 1,
                backing=backing,
                worths=worths,
            )

        reading = load_reading(criteria)
        meant = reading.criteria
        offers = ask(meant)
        if not offers and payer is not None and "cursor" not in query:
            demand_searched(By(self.actor, self.now), organisation=payer, criteria=criteria)
        asked, following = offers[:limit], None
        shown = catalogue.by_amount(asked, worths) if criteria.sort == "price" else asked
        prefetch_related_objects([row for row, _ in shown], "techniques")
        if len(offers) > limit:
            following = Cursor(tuple(map(str, catalogue.place_of(asked[-1][0]))))
        reasons = {row.pk: load_reason(row, reading) for row, _ in shown}
        response = answer(request, offered(shown, self.now, reasons), following=following)
        if (criteria.text or criteria.term) and not (criteria.wants_time or criteria.wants_price):
            near = [] if following else load_near(reading)
            prefetch_related_objects([row for row, _ in near], "techniques")
            why = {row.pk: reason for row, reason in near}
            response.data["near"] = (
                self._shown([row for row, _ in near], payer, criteria, why) if near else []
            )
        if criteria.text and after is None:
            response.data["terms"] = [rendered(NeedTermShape, term) for term in reading.terms]
            response.data["lacking"] = rendered(TermShape, reading.lacking) if reading.lacking else None
        if criteria.text:
            response.data["is_understood"] = not reading.is_unknown
        if criteria.sort == "price":
            is_reordered = catalogue.is_reordered((offer for _, offer in asked), worths)
            response.data["is_reordered"] = is_reordered and following is not None
        if criteria.wants_price and after is None:
            sieve = of_today(backing, None, worths, self.now)
            response.data["not_compared"] = load_priced(entries(meant), sieve).uncompared
        if meant.text != criteria.text:
            response.data["results_for"] = meant.text
        return response


def _number(text: str, *, is_whole: bool) -> Decimal | int:
    """Return the number that a cursor holds as text; raise `ValueError` if it is none."""
    if not re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", text):
        raise ValueError(text)
    return max(-(2**31), min(int(text), 2**31 - 1)) if is_whole else Decimal(text)


def _after(cursor: Cursor | None, criteria: Criteria) -> Place | None:
    if cursor is None:
        return None
    try:
        *first, name, pk = map(str, cursor.values)
        if len(first) != (criteria.is_ranked or criteria.sort == "price"):
            raise ValueError
        place = [_number(text, is_whole=criteria.is_ranked) for text in first]
        return (*place, name, UUID(pk))
    except ValueError:
        raise invalid("cursor", "unknown-cursor") from None


class FacetShape(serializers.Serializer[Any]):
    """A value by which the catalogue can be narrowed. `above`: for regions and techniques, the codes directly
    above it. `name` is empty if the code says everything."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    count = serializers.IntegerField()
    above = serializers.ListField(child=serializers.CharField())


class FacetsShape(serializers.Serializer[Any]):
    """How many instruments match, and how many would match with each value: counted with all other criteria,
    but without the present choice in the same facet, and before free time and price."""

    total = serializers.IntegerField()
    region = FacetShape(many=True)
    technique = FacetShape(many=True)
    host = FacetShape(many=True, help_text="The 50 most frequent hosts.")
    maker = FacetShape(many=True, help_text="The 50 most frequent manufacturers.")
    service_mode = FacetShape(many=True)
    kind = FacetShape(many=True)
    parameter = FacetShape(
        many=True,
        help_text="With `technique`, `term` or `spec`: the six parameters that most of these "
        "instruments state.",
    )
    not_stated = serializers.IntegerField(
        help_text="With `spec`: the number of further instruments that might fit, but do not state a "
        "parameter."
    )


class FacetsQuery(Narrowing):
    """Those criteria of the catalogue that describe an instrument."""


class CatalogueFacets(Endpoint):
    @from_replica
    @operation(
        "instrument-facets", _("Catalogue filters"), tag="instruments", query=FacetsQuery, gives=FacetsShape
    )
    def get(self, request: Request) -> Response:
        """Count published instruments by facet. Counts above 5,000 may be a minute old."""
        query = shapes.query_values(FacetsQuery, request.query_params)
        criteria = criteria_of(query)
        is_specified = criteria.technique or criteria.term or criteria.specs
        criteria = load_reading(criteria).criteria
        counts = facets(criteria)
        specifications = load_specifications(criteria) if is_specified else Specifications()
        values = {
            "total": counts.total,
            **counts.choices,
            "parameter": specifications.parameters,
            "not_stated": specifications.unstated,
        }
        return Response(rendered(FacetsShape, values))

"""Reservations: making and reading them. Transitions and moves are in modules of their own."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch, Q, QuerySet
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages, paginated
from accounts.api.resource import Resource, reads
from accounts.api.schema import one_of, operation, page
from accounts.api.shapes import Choice, Instant, ListOf, Number, Shape, Text, checked, query_values, shown_by
from accounts.domain.roles import Actor, By
from accounts.models import User
from accounts.selectors.rows import visible
from bookings.catalogue.api import asking
from bookings.catalogue.api.fees import CardRefShape, QuoteShape
from bookings.catalogue.selectors.parties import Booking
from bookings.funding.api.funding import FundedShape
from bookings.funding.selectors.earmarks import paying, sees_funding
from bookings.pricing.api.charges import ChargeShape
from bookings.pricing.models import Charge, Quote
from bookings.pricing.selectors.bookings import BOOKINGS
from bookings.pricing.selectors.charges import IN_FORCE
from bookings.record.api.lists import FILE_TYPES, answered, format_of, sort_of
from bookings.record.api.shapes import PlainNumber
from bookings.record.domain.refusals import OVERRIDABLE
from bookings.record.domain.reservations import effective_state
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import WITH, first_visible_to, reservations_for
from bookings.reserving.services.reservations import MOST_AT_ONCE, reservations_request
from instruments.register.models import Instrument

TAG = "reservations"
WAITING = ("held", "requested")


# Answers


class PurposeShape(serializers.Serializer[Any]):
    code = serializers.ChoiceField(Reservation.Purpose.choices, source="purpose")
    text = serializers.CharField(source="purpose_text")


class SamplesShape(serializers.Serializer[Any]):
    count = serializers.IntegerField(allow_null=True, source="sample_count")
    text = serializers.CharField(source="samples")


class SessionShape(serializers.Serializer[Any]):
    """The actual use. `is_assumed`: nobody checked out, so the end is the reserved one."""

    checked_in_at = Instant()
    checked_out_at = Instant(allow_null=True)
    is_assumed = serializers.BooleanField()
    cut_at = Instant(
        allow_null=True,
        help_text="When the host closed the instrument during the use, which is charged at most until then.",
    )
    service_mode = serializers.CharField()
    samples = serializers.IntegerField(allow_null=True)
    rating = serializers.IntegerField(allow_null=True)
    remarks = serializers.CharField()


AsQuoted = shown_by(dict, QuoteShape)


class ReservationShape(serializers.Serializer[Any]):
    """A request for a period, with the quoted price, frozen. Organisations and regions are given by code, as
    they were when the request was made."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id")
    instrument_name = serializers.CharField(source="instrument.name")
    instrument_name_zh = serializers.CharField(source="instrument.name_zh")
    time_zone = serializers.CharField(source="instrument.facility.time_zone")
    unit = serializers.IntegerField()
    start = Instant(source="start_at")
    end = Instant(source="end_at")
    state = serializers.ChoiceField(Reservation.State.choices, source="state_now")
    user = PersonShape()
    organisation = serializers.CharField(
        source="organisation.code", help_text="Code of the paying organisation."
    )
    payer_region = serializers.CharField(source="payer_region.code")
    host = serializers.CharField(source="host.code")
    host_region = serializers.CharField(source="host_region.code")
    service_mode = serializers.ChoiceField(Instrument.ServiceMode.choices)
    purpose = PurposeShape(source="*")
    samples = SamplesShape(source="*")
    price_group = serializers.CharField()
    rate_card = CardRefShape(source="card")
    policy_version = serializers.IntegerField(
        allow_null=True,
        help_text="The version of the instrument's booking policy (`policy/versions/`) that applied "
        "when the booking was made or last moved. Null: made before versions were recorded.",
    )
    quote = AsQuoted(allow_null=True)
    funding = FundedShape(
        many=True,
        allow_null=True,
        help_text="The funding source that pays for the booking. Null if you may not see it.",
    )
    deadline = Instant(
        allow_null=True, source="deadline_at", help_text="Until when a request has to be answered."
    )
    requested_at = Instant()
    confirmed_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)
    reason = serializers.CharField(help_text="Why it was rejected, cancelled or displaced.")
    cancelling_costs_at_least = PlainNumber(
        source="least_percent",
        help_text="Least percentage that cancelling costs, because the booking was moved at short "
        "notice; 0 if it was not.",
    )
    is_second_thought = serializers.BooleanField(
        help_text="Whether the person cancelled the booking just after making it, at no cost."
    )
    overrides = serializers.ListField(
        child=serializers.CharField(), help_text="Codes of the rules that a manager overrode."
    )
    series = serializers.UUIDField(allow_null=True, source="series_id")
    chain = serializers.UUIDField(allow_null=True, source="chain_id")
    step = serializers.IntegerField(allow_null=True, help_text="Position in the chain, from 1.")
    session = SessionShape(allow_null=True)
    charge = ChargeShape(allow_null=True)
    version = serializers.IntegerField()
    links = serializers.DictField(child=serializers.CharField())


def with_all(rows: QuerySet[Reservation]) -> QuerySet[Reservation]:
    """Load everything that an answer shows of each reservation. Three more statements, whatever their
    number."""
    current, in_force = Quote.objects.filter(is_current=True), Charge.objects.filter(IN_FORCE)
    in_force = in_force.select_related("grant")
    return rows.select_related("rate_card").prefetch_related(
        Prefetch("quotes", current, to_attr="current_quotes"),
        Prefetch("charges", in_force, to_attr="charges_in_force"),
        Prefetch("earmarks", paying(), to_attr="funded_by"),
    )


def prepared(rows: Iterable[Any], actor: Actor, now: datetime) -> list[Any]:
    """Return reservations loaded by `with_all`, with what their shape shows besides their own fields."""
    rows = list(rows)
    for row in rows:
        quote: Quote | None = next(iter(row.current_quotes), None)
        stored = getattr(row, "stored_with", None)
        row.card = stored.card if stored else row.rate_card
        card = {"id": str(row.card.id), "version": row.card.version}
        row.state_now = effective_state(row.state, row.deadline_at, now)
        row.sample_count = (quote.inputs.get("quantity") if quote else None) or None
        row.quote = {**quote.result, "rate_card": card} if quote else None
        row.funding = row.funded_by if sees_funding(actor, row) else None
        row.charge = next(iter(row.charges_in_force), None)
        row.links = _links(row)
    return rows


def _links(row: Reservation) -> dict[str, str]:
    here = reverse("api-reservation", kwargs={"reservation_id": row.pk})
    return {
        "self": here,
        "instrument": reverse("api-instrument", kwargs={"instrument_id": row.instrument_id}),
        "cancellation": f"{here}cancellation/",
        "trail": f"{reverse('api-trail-entries')}?object={row.pk}",
    }


def with_what_was_stored(row: Reservation, user: User | AnonymousUser) -> bool:
    """Give a reservation that `user` has just made everything that an answer shows, as `with_all` would load
    it. Return False if that is not possible, so that it has to be loaded."""
    stored = getattr(row, "stored_with", None)
    if stored is None or row.user_id != user.pk:
        return False
    row.user = user
    row.current_quotes = [stored.quote] if stored.quote else []  # type: ignore[attr-defined]
    row.charges_in_force, row.funded_by = [], []  # type: ignore[attr-defined]
    Reservation.session.related.set_cached_value(row, None)
    return True


def load_one(actor: Actor, reservation_id: UUID) -> Reservation:
    """Return a reservation; raise `NotFound` if there is none, or the actor may not see it."""
    return visible(with_all(reservations_for(actor)), pk=reservation_id)


# Requests


class PurposeBody(Shape):
    code = Choice(Reservation.Purpose.choices)
    text = Text(500, default="", allow_blank=True)


class OverrideBody(Shape):
    """Rules that a host's manager overrides, and the reason."""

    override = ListOf(
        child=Choice([(code, code) for code in OVERRIDABLE]),
        default=list,
        help_text="Codes of rules to override: only for the host's managers, and not for their own bookings.",
    )
    reason = Text(500, default="", allow_blank=True, help_text="Required with `override`.")


class AmountBody(Shape):
    amount = Number(15, 4, min_value=0)
    currency = Text(3)


class ReservationBody(
    asking.AskedBody, asking.FundingBody, OverrideBody, asking.SampleItemsBody, asking.AcceptingBody
):
    service_mode = Choice(Instrument.ServiceMode.choices)
    purpose = PurposeBody()
    hold = serializers.UUIDField(
        required=False, allow_null=True, help_text="Id of the hold on the slot, from `holds/`."
    )
    need = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="Id of the person's need that it is for, which then counts as booked; "
        "ignored if it is not theirs.",
    )
    on_behalf_of = Text(
        254,
        default="",
        allow_blank=True,
        help_text="Id or e-mail address of the person to book for. The payer's managers may book for "
        "its members; the host's managers for anybody, at the host's cost.",
    )
    at_most = AmountBody(
        required=False,
        help_text="The amount `payable` in the quote that you read. If the price is now higher or in "
        "another currency, the answer is 409 `price-changed`.",
    )


class ReservationsBody(Shape):
    """Several bookings at once: all of them are made, or none."""

    bookings = ReservationBody(many=True, max_length=MOST_AT_ONCE)  # type: ignore[call-arg]


class ReservationsShape(serializers.Serializer[Any]):
    reservations = ReservationShape(many=True)


class ReservationQuery(Pages):
    def get_fields(self) -> Any:
        return {
            "from": Instant(required=False, help_text="Only bookings that end after this time."),
            "until": Instant(required=False, help_text="Only bookings that start before this time."),
            **super().get_fields(),
        }

    state = Text(120, default="", help_text="One or more states, separated by commas.")
    instrument = serializers.UUIDField(required=False)
    organisation = Text(40, default="", help_text="Code of the paying organisation.")
    q = Text(100, default="", help_text=BOOKINGS.q_help)
    sort = sort_of(BOOKINGS)
    format = format_of()


def in_states(states: list[str], now: datetime) -> Q:
    """Return a condition for reservations in these states now: an unanswered request past its deadline counts
    as expired, even if no job has recorded that yet."""
    lapsed = Q(state__in=WAITING, deadline_at__lte=now)
    rows = Q(state__in=states) & ~lapsed
    return rows | lapsed if "expired" in states else rows


class ReservationResource(Resource):
    """A base for all resources of reservations."""

    at, key, tag = "reservations/", "reservation_id", TAG
    name, many, shape, order = "reservation", "reservations", ReservationShape, ("-start_at", "-id")
    write_scope = "book"

    def visible(self, pk: UUID) -> Any:
        return load_one(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        return prepared(rows, self.actor, self.now)


class Reservations(ReservationResource):
    needs_person = True

    @operation(
        "reservations",
        _("Reservations"),
        tag=TAG,
        query=ReservationQuery,
        gives=page(ReservationShape),
        files=FILE_TYPES,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return the reservations you may see, the latest start first: your own; those your organisation pays
        or hosts, for its managers and finance; those of an auditor's regions."""
        query = query_values(ReservationQuery, request.query_params)
        rows = with_all(Reservation.objects.select_related(*WITH))
        if query["state"]:
            rows = rows.filter(
                in_states(asking.codes_in(query["state"], "state", Reservation.State.values), self.now)
            )
        if "instrument" in query:
            rows = rows.filter(instrument_id=query["instrument"])
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        if "from" in query:
            rows = rows.filter(end_at__gt=query["from"])
        if "until" in query:
            rows = rows.filter(start_at__lt=query["until"])
        asked: dict[str, Any] = {name: query[name] for name in ("q", "sort", "format") if name in query}
        found = answered(self, BOOKINGS, (rows, first_visible_to(self.actor)), asked, self.order)
        if isinstance(found, HttpResponseBase):
            return found
        rows, seen, order = found
        return paginated(request, rows, query, order or self.order, self.shown, seen)

    @operation(
        "reservation_create",
        _("Reserve"),
        tag=TAG,
        takes=one_of("ReservationOrSeveral", ReservationBody, ReservationsBody),
        gives=one_of("ReservationMade", ReservationShape, ReservationsShape),
        status=201,
        refuses=[404, 409, 422],
        once=True,
        sends={
            "instrument": "0197a1de-0000-7000-8000-000000000002",
            "start": "2026-03-06T10:00:00+08:00",
            "end": "2026-03-06T12:00:00+08:00",
            "organisation": "wusong-tech",
            "service_mode": "self",
            "purpose": {"code": "research", "text": "Lattice defects in perovskites"},
            "funding": [{"source": "NSFC-2026-17", "percent": "100"}],
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Reserve a period, or request it if the policy requires the host's approval: see `state`. 409 if the
        slot is taken or the instrument closed; 422 names every other rule that refuses, with the nearest
        period that would be allowed.

        With `hold` it completes a slot held by `POST holds/`, without checking the rules again. With
        `{"bookings": [...]}`, up to 20, all are reserved or none; the answer is `{"reservations": [...]}` in
        the same order, and a refusal names the booking it concerns with `booking`, counted from 0.
        """
        is_several = isinstance(request.data, Mapping) and "bookings" in request.data
        if is_several:
            bodies = checked(ReservationsBody, request.data)["bookings"]
        else:
            bodies = [checked(ReservationBody, request.data)]
        bookings = [booking_of(data) for data in bodies]

        def reserve() -> Response:
            booked = reservations_request(By(self.actor, self.now), bookings=bookings)
            if not all(with_what_was_stored(row, request.user) for row in booked):
                stored = with_all(reservations_for(self.actor)).in_bulk([row.pk for row in booked])
                booked = [stored[row.pk] for row in booked if row.pk in stored]
            if not is_several:
                return self.one(booked[0], status=201)
            return Response({"reservations": self.shown(booked)}, status=201)

        return self.once(reserve)


def booking_of(data: dict[str, Any]) -> Booking:
    """Return the booking of a validated body."""
    quantity, text = asking.samples_of(data)
    return Booking(
        instrument_id=data["instrument"],
        period=asking.period_of(data),
        organisation=data.get("organisation"),
        service_mode=data["service_mode"],
        purpose=data["purpose"]["code"],
        purpose_text=data["purpose"]["text"],
        samples=text,
        options=data.get("options", {}),
        quantity=quantity,
        hold=data.get("hold"),
        on_behalf_of=data.get("on_behalf_of", "").strip(),
        override=tuple(data.get("override", ())),
        reason=data.get("reason", ""),
        funding=asking.shares_of(data),
        sample_items=tuple(data.get("sample_items", ())),
        house_rules=data.get("house_rules"),
        at_most=(most["amount"], most["currency"]) if (most := data.get("at_most")) else None,
        need=data.get("need"),
    )


class OneReservation(ReservationResource):
    needs_person = True

    @reads(_("A reservation"))
    def detail(self, pk: UUID) -> None:
        """Return a reservation as it is now, with its quote."""

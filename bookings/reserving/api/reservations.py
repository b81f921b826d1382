"""Reservations: making and reading them. Transitions and moves are in modules of their own."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch, QuerySet, Value
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.memberships import PersonShape
from accounts.api.pagination import paginated
from accounts.api.resource import Resource, changes, reads, rendered
from accounts.api.schema import one_of, operation, page
from accounts.api.shapes import (
    Choice,
    Flag,
    Instant,
    ListOf,
    Number,
    ObjectOf,
    Shape,
    Text,
    Whole,
    checked,
    query_values,
    shown_by,
)
from accounts.domain.errors import NotFound, invalid
from accounts.domain.roles import Actor, By
from accounts.models import User
from accounts.selectors.rows import visible
from bookings.catalogue.api import asking
from bookings.catalogue.api.fees import CardRefShape, QuoteShape, quote_shown
from bookings.catalogue.selectors.parties import Booking
from bookings.funding.api.funding import FundedShape
from bookings.funding.selectors.earmarks import paying, sees_funding
from bookings.pricing.api.charges import ChargeShape
from bookings.pricing.models import Charge, Quote
from bookings.pricing.selectors.bookings import BOOKINGS, OPERATED_BOOKINGS
from bookings.pricing.selectors.charges import IN_FORCE
from bookings.record.api.lists import FILE_TYPES, answered, query_of
from bookings.record.api.shapes import PlainNumber, ReferenceBody, ReferencedShape, references_show
from bookings.record.domain.references import noted
from bookings.record.domain.refusals import OVERRIDABLE
from bookings.record.domain.reservations import effective_state
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import (
    WITH,
    booked_by,
    first_visible_to,
    operated_by,
    operated_reservations,
    reservations_for,
)
from bookings.reserving.services.reservations import MOST_AT_ONCE, reservation_note, reservations_request
from instruments.register.models import Instrument

TAG = "reservations"


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


AsQuoted = shown_by(quote_shown, QuoteShape)


class ReservationShape(ReferencedShape):
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
    reason = serializers.CharField(
        help_text="Why it was rejected, cancelled or displaced, or its no-show removed."
    )
    struck = serializers.ChoiceField(
        Reservation.Struck.choices,
        allow_blank=True,
        help_text="Why the host removed the no-show that the booking counted as; empty for others.",
    )
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
    default_lapsed = serializers.ListField(
        child=serializers.CharField(),
        help_text="In the answer to a booking that names no `funding`: the codes of default sources that "
        "come first but can pay no longer, so that another default or none pays.",
    )
    version = serializers.IntegerField()
    links = serializers.DictField(child=serializers.CharField())


class ListedReservationShape(ReservationShape):
    """A reservation in the list. `modified` follows the reservation itself: its period, state, price, use and
    notes. Its charge and what pays for it change by themselves: see `charges/`."""

    modified = Instant(
        help_text="When it was changed last, by the clock of the database: for `updated_since`."
    )


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
    references_show(rows, lambda row: booked_by(actor, row))
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
        row.default_lapsed = getattr(row, "default_lapsed", ())
        row.links = _links(row)
        if not getattr(row, "is_priced", True):
            row.quote = row.funding = row.charge = None
            row.price_group = ""
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
    """Return a reservation, without its price to who only operates the instrument; raise `NotFound` if there
    is none, or the actor may not see it."""
    try:
        return visible(with_all(reservations_for(actor)), pk=reservation_id)
    except NotFound:
        row = visible(with_all(operated_reservations(actor)), pk=reservation_id)
        row.is_priced = False  # type: ignore[attr-defined]
        return row


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
    asking.AskedBody,
    asking.FundingBody,
    OverrideBody,
    asking.SampleItemsBody,
    asking.AcceptingBody,
    ReferenceBody,
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
    answers = ObjectOf(
        child=serializers.JSONField(),
        required=False,
        help_text="Answers to the questions asked at booking (moment `booking` of the instrument's "
        "`questionnaires/`), by their keys, as for `POST answers/`.",
    )
    questions_version = Whole(
        required=False,
        allow_null=True,
        min_value=1,
        help_text="The `version` of the questions that you answer; the request is refused if it has changed.",
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


class ReservationQuery(query_of(replace(BOOKINGS, day=""))):  # type: ignore[misc]
    """The filters of the list of bookings, of which the days are instants here and a state may be several."""

    def get_fields(self) -> Any:
        return {
            "from": Instant(required=False, help_text="Only bookings that end after this time."),
            "until": Instant(required=False, help_text="Only bookings that start before this time."),
            **super().get_fields(),
        }

    state = Text(120, default="", help_text="One or more states, separated by commas.")
    operated = Flag(
        default=False, help_text="Only bookings of instruments that you operate, without their prices."
    )


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
        gives=page(ListedReservationShape),
        files=FILE_TYPES,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return the reservations you may see, the latest start first: your own; those your organisation pays
        or hosts, for its managers and finance; those of an auditor's regions. With `operated`, return the
        bookings of instruments that you operate, with everything about prices null or empty."""
        query = query_values(ReservationQuery, request.query_params)
        rows = with_all(Reservation.objects.select_related(*WITH))
        if query["state"]:
            asking.codes_in(query["state"], "state", Reservation.State.values)
        if "from" in query:
            rows = rows.filter(end_at__gt=query["from"])
        if "until" in query:
            rows = rows.filter(start_at__lt=query["until"])
        is_priced = not query["operated"]
        listing = replace(BOOKINGS if is_priced else OPERATED_BOOKINGS, day="")
        if not is_priced and query.get("sort", "").removeprefix("-") == "price":
            raise invalid("sort", "unknown-value")
        seen_by = first_visible_to(self.actor) if is_priced else [operated_by(self.actor)]
        asked = {name: value for name, value in query.items() if name != "until"}
        rows = rows.annotate(is_priced=Value(is_priced))
        found = answered(self, listing, (rows, seen_by), asked, self.order)
        if isinstance(found, HttpResponseBase):
            return found
        rows, seen, order = found

        def shown(page: list[Any]) -> list[Any]:
            return [rendered(ListedReservationShape, row) for row in self.prepared(page)]

        return paginated(request, rows, query, order or self.order, shown, seen)

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

        Required questions asked at booking must be answered in `answers`: 400 names each that is not.

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
                lapsed = {row.pk: row.default_lapsed for row in booked}  # type: ignore[attr-defined]
                booked = [stored[row.pk] for row in booked if row.pk in stored]
                for row in booked:
                    row.default_lapsed = lapsed[row.pk]  # type: ignore[attr-defined]
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
        funding=asking.shares_or_default(data),
        sample_items=tuple(data.get("sample_items", ())),
        house_rules=data.get("house_rules"),
        at_most=(most["amount"], most["currency"]) if (most := data.get("at_most")) else None,
        need=data.get("need"),
        answers=data.get("answers"),
        questions_version=data.get("questions_version"),
        **noted({}, data),
    )


class OneReservation(ReservationResource):
    needs_person = True

    @reads(_("A reservation"))
    def detail(self, pk: UUID) -> None:
        """Return a reservation as it is now, with its quote."""

    @changes(
        _("Note a reference at a reservation"),
        ReferenceBody,
        refuses=[403, 404],
        sends={"reference": "LIMS-2026-0417", "metadata": {"project": "P-17"}},
    )
    def note(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Note your own id of a reservation and your own named texts, in any state of it, as its person, as
        who made it, or as a manager of the payer. The payer's side alone reads them. A change gives it a new
        version, and the trail has that it was made, not what was noted."""
        return reservation_note(self.by, reservation_id=pk, given=data).pk

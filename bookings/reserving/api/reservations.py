"""Reservations: asking for them, reading them. What becomes of one: transitions, moves."""

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
from accounts.api.shapes import (
    Choice,
    Instant,
    ListOf,
    Shape,
    Text,
    Whole,
    checked,
    query_values,
    shown_by,
)
from accounts.domain.errors import invalid
from accounts.domain.roles import Actor, By
from accounts.models import User
from accounts.selectors.rows import visible
from bookings.catalogue.api.asking import (
    AskedBody,
    FundingBody,
    SampleItemsBody,
    codes_in,
    period_of,
    samples_of,
    shares_of,
)
from bookings.catalogue.api.fees import CardRefShape, QuoteShape
from bookings.catalogue.selectors.parties import Booking
from bookings.funding.api.funding import FundedShape
from bookings.funding.selectors.earmarks import paying, sees_funding
from bookings.pricing.api.charges import ChargeShape
from bookings.pricing.models import Charge, Quote
from bookings.pricing.selectors.charges import IN_FORCE
from bookings.record.domain.refusals import OVERRIDABLE
from bookings.record.domain.reservations import effective_state
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import WITH, first_visible_to, reservations_for
from bookings.reserving.services.reservations import MOST_AT_ONCE, reservations_request
from instruments.models import Instrument

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
    """What really happened. `is_assumed`: nobody checked out, the end is the reserved one."""

    checked_in_at = Instant()
    checked_out_at = Instant(allow_null=True)
    is_assumed = serializers.BooleanField()
    cut_at = Instant(
        allow_null=True,
        help_text="When the host closed the instrument under the use: charged until then at most.",
    )
    service_mode = serializers.CharField()
    samples = serializers.IntegerField(allow_null=True)
    rating = serializers.IntegerField(allow_null=True)
    remarks = serializers.CharField()


AsQuoted = shown_by(dict, QuoteShape)


class ReservationShape(serializers.Serializer[Any]):
    """A request for a period, with the price it was quoted, frozen. Organisations and regions
    are codes, as they were when it was made."""

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
    organisation = serializers.CharField(source="organisation.code", help_text="The payer.")
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
        help_text="Of the instrument's booking policy (`policy/versions/`): what judged the "
        "booking when it was made, or last moved. Null: made before versions were kept.",
    )
    quote = AsQuoted(allow_null=True)
    funding = FundedShape(
        many=True,
        allow_null=True,
        help_text="The funding source that pays for it. Null where the caller may not see it.",
    )
    deadline = Instant(
        allow_null=True,
        source="deadline_at",
        help_text="For a request: when it has to be answered.",
    )
    requested_at = Instant()
    confirmed_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)
    reason = serializers.CharField(help_text="Why it was rejected, cancelled or displaced.")
    is_second_thought = serializers.BooleanField(
        help_text="Its person cancelled it just after making it, at no cost."
    )
    overrides = serializers.ListField(
        child=serializers.CharField(), help_text="Rules a manager set aside for it."
    )
    series = serializers.UUIDField(allow_null=True, source="series_id")
    chain = serializers.UUIDField(allow_null=True, source="chain_id")
    step = serializers.IntegerField(allow_null=True, help_text="Of the chain, from 1.")
    session = SessionShape(allow_null=True)
    charge = ChargeShape(allow_null=True)
    version = serializers.IntegerField()
    links = serializers.DictField(child=serializers.CharField())


def with_all(rows: QuerySet[Reservation]) -> QuerySet[Reservation]:
    """With what an answer says of each. Three more statements, whatever the number."""
    current, in_force = Quote.objects.filter(is_current=True), Charge.objects.filter(IN_FORCE)
    in_force = in_force.select_related("grant")
    return rows.select_related("rate_card").prefetch_related(
        Prefetch("quotes", current, to_attr="current_quotes"),
        Prefetch("charges", in_force, to_attr="charges_in_force"),
        Prefetch("earmarks", paying(), to_attr="funded_by"),
    )


def prepared(rows: Iterable[Any], actor: Actor, now: datetime) -> list[Any]:
    """Reservations loaded by `with_all`, with what their shape shows besides their own fields."""
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
    """Whether a reservation just made says all that an answer shows, as `with_all` would load it;
    what it does not say has to be read. `user` made it."""
    stored = getattr(row, "stored_with", None)
    if stored is None or row.user_id != user.pk:
        return False
    row.user = user
    row.current_quotes = [stored.quote] if stored.quote else []  # type: ignore[attr-defined]
    row.charges_in_force, row.funded_by = [], []  # type: ignore[attr-defined]
    Reservation.session.related.set_cached_value(row, None)
    return True


def load_one(actor: Actor, reservation_id: UUID) -> Reservation:
    """`NotFound` if there is none, or it is not the actor's to see."""
    return visible(with_all(reservations_for(actor)), pk=reservation_id)


# Requests


class PurposeBody(Shape):
    code = Choice(Reservation.Purpose.choices)
    text = Text(500, default="", allow_blank=True)


class OverrideBody(Shape):
    """What a host's manager sets aside, and why."""

    override = ListOf(
        child=Choice([(code, code) for code in OVERRIDABLE]),
        default=list,
        help_text="Rules to set aside, by code: the host's managers, never for themselves.",
    )
    reason = Text(500, default="", allow_blank=True, help_text="Needed with `override`.")


class AcceptingBody(Shape):
    """The house rules that one accepts by booking."""

    house_rules = Whole(
        required=False,
        allow_null=True,
        min_value=1,
        help_text="The version of the instrument's house rules that you accept; needed once.",
    )


class ReservationBody(AskedBody, FundingBody, OverrideBody, SampleItemsBody, AcceptingBody):
    service_mode = Choice(Instrument.ServiceMode.choices)
    purpose = PurposeBody()
    hold = serializers.UUIDField(
        required=False, allow_null=True, help_text="The slot kept for it, from `holds/`."
    )
    on_behalf_of = Text(
        254,
        default="",
        allow_blank=True,
        help_text="For whom, by id or mail address: the payer's managers for its members, the "
        "host's at its own cost for anybody.",
    )


class ReservationsBody(Shape):
    """Several at once: all or none."""

    bookings = ReservationBody(many=True)


class ReservationsShape(serializers.Serializer[Any]):
    reservations = ReservationShape(many=True)


class ReservationQuery(Pages):
    def get_fields(self) -> Any:
        return {
            "from": Instant(required=False, help_text="That end after it."),
            "until": Instant(required=False, help_text="That start before it."),
            **super().get_fields(),
        }

    state = Text(120, default="", help_text="One or several, separated by commas.")
    instrument = serializers.UUIDField(required=False)
    organisation = Text(40, default="", help_text="The payer's code.")


def in_states(states: list[str], now: datetime) -> Q:
    """Deadlines decide, not jobs: an unanswered request past its deadline is expired."""
    lapsed = Q(state__in=WAITING, deadline_at__lte=now)
    rows = Q(state__in=states) & ~lapsed
    return rows | lapsed if "expired" in states else rows


class ReservationResource(Resource):
    """What the addresses of reservations share."""

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
    )
    def get(self, request: Request) -> Response:
        """Those the person may see, the latest start first: one's own; those one's
        organisation pays or hosts, for its managers and finance; those of an auditor's
        regions."""
        query = query_values(ReservationQuery, request.query_params)
        rows = with_all(Reservation.objects.select_related(*WITH))
        if query["state"]:
            rows = rows.filter(
                in_states(codes_in(query["state"], "state", Reservation.State.values), self.now)
            )
        if "instrument" in query:
            rows = rows.filter(instrument_id=query["instrument"])
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        if "from" in query:
            rows = rows.filter(end_at__gt=query["from"])
        if "until" in query:
            rows = rows.filter(start_at__lt=query["until"])
        seen = first_visible_to(self.actor)
        return paginated(request, rows, query, self.order, self.shown, seen)

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
        """Reserves, or asks for it where the policy wants the owner's word: see `state`. 409
        when the slot is taken or the instrument closed; 422 names every other rule that
        refuses, with the nearest period that would pass.

        With `hold` it completes a slot kept by `POST holds/`: no rule is asked again. With
        `{"bookings": [...]}`, up to 20, all are reserved or none; the answer is
        `{"reservations": [...]}` in the same order, and a refusal says with `booking`, from 0,
        which it is of."""
        is_several = isinstance(request.data, Mapping) and "bookings" in request.data
        if is_several:
            bodies = checked(ReservationsBody, request.data)["bookings"]
            if len(bodies) > MOST_AT_ONCE:
                raise invalid("bookings", "too-many", most=MOST_AT_ONCE)
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
    """The checked body of one booking."""
    quantity, text = samples_of(data)
    return Booking(
        instrument_id=data["instrument"],
        period=period_of(data),
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
        funding=shares_of(data),
        sample_items=tuple(data.get("sample_items", ())),
        house_rules=data.get("house_rules"),
    )


class OneReservation(ReservationResource):
    needs_person = True

    @reads(_("One reservation"))
    def detail(self, pk: UUID) -> None:
        """As it is now, with its quote."""

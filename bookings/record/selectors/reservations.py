"""Reservations, as far as each person may see them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from accounts.models import Membership, Organisation, Region, User
from accounts.selectors.memberships import in_scope, place_of
from accounts.selectors.rows import among, any_of, visible
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import OCCUPYING, effective_state
from bookings.record.models import Reservation
from instruments.managing.domain.quality import StillBooked
from instruments.policy.models import PolicyVersion
from instruments.policy.selectors.policies import policy_versions

WITH = ("instrument__facility", "organisation", "host", "user", "payer_region", "host_region", "session")

# A slot that was only held, and never booked.
ONLY_HELD = Q(state__in=["cancelled", "expired"], confirmed_at=None, quotes=None)


def visible_to(actor: Actor) -> Q:
    """Return a condition for the reservations that the actor may see with their prices: their own; those
    their organisation pays or hosts, for its managers and finance; those of a part that they manage; those of
    an auditor's regions. A bid's hold is seen by its person alone."""
    own = Q(user_id=actor.person) | Q(made_by_id=actor.person)
    return any_of([own, *(seen & _IS_NO_BID for seen in (*of_places(actor), *of_parts(actor)))])


_IS_NO_BID = Q(held_for="")


def of_parts(actor: Actor, instrument: str = "instrument") -> list[Q]:
    """Return the conditions for the reservations of facilities and instruments to which roles of the actor
    are limited, or for other rows with a host and the path to an `instrument`."""
    scope = replace(actor.scope_where("read-bookings"), organisations=frozenset())
    return [in_scope(scope, "host", instrument)] if scope else []


def operated_by(actor: Actor) -> Q:
    """Return a condition for the bookings of instruments that the actor operates, without slots that were
    only held. Of those for which `visible_to` does not hold they see no price."""
    is_booked = ~ONLY_HELD & ~Q(state="held") & _IS_NO_BID
    return in_scope(actor.scope_where("operate-instruments"), "host") & is_booked


def operates(actor: Actor, row: Reservation) -> bool:
    """Say whether the actor operates the instrument of a booking, for its host."""
    return actor.may("operate-instruments", place_of(row.host, row.instrument))


def manages(actor: Actor, row: Reservation) -> bool:
    """Say whether the actor manages the instrument of a booking, for its host. No statement for who manages
    nothing, or if the instrument is loaded with it."""
    scope = actor.scope_where("manage-instruments")
    return bool(scope) and scope.holds(row.host_id, row.instrument.facility_id, row.instrument_id)


def takes_part(actor: Actor, row: Reservation) -> bool:
    """Say whether the actor is on the side that booked: the booking's person, wherever they work now; or the
    one who booked for somebody else, while they belong to the payer or the host."""
    if actor.user_id == row.user_id:
        return True
    near = {row.organisation_id, row.host_id} & actor.own_organisations
    return actor.user_id == row.made_by_id and bool(near)


def taking_part(actor: Actor, of: str = "") -> Q:
    """Return the condition that `takes_part` decides, for rows whose reservation is at the path `of`."""
    near = [
        Q(**{f"{of}made_by": actor.person, f"{of}{side}__in": actor.own_organisations})
        for side in ("organisation", "host")
    ]
    return any_of([Q(**{f"{of}user": actor.person}), *near])


def booked_by(actor: Actor, row: Reservation) -> bool:
    """Say whether the actor is on the payer's side, and so reads what was noted at a booking for the payer's
    own systems: its person; who made it, while they belong to the payer; the payer's managers and finance.
    Whoever reads the booking otherwise, as its host or as an auditor, does not."""
    if actor.user_id is None:
        return False
    return (
        actor.user_id == row.user_id
        or (actor.user_id == row.made_by_id and row.organisation_id in actor.own_organisations)
        or row.organisation_id in actor.organisations_where("read-bookings")
    )


def booked_by_side(actor: Actor, of: str = "") -> Q:
    """Return the condition that `booked_by` decides, for rows whose reservation is at the path `of`."""
    return any_of(
        [
            Q(**{f"{of}user": actor.person}),
            Q(**{f"{of}made_by": actor.person, f"{of}organisation__in": actor.own_organisations}),
            Q(**{f"{of}organisation__in": actor.organisations_where("read-bookings")}),
        ]
    )


def of_places(actor: Actor) -> list[Q]:
    """Return the conditions for rows that the actor sees of a table with a payer, a host and their regions,
    by the organisations and regions of their roles."""
    seen = []
    if organisations := actor.organisations_where("read-bookings"):
        seen += [Q(organisation_id__in=organisations), Q(host_id__in=organisations)]
    if regions := list(actor.regions_where("read-bookings")):
        below = Region.objects.filter(lineage__overlap=regions).values("pk")
        seen += [among("host_region", below), among("payer_region", below)]
    return seen


def each_of_places(actor: Actor) -> list[Q]:
    """Return conditions for the rows that the actor sees of a table with a payer, a host and their regions,
    in a form for `first_of`: one for each organisation, whose rows an index has in order; the regions by
    their ids, so that the database can estimate how many rows they have. One statement, none without a
    region."""
    seen = [
        Q(**{side: organisation})
        for organisation in sorted(actor.organisations_where("read-bookings"))
        for side in ("organisation_id", "host_id")
    ]
    if regions := list(actor.regions_where("read-bookings")):
        below = Region.objects.filter(lineage__overlap=regions).order_by("pk")
        ids = list(below.values_list("pk", flat=True))
        seen.append(Q(host_region_id__in=ids) | Q(payer_region_id__in=ids))
    return seen


def first_visible_to(actor: Actor) -> list[Q]:
    """Return the conditions of `visible_to` in a form for `first_of`."""
    for_others = Q(made_by_id=actor.person) & ~Q(user=F("made_by"))
    places = (seen & _IS_NO_BID for seen in (*each_of_places(actor), *of_parts(actor)))
    return [Q(user_id=actor.person), for_others, *places]


def reservations_for(actor: Actor) -> QuerySet[Reservation]:
    """Return the reservations the actor may see, newest first."""
    return Reservation.objects.filter(visible_to(actor)).select_related(*WITH).order_by("-start_at", "-id")


def visible_among(actor: Actor, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return which of the given reservations the actor may see, some perhaps without their prices."""
    rows = Reservation.objects.filter(visible_to(actor) | operated_by(actor), pk__in=list(ids))
    return frozenset(rows.values_list("pk", flat=True))


def own_reservations(actor: Actor) -> QuerySet[Reservation]:
    """Return the actor's own bookings, newest first, without slots that were only held."""
    return (
        Reservation.objects.filter(~ONLY_HELD, user_id=actor.person, held_for="")
        .select_related(*WITH)
        .order_by("-start_at", "-id")
    )


def is_own(actor: Actor, values: Mapping[str, Any]) -> bool:
    """Say whether the booking that an address names is the actor's own."""
    return own_reservations(actor).filter(pk=values["reservation_id"]).exists()


def hosted_reservations(actor: Actor) -> QuerySet[Reservation]:
    """Return the bookings of instruments that the actor manages, newest first, without slots that were only
    held."""
    hosts = in_scope(actor.scope_where("manage-instruments"), "host")
    return (
        Reservation.objects.filter(hosts, ~ONLY_HELD, ~Q(state="held"), held_for="")
        .select_related(*WITH)
        .order_by("-start_at", "-id")
    )


def operated_reservations(actor: Actor) -> QuerySet[Reservation]:
    """Return the bookings of instruments that the actor operates, newest first, to show without prices."""
    return Reservation.objects.filter(operated_by(actor)).select_related(*WITH).order_by("-start_at", "-id")


def reservations_at_work(actor: Actor) -> QuerySet[Reservation]:
    """Return the bookings of instruments that the actor operates, each with `is_priced`: whether the actor
    manages its instrument too, and so reads its price."""
    managed = in_scope(actor.scope_where("manage-instruments"), "host")
    return priced_where(operated_reservations(actor), managed)


def priced_where(rows: QuerySet[Reservation], seen: Q) -> QuerySet[Reservation]:
    """Say of bookings, in `is_priced`, whether the condition under which their price is read holds."""
    return rows.annotate(is_priced=ExpressionWrapper(seen, BooleanField()))


def bookings_met(actor: Actor) -> QuerySet[Reservation]:
    """Return the bookings whose people the actor may choose by name: of instruments that they operate, and at
    the cost of organisations whose bookings they read. Who has left a payer is found only by those who read
    its members."""
    hosts = in_scope(actor.scope_where("operate-instruments"), "host")
    readers = Q(organisation_id__in=actor.organisations_where("read-members"))
    present = Membership.objects.filter(
        user=OuterRef("user"), organisation=OuterRef("organisation"), ended_at=None
    )
    payers = Q(Exists(present), organisation_id__in=actor.organisations_where("read-bookings"))
    return Reservation.objects.filter(hosts | readers | payers, ~Q(state="held"), ~ONLY_HELD, held_for="")


def upcoming(actor: Actor, now: datetime) -> QuerySet[Reservation]:
    """Return the actor's own bookings that are not over: a session that nobody has ended goes on."""
    is_ahead = Q(end_at__gt=now, state__in=["held", "requested", "confirmed"])
    return own_reservations(actor).filter(is_ahead | Q(state="in_use"))


def in_states(rows: QuerySet[Reservation], states: Iterable[str], now: datetime) -> QuerySet[Reservation]:
    """Return the rows that are in one of these states now (`effective_state`): an unanswered request past its
    deadline counts as expired, even if no job has recorded that yet."""
    states = list(states)
    lapsed = Q(state__in=["held", "requested"], deadline_at__lte=now)
    found = Q(state__in=states) & ~lapsed
    return rows.filter(found | lapsed if "expired" in states else found)


def clashes_of(actor: Actor, period: Period, now: datetime) -> QuerySet[Reservation]:
    """Return the actor's own bookings, without holds, that overlap a period."""
    return (
        own_reservations(actor)
        .filter(
            Q(deadline_at=None) | Q(deadline_at__gt=now),
            state__in=OCCUPYING - {"held"},
            start_at__lt=period.end,
            end_at__gt=period.start,
        )
        .order_by("start_at", "id")
    )


def requests_to_decide(actor: Actor, now: datetime) -> QuerySet[Reservation]:
    """Return unanswered requests for instruments that the actor manages, the most urgent first."""
    return (
        Reservation.objects.filter(
            in_scope(actor.scope_where("manage-instruments"), "host"),
            state=Reservation.State.REQUESTED,
            deadline_at__gt=now,
        )
        .select_related(*WITH)
        .order_by("deadline_at", "id")
    )


def standing_bookings(instrument_id: UUID, now: datetime) -> QuerySet[Reservation]:
    """Return the bookings of an instrument that are not over: in use or upcoming."""
    return Reservation.objects.filter(
        Q(end_at__gt=now) | Q(state=Reservation.State.IN_USE),
        Q(deadline_at=None) | Q(deadline_at__gt=now) | ~Q(state__in=["held", "requested"]),
        instrument_id=instrument_id,
        state__in=OCCUPYING,
    )


def refuse_while_booked(instrument_id: UUID, now: datetime) -> None:
    """Raise `StillBooked` if an instrument has bookings that are not over. One statement; call this under the
    instrument's lock, so that none is made meanwhile."""
    if count := standing_bookings(instrument_id, now).count():
        raise StillBooked(count=count)


def reservation_by_id(actor: Actor, reservation_id: UUID) -> Reservation:
    """Return a reservation with its price; raise `NotFound` if there is none, or the actor may not see it."""
    return visible(reservations_for(actor).select_related(*BESIDES), pk=reservation_id)


BESIDES = ("organisation__region", "host__region", "imported", "rate_card", "agreement")


def reservation_at_work(actor: Actor, reservation_id: UUID) -> tuple[Reservation, bool]:
    """Return a reservation, and whether the actor may read its price: who only operates the instrument may
    not. Raise `NotFound` if there is none, or the actor may not see it. One statement more for operators."""
    try:
        return reservation_by_id(actor, reservation_id), True
    except NotFound:
        rows = operated_reservations(actor).select_related(*BESIDES)
        return visible(rows, pk=reservation_id), False


def rules_behind(reservation: Reservation) -> PolicyVersion | None:
    """Return the policy version by which a booking was judged when it was made or last moved; None if it is
    not on record."""
    if reservation.policy_version is None:
        return None
    rows = policy_versions(reservation.instrument_id)
    return rows.filter(version=reservation.policy_version).first()


def has_completed(user_id: UUID, instrument_id: UUID) -> bool:
    """Say whether the person has completed a session on the instrument."""
    return Reservation.objects.filter(
        user_id=user_id, instrument_id=instrument_id, state=Reservation.State.COMPLETED, session__isnull=False
    ).exists()


def unnamed(reservation: Reservation) -> Reservation:
    """Return the reservation; if it is the hold of a bid or a batch (`held_for`), with its person and payer
    masked, as the host does not know them yet."""
    if reservation.held_for:
        reservation.user, reservation.organisation = User(name="···"), Organisation(name="···")
    return reservation


def shown(reservation: Reservation, now: Any) -> Reservation:
    """Return the reservation with the state it has at this moment, in `shown_state` and `shown_label`."""
    state = effective_state(reservation.state, reservation.deadline_at, now)
    reservation.shown_state = state  # type: ignore[attr-defined]
    reservation.shown_label = Reservation.State(state).label  # type: ignore[attr-defined]
    return reservation


AHEAD = ("held", "requested", "confirmed")


def ahead_of(organisation: Organisation, now: datetime) -> QuerySet[Reservation]:
    """Return the upcoming bookings for which an organisation is the payer or the host."""
    return Reservation.objects.filter(
        Q(organisation=organisation) | Q(host=organisation), state__in=AHEAD, start_at__gt=now
    ).order_by("pk")

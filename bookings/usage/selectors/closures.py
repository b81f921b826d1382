"""Closures of an instrument, as its managers see them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet, prefetch_related_objects

from accounts.domain.roles import Actor
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from bookings.availability.models import Closure
from bookings.pricing.domain.charges import ChargeMade, charge
from bookings.pricing.selectors.charges import cancellation_now, load_ending, load_quoted
from bookings.record.domain import reservations as rules
from bookings.record.models import Reservation, UsageSession
from bookings.record.selectors.reservations import unnamed
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instruments_for


def closures_of(instrument: Instrument) -> QuerySet[Closure]:
    """Return all closures of an instrument, the latest first."""
    return _of(instrument).order_by("-start_at", "-id")


def closure_by_id(actor: Actor, closure_id: UUID) -> Closure:
    """Return a closure that the actor may see, with its instrument; raise `NotFound` otherwise."""
    rows = Closure.objects.filter(instrument__in=instruments_for(actor).values("pk"))
    return visible(rows.select_related("instrument__organisation__region"), pk=closure_id)


def not_over(instrument: Instrument, now: datetime) -> QuerySet[Closure]:
    """Return the closures of an instrument that are in force or upcoming, the first to begin first."""
    return _of(instrument).filter(Q(end_at=None) | Q(end_at__gt=now)).order_by("start_at", "id")


def past(instrument: Instrument, now: datetime) -> QuerySet[Closure]:
    """Return the closures of an instrument that are over, the latest first."""
    return _of(instrument).filter(end_at__lte=now).order_by("-start_at", "-id")


def instrument_of(closure_id: UUID) -> UUID:
    """Return the id of a closure's instrument; raise `NotFound` if there is none."""
    return visible(Closure.objects, pk=closure_id).instrument_id


def _of(instrument: Instrument) -> QuerySet[Closure]:
    return Closure.objects.filter(instrument=instrument).select_related("created_by")


def with_people(actor: Actor, reservations: Sequence[Reservation], now: datetime) -> list[Reservation]:
    """Load reservations that a closure displaces with person and organisation, unless a bid holds them; set
    `owed` to what the actor would owe for displacing their own. Two statements, and two for each of the
    actor's."""
    rows = list(reservations)
    prefetch_related_objects(rows, "user", "organisation")
    for row in rows:
        row.owed = displacement_now(actor, row, now)  # type: ignore[attr-defined]
        unnamed(row)
    return rows


def with_costs(actor: Actor, rows: Sequence[Reservation], closed_from: datetime) -> list[Reservation]:
    """Return the reservations in the way of a closure; those that others are using with what they would be
    charged. Two statements for each in use."""
    for row in rows:
        row.cut_charge = None  # type: ignore[attr-defined]
        is_others = row.state == Reservation.State.IN_USE and row.user_id != actor.user_id
        if is_others and actor.may("read-bookings", place_of(row.host, row.instrument)):
            row.cut_charge = load_cut_charge(row, closed_from)  # type: ignore[attr-defined]
    return list(rows)


def load_cut_charge(reservation: Reservation, closed_from: datetime) -> ChargeMade | None:
    """Return the charge for a use that the closing of the instrument cuts short. Three statements."""
    session = UsageSession.objects.get(reservation=reservation)
    closed_from = max(closed_from, session.checked_in_at)
    ending = replace(
        load_ending(reservation, session),
        state=Reservation.State.COMPLETED,
        usage=(session.checked_in_at, session.checked_out_at or closed_from),
        cut_at=closed_from if closed_from < reservation.end_at else None,
    )
    return charge(load_quoted(reservation.pk), ending)


def closure_cutting(session: UsageSession | None) -> Closure | None:
    """Return the closure that cut a use short; None if none did, or if it was withdrawn. One statement, none
    for uses that were not cut short."""
    if session is None or session.cut_at is None:
        return None
    return (
        Closure.objects.filter(
            Q(units=[]) | Q(units__contains=[session.unit]),
            Q(end_at=None) | Q(end_at__gt=session.cut_at),
            instrument_id=session.instrument_id,
            start_at__lte=session.cut_at,
        )
        .order_by("-created_at", "-id")
        .first()
    )


def with_cuts(instrument: Instrument, closures: Iterable[Closure]) -> list[Closure]:
    """Return closures, each with `cuts`: the uses that it cut short, with their charges. Two statements for
    all."""
    rows = list(closures)
    since = min((row.start_at for row in rows), default=None)
    sessions = (
        UsageSession.objects.filter(instrument=instrument, cut_at__gte=since)
        .select_related("reservation__user")
        .prefetch_related("reservation__charges")
        .order_by("checked_in_at", "id")
        if since
        else UsageSession.objects.none()
    )
    for row in rows:
        row.cuts = [  # type: ignore[attr-defined]
            session
            for session in sessions
            if session.cut_at
            and row.start_at <= session.cut_at
            and (row.end_at is None or session.cut_at < row.end_at)
            and (not row.units or session.unit in row.units)
        ]
    return rows


def owes_for(actor: Actor, reservation: Reservation) -> bool:
    """Say whether the actor, a manager of the host, pays for a booking that they displace: they are its
    person, or made it. Bookings they imported for others from another calendar do not count."""
    if reservation.user_id == actor.user_id:
        return True
    return reservation.made_by_id == actor.user_id and not hasattr(reservation, "imported")


def displacement_now(actor: Actor, reservation: Reservation, now: datetime) -> ChargeMade | None:
    """Return what the actor, a manager of the host, would pay for displacing a booking now; None if it is
    free. For their own booking, once confirmed, it is what cancelling would cost, or what is owed already if
    it was missed or is over. At most two statements."""
    if not owes_for(actor, reservation) or reservation.confirmed_at is None or reservation.state == "in_use":
        return None
    settled = reservation.state == "confirmed" and rules.settled_state(
        reservation.start_at, reservation.end_at, reservation.check_in_minutes, now
    )
    is_free = cancellation_now(reservation, now, actor=actor).reason == "second-thoughts"
    ending = replace(
        load_ending(reservation),
        state=settled or "displaced",
        ended_at=now,
        is_ended_by_host=False,
        is_second_thought=is_free and not settled,
    )
    return charge(load_quoted(reservation.pk), ending)

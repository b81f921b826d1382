"""Usage sessions whose times are not known, so that nothing can be charged yet."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.domain.roles import Actor
from accounts.selectors.memberships import in_scope
from bookings.pricing.models import Charge, Quote
from bookings.pricing.selectors.bookings import AT_WORK_BOOKINGS
from bookings.record.domain.reservations import SESSION_LEFT_OPEN
from bookings.record.models import Reservation, UsageSession
from bookings.record.selectors.reservations import WITH, priced_where


def to_complete() -> QuerySet[Reservation]:
    """Return the completed bookings that are charged by use and whose use nobody recorded, the oldest
    first."""
    by_use = Quote.objects.filter(
        reservation_id=OuterRef("pk"), is_current=True, inputs__card__charge_basis__in=["used", "greater"]
    )
    ended = UsageSession.objects.filter(reservation_id=OuterRef("pk"), checked_out_at__isnull=False)
    charged = Charge.objects.filter(reservation_id=OuterRef("pk"))
    return (
        Reservation.objects.filter(
            ~Exists(ended), ~Exists(charged), Exists(by_use), state=Reservation.State.COMPLETED, struck=""
        )
        .select_related(*WITH)
        .order_by("end_at", "id")
    )


def sessions_to_complete(actor: Actor) -> QuerySet[Reservation]:
    """Return the bookings whose use the actor may record: their own, and those of instruments they
    operate."""
    return to_complete().filter(_own(actor) | in_scope(actor.scope_where("operate-instruments"), "host"))


def _own(actor: Actor) -> Q:
    return Q(user_id=actor.person) | Q(made_by_id=actor.person)


def listed_sessions(actor: Actor) -> QuerySet[Reservation]:
    """Return `sessions_to_complete`; who does not manage the instrument of another person's booking reads no
    price (`is_priced`)."""
    managed = in_scope(actor.scope_where("manage-instruments"), "host")
    return priced_where(sessions_to_complete(actor), _own(actor) | managed)


def ended(now: datetime, most: int, *, but: QuerySet[Any, Any]) -> list[UUID]:
    """Return the bookings that have to be ended (no-shows, those past their end, sessions left open), the
    first to end first, without the ids `but`. One statement, which reads no others."""
    first, *others = (
        Reservation.objects.filter(way)
        .exclude(pk__in=but)
        .order_by("end_at", "pk")
        .values_list("end_at", "pk")[:most]
        for way in ways_to_end(now)
    )
    return [pk for _, pk in first.union(*others, all=True).order_by("end_at", "pk")[:most]]


def ways_to_end(now: datetime) -> tuple[Q, ...]:
    """Return the conditions under which bookings have to be ended; each booking meets at most one. They are
    queried separately, since each has an index but all together have none."""
    return (
        Q(state="confirmed", end_at__lte=now),
        Q(
            Q(start_at__lte=now),  # implied by the last condition, but used by the index
            state="confirmed",
            end_at__gt=now,
            check_in_minutes__isnull=False,
            start_at__lte=now - F("check_in_minutes") * timedelta(minutes=1),
        ),
        Q(state="in_use", end_at__lte=now - SESSION_LEFT_OPEN),
    )


SESSIONS = replace(AT_WORK_BOOKINGS, name="sessions-to-complete", rows=listed_sessions, filters=())

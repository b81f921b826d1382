"""Somebody leaves an organisation: what they booked for it is kept or cancelled with it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.domain.errors import NotPermitted, WrongState
from accounts.domain.roles import Actor
from accounts.models import Membership
from accounts.services.memberships import membership_end
from bookings.privacy.selectors.leaving import bookings_ahead, may_cancel, membership_to_end
from bookings.record.locks import lock_reservations
from bookings.record.models import Reservation
from bookings.reserving.services.reservations import reservation_drop
from instruments.locks import lock_instruments


@dataclass(frozen=True)
class Left:
    """The membership that ended, and how many bookings were cancelled."""

    membership: Membership
    cancelled: int


@transaction.atomic
def member_leave(
    *, actor: Actor, membership_id: UUID, cancel: bool, reason: str, now: datetime
) -> Left:
    """End a membership and, with `cancel`, the person's bookings for the organisation that have
    not begun, each by the rules of cancelling: all or nothing. Of somebody who has left already
    only the bookings are cancelled; `WrongState` if there is nothing to do."""
    membership = membership_to_end(actor, membership_id)
    # The bookings first: instruments are locked before people.
    cancelled = _cancel(actor, membership, reason, now) if cancel else 0
    if membership.ended_at is None:
        membership = membership_end(
            actor=actor, membership_id=membership_id, reason=reason, now=now
        )
    elif not cancelled:
        raise WrongState(state="ended", wanted="ended")
    return Left(membership, cancelled)


def _cancel(actor: Actor, membership: Membership, reason: str, now: datetime) -> int:
    if not may_cancel(actor, membership):
        raise NotPermitted
    ahead = bookings_ahead(membership.user_id, now).filter(
        organisation_id=membership.organisation_id
    )
    return bookings_drop(actor=actor, ahead=ahead, reason=reason, now=now)


def bookings_drop(*, actor: Actor, ahead: QuerySet[Reservation], reason: str, now: datetime) -> int:
    """Within a transaction: cancel each by its rules; how many. One that has begun meanwhile is
    left."""
    found = dict(ahead.values_list("pk", "instrument_id"))
    instruments = {i.pk: i for i in lock_instruments(set(found.values()))}
    cancelled = 0
    for row in lock_reservations(found):
        try:
            with transaction.atomic():
                reservation_drop(
                    actor=actor,
                    instrument=instruments[row.instrument_id],
                    reservation=row,
                    reason=reason,
                    now=now,
                )
        except WrongState:  # it has begun, or somebody was faster
            continue
        cancelled += 1
    return cancelled

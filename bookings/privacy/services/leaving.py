"""Somebody leaves an organisation, and what they booked for it is kept or cancelled."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.domain.errors import NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import Membership
from accounts.services.memberships import membership_end
from bookings.privacy.selectors.leaving import bookings_ahead, may_cancel, membership_to_end
from bookings.record.locks import lock_reservations
from bookings.record.models import Reservation
from bookings.reserving.services.reservations import reservation_drop
from instruments.register.locks import lock_instruments
from instruments.training.services.enrolments import enrolments_drop


@dataclass(frozen=True)
class Left:
    """The membership that ended, how many bookings were cancelled, and how many places in courses given
    up."""

    membership: Membership
    cancelled: int
    places: int


@transaction.atomic
def member_leave(by: By, *, membership_id: UUID, cancel: bool, reason: str) -> Left:
    """End a membership and, with `cancel`, the person's bookings for the organisation that have not begun,
    each by the rules for cancelling: all or nothing. Places in courses that the organisation would pay for
    are given up in any case, and the person is told: only members take places at its cost. If the person has
    left already, only the bookings are cancelled; raise `WrongState` if there is nothing to do."""
    membership = membership_to_end(by.actor, membership_id)
    # Sessions of courses are locked before instruments, and instruments before people.
    places = enrolments_drop(by, user=membership.user, payer=membership.organisation)
    cancelled = _cancel(by, membership, reason) if cancel else 0
    if membership.ended_at is None:
        membership = membership_end(by, membership_id=membership_id, reason=reason)
    elif not cancelled and not places:
        raise WrongState(state="ended", wanted="ended")
    return Left(membership, cancelled, places)


def _cancel(by: By, membership: Membership, reason: str) -> int:
    if not may_cancel(by.actor, membership):
        raise NotPermitted
    ahead = bookings_ahead(membership.user_id, by.now).filter(organisation_id=membership.organisation_id)
    return bookings_drop(by, ahead=ahead, reason=reason)


def bookings_drop(by: By, *, ahead: QuerySet[Reservation], reason: str) -> int:
    """Cancel each booking by its rules, within a transaction; return how many. Bookings that have begun
    meanwhile stay."""
    instrument_of = dict(ahead.values_list("pk", "instrument_id"))
    instruments = {i.pk: i for i in lock_instruments(set(instrument_of.values()))}
    cancelled = 0
    for row in lock_reservations(instrument_of):
        try:
            with transaction.atomic():
                reservation_drop(
                    by, instrument=instruments[row.instrument_id], reservation=row, reason=reason
                )
        except WrongState:  # it has begun, or somebody was faster
            continue
        cancelled += 1
    return cancelled

"""Merging two records of one instrument, unless bookings prevent it."""

from uuid import UUID

from django.db import transaction

from accounts.domain.roles import By
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from bookings.record.selectors.reservations import refuse_while_booked
from instruments.managing.models import DuplicateVerdict
from instruments.managing.selectors.duplicates import SETTLE
from instruments.managing.services.duplicates import instruments_merge, pair_lock


@transaction.atomic
def duplicates_merge(by: By, *, keeper_id: UUID, loser_id: UUID, note: str) -> DuplicateVerdict:
    """Merge two records as `instruments_merge` does; raise `StillBooked` while the loser has bookings that
    are not over. It is locked before bookings are looked for, so that none can be made in between."""
    for instrument in pair_lock(by, [keeper_id, loser_id]):
        require(by.actor, SETTLE, place_of(instrument.organisation))
    refuse_while_booked(loser_id, by.now)
    return instruments_merge(by, keeper_id=keeper_id, loser_id=loser_id, note=note)

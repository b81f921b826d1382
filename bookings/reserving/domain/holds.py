"""How long slots are kept: while a form is completed, and for a bid or a batch."""

from datetime import datetime, timedelta

HOLD_LASTS = timedelta(minutes=10)
MOST_HOLDS = 3  # of a person, while forms are completed
SLOTS_HELD = timedelta(hours=48)


def slot_deadline(
    start: datetime, valid_until: datetime, notice_minutes: int, now: datetime
) -> datetime | None:
    """Until when a bid or a batch keeps a slot: as long as it stands, 48 hours at most, never past
    the notice that a booking needs; None where nothing would be left."""
    last = start - timedelta(minutes=notice_minutes)
    deadline = min(valid_until, now + SLOTS_HELD, last)
    return deadline if deadline > now else None

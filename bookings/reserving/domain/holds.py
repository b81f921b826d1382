"""How long slots are held: while a form is completed, and for a bid or a batch."""

from datetime import datetime, timedelta

HOLD_LASTS = timedelta(minutes=10)
MOST_HOLDS = 3  # holds of a person, while they complete forms
SLOTS_HELD = timedelta(hours=48)


def slot_deadline(
    start: datetime, valid_until: datetime, notice_minutes: int, now: datetime
) -> datetime | None:
    """Return until when a bid or a batch holds a slot: until the bid or batch ends (`valid_until`), at most
    48 hours, and no later than the notice that a booking needs; None if no time would be left."""
    last = start - timedelta(minutes=notice_minutes)
    deadline = min(valid_until, now + SLOTS_HELD, last)
    return deadline if deadline > now else None

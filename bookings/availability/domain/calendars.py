"""Compute the free times that a calendar shows."""

from bookings.availability.domain.availability import Calendar
from bookings.record.domain.periods import Period, subtract


def bookable(calendar: Calendar, within: Period) -> list[Period]:
    """Return the longest spans of which every part can be booked on one unit, considering opening hours, what
    is taken, and the buffers of the new booking. Spans of different units may overlap; a period is free if
    one of them contains it."""
    policy = calendar.policy
    opened = calendar.opened(within)
    free: set[Period] = set()
    for unit in range(1, policy.units + 1):
        # The new booking's teardown must end before what follows, its setup begin after what
        # comes before.
        taken = [
            block.period.padded(policy.teardown_minutes, policy.setup_minutes)
            for block in calendar.blocks
            if block.unit == unit
        ]
        free.update(subtract(opened, taken))
    longest: list[Period] = []
    for period in sorted(free, key=lambda p: (p.start, -p.end.timestamp())):
        if not longest or period.end > longest[-1].end:  # else one before it contains it
            longest.append(period)
    return longest

"""Instruments that have been on offer for long."""

from datetime import date, timedelta

from bookings.models import RollUp
from instruments.opening.models import Schedule, ScheduleAssignment
from instruments.register.models import Instrument


def on_offer(instrument: Instrument, today: date) -> None:
    """Put an instrument on offer for more than a year before a day, its hours rolled up until then,
    with no day of which it is known when it was open."""
    standing = ScheduleAssignment.objects.filter(instrument=instrument).first()
    ScheduleAssignment.objects.create(
        instrument=instrument,
        schedule=Schedule.objects.get_or_create(digest="unknown", time_zone="UTC", hours={})[0],
        from_date=today - timedelta(days=500),
        until_date=standing.from_date if standing else None,
    )
    RollUp.objects.update_or_create(instrument=instrument, defaults={"until_date": today})

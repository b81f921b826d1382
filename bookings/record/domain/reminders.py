"""When a person is reminded of a booking, and whoever decides of a request."""

from datetime import datetime, timedelta

BEFORE = {"day": timedelta(hours=24), "hour": timedelta(hours=1)}


def reminder_times(start: datetime, confirmed_at: datetime) -> dict[str, datetime]:
    """Name and moment of each reminder; those whose moment has passed already are left out."""
    times = {name: start - before for name, before in BEFORE.items()}
    return {name: moment for name, moment in times.items() if moment > confirmed_at}


def lapse_warning_at(asked_at: datetime, deadline: datetime) -> datetime | None:
    """When those who decide are warned that a request is about to lapse: a day before, or when
    three quarters of a shorter time have passed; None where that is within the hour."""
    moment = deadline - min(timedelta(days=1), (deadline - asked_at) / 4)
    return moment if moment - asked_at >= timedelta(hours=1) else None

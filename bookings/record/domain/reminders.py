"""Decide when people are reminded of a booking, or of a request that they must decide."""

from datetime import datetime, timedelta

BEFORE = {"day": timedelta(hours=24), "hour": timedelta(hours=1)}


def reminder_times(start: datetime, confirmed_at: datetime) -> dict[str, datetime]:
    """Return name and moment of each reminder; those whose moment has passed are left out."""
    times = {name: start - before for name, before in BEFORE.items()}
    return {name: moment for name, moment in times.items() if moment > confirmed_at}


def lapse_warning_at(asked_at: datetime, deadline: datetime) -> datetime | None:
    """Return when the managers are warned that a request is about to expire: a day before, or for shorter
    deadlines after three quarters of the time; None if that is within an hour of the request."""
    moment = deadline - min(timedelta(days=1), (deadline - asked_at) / 4)
    return moment if moment - asked_at >= timedelta(hours=1) else None

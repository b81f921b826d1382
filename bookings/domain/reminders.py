"""When a person is reminded of a booking."""

from datetime import datetime, timedelta

BEFORE = {"day": timedelta(hours=24), "hour": timedelta(hours=1)}


def reminder_times(start: datetime, confirmed_at: datetime) -> dict[str, datetime]:
    """Name and moment of each reminder; those whose moment has passed already are left out."""
    times = {name: start - before for name, before in BEFORE.items()}
    return {name: moment for name, moment in times.items() if moment > confirmed_at}

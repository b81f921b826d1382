"""Name time zones as people do: after a city, in both languages (`data/zones.csv`); and give the
local day of an instant in SQL."""

import csv
import zoneinfo
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.db.models import DateField, F, Func, Value

_DATA = Path(__file__).parent.parent / "data" / "zones.csv"


@cache
def zone_keys() -> frozenset[str]:
    """Return the names of all time zones that this machine knows."""
    return frozenset(zoneinfo.available_timezones())


@cache
def _table() -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """Return the cities of the zones, and the zones that other names are aliases of."""
    with _DATA.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cities = {row["zone"]: (row["city"], row["city_zh"]) for row in rows if row["city"]}
    return cities, {row["zone"]: row["same_as"] for row in rows if row["same_as"]}


def zone_of(key: str) -> str:
    """Return the zone that a name is an alias of, or the name itself: browsers still send `Asia/Calcutta` for
    `Asia/Kolkata`."""
    zone = _table()[1].get(key, key)
    return zone if zone in zone_keys() else key


def city_of(key: str) -> tuple[str, str] | None:
    """Return the city after which people name a zone, in English and Chinese; None for UTC and for
    offsets."""
    return _table()[0].get(zone_of(key))


class DayIn(Func):
    """The local day of an instant, given or of a field (`F`), in the time zone that a field or an expression
    gives. The zone has to be that of the organisation or site that the row belongs to, as on pages."""

    template = "(%(expressions)s)::date"
    arg_joiner = " AT TIME ZONE "
    output_field = DateField()

    def __init__(self, now: datetime | F, zone: Any, **extra: Any) -> None:
        instant = Value(now) if isinstance(now, datetime) else now
        super().__init__(instant, F(zone) if isinstance(zone, str) else zone, **extra)

"""Public holidays, from the library `holidays`."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import holidays


@lru_cache(maxsize=4096)
def _of_year(calendar: str, year: int) -> frozenset[date]:
    country, _, subdivision = calendar.partition("-")
    found = holidays.country_holidays(country, subdiv=subdivision or None, years=year)
    return frozenset(found)


def public_holidays(calendar: str, years: Iterable[int]) -> frozenset[date]:
    """The public holidays of a calendar (`CN`, `GB-SCT`, `US-WA`); none for an empty name."""
    if not calendar:
        return frozenset()
    return frozenset().union(*(_of_year(calendar, year) for year in years))


def is_calendar(calendar: str) -> bool:
    """Whether the library knows the calendar."""
    try:
        _of_year(calendar, 2026)
    except (NotImplementedError, KeyError):
        return False
    return True

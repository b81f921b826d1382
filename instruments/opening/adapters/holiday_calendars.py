"""Look up public holidays in the library `holidays`."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import holidays


@lru_cache(maxsize=4096)
def _of_year(calendar: str, year: int) -> frozenset[date]:
    country, _, subdivision = calendar.partition("-")
    days = holidays.country_holidays(country, subdiv=subdivision or None, years=year)
    return frozenset(days)


def public_holidays(calendar: str, years: Iterable[int]) -> frozenset[date]:
    """Return the public holidays of a calendar (`CN`, `GB-SCT`, `US-WA`) in these years; none if its name is
    empty."""
    if not calendar:
        return frozenset()
    return frozenset().union(*(_of_year(calendar, year) for year in years))


@lru_cache(maxsize=512)
def _names_of_year(calendar: str, year: int, language: str) -> dict[date, str]:
    country, _, subdivision = calendar.partition("-")
    return dict(
        holidays.country_holidays(country, subdiv=subdivision or None, years=year, language=language).items()
    )


def holiday_names(calendar: str, years: Iterable[int], language: str) -> dict[date, str]:
    """Return the public holidays with their names, in a language (`en_US`, `zh_CN`) if the library has it,
    else in that of the country."""
    names: dict[date, str] = {}
    for year in years if calendar else ():
        names |= _names_of_year(calendar, year, language)
    return names

"""The reference lists that regions are picked from: ISO 3166 and 3166-2 (pycountry), and GB/T 2260
(`data/gb_t_2260.csv`), with names in both languages, zone, currency and holiday calendar."""

import csv
import gettext
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import holidays
import pycountry

from accounts.domain.currencies import CURRENCY_OF
from accounts.domain.organisations import CHINA, COUNTRIES, SUBDIVISIONS, same_place, scheme_named

_DATA = Path(__file__).parent.parent / "data" / "gb_t_2260.csv"
# What China's municipalities and regions are called for short, by the list of GB/T 2260.
_SUFFIXES = ("特别行政区", "壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "省", "市")
# Parts of China with a currency, a zone and holidays of their own.
_OWN_MONEY = {"CN-HK": "HK", "CN-MO": "MO", "CN-TW": "TW"}
# Two days of a year that tell zones apart by what their clocks show.
_WINTER, _SUMMER = datetime(2025, 1, 15, 12), datetime(2025, 7, 15, 12)  # noqa: DTZ001


@dataclass(frozen=True)
class Division:
    """A place of a shipped list. `zones` are its time zones; somebody has to choose if there are several.
    `currency` is empty if the platform cannot account in it."""

    scheme: str
    code: str
    parent: str
    name: str
    name_zh: str
    zones: tuple[str, ...]
    currency: str
    holiday_calendar: str

    @property
    def time_zone(self) -> str:
        """Return the time zone if there is only one; empty if it has to be chosen."""
        return self.zones[0] if len(self.zones) == 1 else ""


def division(scheme: str, code: str) -> Division | None:
    """Return a place by its scheme, in any spelling, and its code; None if it is unknown."""
    match scheme_named(scheme):
        case "ISO 3166":
            return _countries().get(code)
        case "ISO 3166-2":
            return _subdivisions(code.partition("-")[0]).get(code)
        case "GB/T 2260":
            return _china().get(code)
        case _:
            return None


def countries() -> list[Division]:
    """Return all countries by name."""
    return sorted(_countries().values(), key=lambda one: one.name)


def divisions_of(scheme: str, country: str, text: str = "") -> list[Division]:
    """Return the parts of a country in a list, ordered by code; with `text`, those that contain it in their
    code or in a name."""
    parts = _china() if scheme_named(scheme) == CHINA else _subdivisions(country)
    if scheme_named(scheme) == CHINA and country != "CN":
        return []
    text = text.strip().casefold()
    return [
        one
        for _, one in sorted(parts.items())
        if text in one.code.casefold() or text in one.name.casefold() or text in one.name_zh
    ]


def above(one: Division) -> Iterator[str]:
    """Yield the codes, in both lists, of the places that contain a place, nearest first."""
    parent = one.parent
    while parent:
        yield parent
        if other := same_place(parent):
            yield other
        upper = division(one.scheme, parent)
        parent = upper.parent if upper else ""


@cache
def _countries() -> dict[str, Division]:
    translate = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, ["zh_CN"]).gettext
    return {
        row.alpha_2: _division(
            COUNTRIES, row.alpha_2, "", name := getattr(row, "common_name", row.name), translate(name)
        )
        for row in pycountry.countries
    }


@cache
def _subdivisions(country: str) -> dict[str, Division]:
    if country == "CN":
        provinces = [one for one in _china().values() if one.parent == "CN"]
        return {
            code: _division(SUBDIVISIONS, code, "CN", one.name, _short(one.name_zh))
            for one in provinces
            if (code := same_place(one.code))
        }
    translate = gettext.translation("iso3166-2", pycountry.LOCALES_DIR, ["zh_CN"]).gettext
    rows = _library().get(country_code=country) or []
    return {
        row.code: _division(
            SUBDIVISIONS,
            row.code,
            row.parent_code or country,
            row.name,
            translated if (translated := translate(row.name)) != row.name else "",
        )
        for row in rows
    }


def _library() -> Any:
    """Return the subdivisions of pycountry, which has no type annotations."""
    return pycountry.subdivisions


@cache
def _china() -> dict[str, Division]:
    with _DATA.open(encoding="utf-8", newline="") as file:
        rows = {row["code"]: row for row in csv.DictReader(file)}
    return {
        code: _division(CHINA, code, _parent_in(rows, code), row["name"], row["name_zh"])
        for code, row in rows.items()
    }


def _parent_in(rows: dict[str, dict[str, str]], code: str) -> str:
    """Return the code of a Chinese division's parent: China for a province, the province for a city, and the
    city or, without one, the province for a county."""
    if code.endswith("0000"):
        return "CN"
    city = f"{code[:4]}00"
    return city if city != code and city in rows else f"{code[:2]}0000"


def _short(name: str) -> str:
    """Return the short everyday name of a province: 安徽 for 安徽省."""
    suffix = next(suffix for suffix in _SUFFIXES if name.endswith(suffix))
    return name.removesuffix(suffix)


def _division(scheme: str, code: str, parent: str, name: str, name_zh: str) -> Division:
    province = same_place(f"{code[:2]}0000") if scheme == CHINA else code
    country = _OWN_MONEY.get(province, province[:2])
    zones = _zones().get(country, ())
    if country == "CN" and province != "CN-XJ":
        zones = zones[:1]  # Xinjiang alone keeps a second time
    return Division(
        scheme=scheme,
        code=code,
        parent=parent,
        name=name[:120],
        name_zh=name_zh[:120],
        zones=zones,
        currency=CURRENCY_OF.get(country, ""),
        holiday_calendar=_calendar(country, province.partition("-")[2]),
    )


def _calendar(country: str, part: str) -> str:
    """Return the library's holiday calendar for a part of a country, or else for the country; empty if it has
    neither."""
    known = _calendars().get(country)
    if known is None:
        return ""
    return f"{country}-{part}" if part and part in known else country


@cache
def _calendars() -> dict[str, list[str]]:
    return dict(holidays.list_supported_countries())


@cache
def _zones() -> dict[str, tuple[str, ...]]:
    """Return the time zones of each country, the principal one first, without zones that show the same time
    as an earlier one (according to the time-zone database)."""
    by_country: dict[str, dict[tuple[object, object], str]] = {}
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    for line in table.splitlines():
        if line.startswith("#"):
            continue
        country, _, name = line.split("\t")[:3]
        zone = zoneinfo.ZoneInfo(name)
        shows = tuple(day.replace(tzinfo=zone).utcoffset() for day in (_WINTER, _SUMMER))
        by_country.setdefault(country, {}).setdefault(shows, name)  # type: ignore[arg-type]
    return {country: tuple(zones.values()) for country, zones in by_country.items()}

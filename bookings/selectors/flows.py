"""Use between regions, as it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count

from accounts.domain.errors import invalid
from accounts.domain.roles import ADMINISTRATOR, AUDITOR, COORDINATOR, Actor
from accounts.models import Region
from bookings.domain import flows as rules
from bookings.domain.disclosure import hidden_groups
from bookings.selectors.utilisation_scope import whole_months
from instruments.models import Instrument

MEASURES = ("hours", "money", "sessions", "users")


@dataclass(frozen=True)
class FlowCell:
    """What payers of one region used at hosts of another: minutes, money, sessions or people.
    `value` None: hidden, since fewer organisations than may be told stand behind it."""

    payer: Region
    host: Region
    value: Decimal | int | None
    organisations: int | None


@dataclass(frozen=True)
class Flows:
    """The matrix and what follows from it. Sums and ratios count what is shown alone, so that
    nothing hidden follows from them. `currency` only of money, with the `currencies` there are."""

    measure: str
    cells: list[FlowCell]
    regions: list[tuple[Region, rules.RegionFlows]]
    pairs: list[tuple[Region, Region, rules.PairFlows]]
    currency: str = ""
    currencies: tuple[str, ...] = ()

    @property
    def is_partial(self) -> bool:
        return any(cell.value is None for cell in self.cells)


_HOURS = """
SELECT d.payer_region_id, i.region_id, '', sum(d.{column}), count(DISTINCT d.organisation_id)
FROM bookings_instrumentdayuse d
JOIN instruments_instrument i ON i.id = d.instrument_id
WHERE d.date >= %s AND d.date < %s
GROUP BY 1, 2
HAVING sum(d.{column}) > 0
"""
_USERS = """
SELECT r.payer_region_id, r.host_region_id, '', count(DISTINCT r.user_id),
    count(DISTINCT r.organisation_id)
FROM bookings_usagesession s
JOIN bookings_reservation r ON r.id = s.reservation_id
JOIN instruments_instrument i ON i.id = s.instrument_id
JOIN instruments_facility f ON f.id = i.facility_id
WHERE s.checked_in_at >= %s::timestamp - interval '1 day'
    AND s.checked_in_at < %s::timestamp + interval '1 day'
    AND (s.checked_in_at AT TIME ZONE f.time_zone)::date >= %s
    AND (s.checked_in_at AT TIME ZONE f.time_zone)::date < %s
GROUP BY 1, 2
"""
# Reversals count against what they reverse. A charge belongs to the day its booking began on.
_MONEY = """
SELECT c.payer_region_id, c.host_region_id, c.currency, sum(c.total),
    count(DISTINCT c.organisation_id)
FROM bookings_charge c
JOIN bookings_reservation r ON r.id = c.reservation_id
JOIN instruments_instrument i ON i.id = r.instrument_id
JOIN instruments_facility f ON f.id = i.facility_id
WHERE (r.start_at AT TIME ZONE f.time_zone)::date >= %s
    AND (r.start_at AT TIME ZONE f.time_zone)::date < %s
GROUP BY 1, 2, 3
HAVING sum(c.total) <> 0
"""


def flows(actor: Actor, *, since: date, until: date, measure: str, currency: str = "") -> Flows:
    """The matrix of the local days [since, until). Three statements.

    Everybody reads it; cells with few organisations are hidden but from an administrator, and
    from auditors and coordinators of one of the two regions. `Invalid`: others read whole months
    alone, since a cell would follow from two that differ by days.
    """
    if measure not in MEASURES:
        raise invalid("measure", "unknown-choice", allowed=", ".join(MEASURES))
    regions = {region.pk: region for region in Region.objects.all()}
    exact = _exact(actor, regions)
    if len(exact) < len(regions):
        whole_months(since, until)
    found = _cells(measure, since, until)
    currencies = tuple(sorted({row[2] for row in found if row[2]}))
    if measure == "money" and found:
        usual = max(currencies, key=lambda code: sum(row[2] == code for row in found))
        currency = currency if currency in currencies else usual
        found = [row for row in found if row[2] == currency]
    hidden = hidden_groups(
        {(payer, host): number for payer, host, _, _, number in found if not {payer, host} & exact},
        settings.PUBLIC_LEAST_ORGANISATIONS,
    )
    cells = [
        FlowCell(
            regions[payer],
            regions[host],
            None if (payer, host) in hidden else value if measure == "money" else int(value),
            None if (payer, host) in hidden else number,
        )
        for payer, host, _, value, number in found
    ]
    cells.sort(key=lambda cell: (cell.payer.code, cell.host.code))
    by_code = {region.code: region for region in regions.values()}
    matrix = {
        (cell.payer.code, cell.host.code): cell.value for cell in cells if cell.value is not None
    }
    return Flows(
        measure,
        cells,
        [(by_code[code], told) for code, told in rules.by_region(matrix).items()],
        [(by_code[pair.first], by_code[pair.second], pair) for pair in rules.pairs(matrix)],
        currency if measure == "money" else "",
        currencies,
    )


def _exact(actor: Actor, regions: Mapping[UUID, Region]) -> set[UUID]:
    """The regions whose cells the person reads whatever stands behind them."""
    if actor.has(ADMINISTRATOR):
        return set(regions)
    held = {g.region_id for g in actor.grants if g.role in (AUDITOR, COORDINATOR) and g.region_id}
    return {pk for pk, region in regions.items() if held.intersection(region.lineage)}


def _cells(measure: str, since: date, until: date) -> list[Any]:
    statement, parameters = {
        "hours": (_HOURS.format(column="minutes"), [since, until]),
        "sessions": (_HOURS.format(column="sessions"), [since, until]),
        "users": (_USERS, [since, until, since, until]),
        "money": (_MONEY, [since, until]),
    }[measure]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


@dataclass(frozen=True)
class Spread:
    """Where the instruments of a technique are: how many, how concentrated over the regions (1:
    all in one), and of each region with some the number and location quotient."""

    code: str
    name: str
    name_zh: str
    instruments: int
    concentration: str | None
    regions: list[tuple[str, int, str | None]]


def spread() -> tuple[str | None, list[Spread]]:
    """How concentrated published instruments are over the regions, all and by technique. What is
    published is public: nothing is hidden. Two statements."""
    published = Instrument.objects.filter(publication=Instrument.Publication.PUBLISHED).order_by()
    here = dict(published.values_list("region__code").annotate(n=Count("pk")))
    rows: Sequence[Any] = list(
        published.filter(techniques__isnull=False)
        .values_list("techniques__code", "techniques__name", "techniques__name_zh", "region__code")
        .annotate(n=Count("pk"))
        .order_by("techniques__code", "region__code")
    )
    total = sum(here.values())
    by_technique: dict[tuple[str, str, str], dict[str, int]] = {}
    for *technique, region, number in rows:
        by_technique.setdefault(tuple(technique), {})[region] = number
    return rules.concentration(here.values()), [
        Spread(
            code,
            name,
            name_zh,
            sum(numbers.values()),
            # Of all regions with instruments, those without this technique count as 0.
            rules.concentration(numbers.values()),
            [
                (
                    region,
                    number,
                    rules.location_quotient(number, here[region], sum(numbers.values()), total),
                )
                for region, number in numbers.items()
            ],
        )
        for (code, name, name_zh), numbers in by_technique.items()
    ]

"""Use between regions, as people may read it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count

from accounts.domain.errors import NotFound, NotPermitted, invalid
from accounts.domain.roles import ADMINISTRATOR, AUDITOR, COORDINATOR, Actor
from accounts.models import Region
from bookings.hours.selectors.behind import Behind, load_behind
from bookings.hours.selectors.scope import whole_months
from bookings.hours.selectors.sums import load_kept, require_few_days
from bookings.hours.selectors.sums import whole_months as months_within
from bookings.record.domain.disclosure import hidden_cells
from bookings.statistics.domain import flows as rules
from instruments.register.models import Instrument

MEASURES = ("hours", "money", "sessions", "users")


@dataclass(frozen=True)
class FlowCell:
    """The use by payers of one region at hosts of another: minutes, money, sessions or people. `value` None:
    hidden, since it comes from too few organisations."""

    payer: Region
    host: Region
    value: Decimal | int | None
    organisations: int | None


@dataclass(frozen=True)
class Flows:
    """The matrix with its sums and ratios, which are None if they would need a hidden cell, so that nothing
    hidden follows from them. `currency` only for money, with the available `currencies`."""

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
SELECT payer_region_id, host_region_id, '', sum(amount), count(DISTINCT organisation_id)
FROM ({parts}) uses
GROUP BY 1, 2
HAVING sum(amount) > 0
"""
_OF_DAYS = """
SELECT d.payer_region_id, coalesce(p.region_id, i.region_id) AS host_region_id,
    d.organisation_id, sum(d.{column}) AS amount
FROM bookings_instrumentdayuse d
JOIN instruments_instrument i ON i.id = d.instrument_id
LEFT JOIN instruments_pasthost p ON p.instrument_id = d.instrument_id
    AND d.date < p.until_date AND (p.from_date IS NULL OR d.date >= p.from_date)
WHERE d.date >= %s AND d.date < %s
GROUP BY 1, 2, 3
"""
_OF_MONTHS = """
SELECT d.payer_region_id, d.host_region_id, d.organisation_id, sum(d.{column}) AS amount
FROM bookings_facilityuse d
WHERE d.month >= %s AND d.month < %s
GROUP BY 1, 2, 3
"""
_SESSIONS = """
FROM bookings_usagesession s
JOIN bookings_reservation r ON r.id = s.reservation_id
JOIN instruments_instrument i ON i.id = s.instrument_id
JOIN instruments_facility f ON f.id = i.facility_id
WHERE s.checked_in_at >= %s::timestamp - interval '1 day'
    AND s.checked_in_at < %s::timestamp + interval '1 day'
    AND (s.checked_in_at AT TIME ZONE f.time_zone)::date >= %s
    AND (s.checked_in_at AT TIME ZONE f.time_zone)::date < %s
"""
_USERS = f"""
SELECT r.payer_region_id, r.host_region_id, '', count(DISTINCT r.user_id),
    count(DISTINCT r.organisation_id)
{_SESSIONS}
GROUP BY 1, 2
"""
# Reversals are subtracted from what they reverse. A charge belongs to the day on which its booking began.
_CHARGES = """
FROM bookings_charge c
JOIN bookings_reservation r ON r.id = c.reservation_id
JOIN instruments_instrument i ON i.id = r.instrument_id
JOIN instruments_facility f ON f.id = i.facility_id
WHERE (r.start_at AT TIME ZONE f.time_zone)::date >= %s
    AND (r.start_at AT TIME ZONE f.time_zone)::date < %s
"""
_MONEY = f"""
SELECT c.payer_region_id, c.host_region_id, c.currency, sum(c.total),
    count(DISTINCT c.organisation_id)
{_CHARGES}
GROUP BY 1, 2, 3
HAVING sum(c.total) <> 0
"""
_PEOPLE_ROWS = """
WITH found AS (
    SELECT r.id, s.checked_in_at, s.checked_out_at, i.name, i.name_zh, f.time_zone,
        r.organisation_id, r.user_id,
        coalesce(
            floor(date_part('epoch', s.checked_out_at - s.checked_in_at) / 60), 0
        )::int AS minutes,
        dense_rank() OVER (ORDER BY r.user_id) AS nth
    {behind}
        AND r.payer_region_id = %s AND r.host_region_id = %s
)
SELECT w.id, NULL, 'use', w.checked_in_at, w.checked_out_at, w.name, w.name_zh, w.time_zone,
    o.name, o.name_zh, w.minutes, w.user_id, w.nth, NULL, '', NULL,
    count(*) OVER (), sum(w.minutes) OVER (), max(w.nth) OVER ()
FROM found w
JOIN accounts_organisation o ON o.id = w.organisation_id
ORDER BY w.nth, w.checked_in_at, w.id
LIMIT %s OFFSET %s
"""
_MONEY_ROWS = """
WITH found AS (
    SELECT r.id, c.id AS charge_id, c.kind, r.start_at, r.end_at, i.name, i.name_zh, f.time_zone,
        c.organisation_id, r.user_id, c.total
    {behind}
        AND c.payer_region_id = %s AND c.host_region_id = %s AND c.currency = %s
)
SELECT w.id, w.charge_id, w.kind, w.start_at, w.end_at, w.name, w.name_zh, w.time_zone,
    o.name, o.name_zh, w.total, w.user_id, NULL, NULL, '', NULL,
    count(*) OVER (), sum(w.total) OVER (), 0
FROM found w
JOIN accounts_organisation o ON o.id = w.organisation_id
ORDER BY w.start_at, w.charge_id
LIMIT %s OFFSET %s
"""


def flows(actor: Actor, *, since: date, until: date, measure: str, currency: str = "") -> Flows:
    """Return the matrix of the local days [since, until). Four statements.

    Everybody may read it; cells with few organisations are hidden except from administrators, and from
    auditors and coordinators of one of the two regions. Raises `Invalid` unless other readers ask for whole
    months, since a cell would follow from two spans that differ by days; and (too-many-days) if `measure` is
    `users`, for more days of instruments than `MOST_DAYS`.
    """
    if measure not in MEASURES:
        raise invalid("measure", "unknown-choice", allowed=", ".join(MEASURES))
    regions = {region.pk: region for region in Region.objects.all()}
    exact = _exact(actor, regions)
    if len(exact) < len(regions):
        whole_months(since, until)
    sums = _cells(measure, since, until)
    currencies = tuple(sorted({row[2] for row in sums if row[2]}))
    if measure == "money" and sums:
        usual = max(currencies, key=lambda code: sum(row[2] == code for row in sums))
        currency = currency if currency in currencies else usual
        sums = [row for row in sums if row[2] == currency]
    counted = {(payer, host): number for payer, host, _, _, number in sums}
    hidden = {
        cell
        for cell in hidden_cells(counted, settings.PUBLIC_LEAST_ORGANISATIONS, _readers(counted, regions))
        if not exact.intersection(cell)
    }
    cells = [
        FlowCell(
            regions[payer],
            regions[host],
            None if (payer, host) in hidden else value if measure == "money" else int(value),
            None if (payer, host) in hidden else number,
        )
        for payer, host, _, value, number in sums
    ]
    cells.sort(key=lambda cell: (cell.payer.code, cell.host.code))
    by_code = {region.code: region for region in regions.values()}
    matrix = {(cell.payer.code, cell.host.code): cell.value for cell in cells}
    return Flows(
        measure,
        cells,
        [(by_code[code], told) for code, told in rules.by_region(matrix).items()],
        [(by_code[pair.first], by_code[pair.second], pair) for pair in rules.pairs(matrix)],
        currency if measure == "money" else "",
        currencies,
    )


def _readers(
    cells: Iterable[tuple[UUID, UUID]], regions: Mapping[UUID, Region]
) -> list[set[tuple[UUID, UUID]]]:
    """Return, for each region, the cells that its coordinators and auditors read however few organisations
    are behind them."""
    readers: dict[UUID, set[tuple[UUID, UUID]]] = defaultdict(set)
    for cell in cells:
        for above in {above for pk in cell for above in regions[pk].lineage}:
            readers[above].add(cell)
    return [readers[pk] for pk in sorted(readers)]


def _exact(actor: Actor, regions: Mapping[UUID, Region]) -> set[UUID]:
    """Return the regions whose cells the person reads, however few organisations they come from."""
    if actor.has(ADMINISTRATOR):
        return set(regions)
    held = {g.region_id for g in actor.grants if g.role in (AUDITOR, COORDINATOR) and g.region_id}
    return {pk for pk, region in regions.items() if held.intersection(region.lineage)}


def _cells(measure: str, since: date, until: date) -> list[Any]:
    if measure in ("hours", "sessions"):
        is_filled = load_kept(since, until).is_filled
        first, last = months_within(since, until, ()) if is_filled else (until, until)
        parts = [
            (part, began, ended)
            for part, began, ended in (
                (_OF_DAYS, since, first),
                (_OF_MONTHS, first, last),
                (_OF_DAYS, last, until),
            )
            if began < ended
        ]
        column = "minutes" if measure == "hours" else "sessions"
        joined = " UNION ALL ".join(part for part, _, _ in parts).format(column=column)
        statement = _HOURS.format(parts=joined)
        parameters = [day for _, *days in parts for day in days]
    else:
        if measure == "users":  # no sum contains the people
            require_few_days(Instrument.objects.all(), (until - since).days)
        statement, parameters = {
            "users": (_USERS, [since, until, since, until]),
            "money": (_MONEY, [since, until]),
        }[measure]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def opens(actor: Actor, measure: str, payer: Region, host: Region) -> bool:
    """Say whether the person may see the rows of a cell: days and sessions for people who read the hours of
    the host region; charges for people who read the bookings of one of the two regions."""
    if measure == "money":
        held = actor.regions_where("read-bookings")
        return bool(held.intersection(payer.lineage) or held.intersection(host.lineage))
    held = actor.regions_where("read-hours")
    return bool(actor.has(ADMINISTRATOR) or held.intersection(host.lineage))


def flow_rows(
    actor: Actor,
    *,
    since: date,
    until: date,
    measure: str,
    payer: str,
    host: str,
    currency: str = "",
    most: int,
    skipped: int = 0,
) -> Behind:
    """Load the rows of a cell of `flows`: the sessions of its people (`users`), one person after the other,
    or its charges (`money`) by the day of their booking. Five statements. Raises `NotFound` for unknown
    regions, `NotPermitted` unless `opens`."""
    regions = {region.code: region for region in Region.objects.filter(code__in=[payer, host])}
    if not {payer, host} <= regions.keys():
        raise NotFound
    if not opens(actor, measure, regions[payer], regions[host]):
        raise NotPermitted
    pair: list[Any] = [regions[payer].pk, regions[host].pk]
    days = [since, until]
    if measure == "money":
        statement = _MONEY_ROWS.format(behind=_CHARGES)
        pair.append(currency)
    else:
        statement = _PEOPLE_ROWS.format(behind=_SESSIONS)
        days *= 2
    with connection.cursor() as cursor:
        cursor.execute(statement, [*days, *pair, most, skipped])
        return load_behind(actor, cursor.fetchall())


@dataclass(frozen=True)
class Spread:
    """The distribution of a technique's instruments: their number, their concentration over the regions (1:
    all in one), and for each region that has some their number and location quotient."""

    code: str
    name: str
    name_zh: str
    instruments: int
    concentration: str | None
    regions: list[tuple[str, int, str | None]]


def spread() -> tuple[str | None, list[Spread]]:
    """Return how concentrated published instruments are over the regions, in all and by technique. Published
    instruments are public, so nothing is hidden. Two statements."""
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
                (region, number, rules.location_quotient(number, here[region], sum(numbers.values()), total))
                for region, number in numbers.items()
            ],
        )
        for (code, name, name_zh), numbers in by_technique.items()
    ]

"""The planning map as a person may read it: supply, demand and plans of each class of instrument in each
region."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.cache import cache
from django.db import connection

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import ADMINISTRATOR, AUDITOR, COORDINATOR, Actor
from accounts.models import Region
from bookings.hours.models import InstrumentYear
from bookings.hours.selectors.reading import KEPT_SECONDS, ROLLED_UP
from bookings.planning.domain.map import USABLE_PERCENT, Cell, Demand, Supply, Tree, hidden_cells
from bookings.planning.selectors.plans import planned_in, regions_told
from instruments.vocabulary.domain.techniques import Term, above
from instruments.vocabulary.selectors.needs import load_vocabulary

# The map counts published instruments, and the hours of all that were open in the year whatever their state
# now, in the region to which they belong today. A class includes its narrower ones, with each instrument
# counted once.
_TREE = """
WITH RECURSIVE above (technique_id, class_id) AS (
    SELECT id, id FROM instruments_technique
    UNION
    SELECT a.technique_id, p.to_technique_id
    FROM above a JOIN instruments_technique_parents p ON p.from_technique_id = a.class_id
),
"""
_SUPPLY = """{tree}
counted AS MATERIALIZED (
    SELECT i.id, i.region_id, i.organisation_id, coalesce(y.open_minutes, 0) AS opened,
        coalesce(y.productive_minutes, 0) AS used,
        greatest(0, coalesce(y.open_minutes, 0) * %(percent)s / 100
            - coalesce(y.productive_minutes, 0)) AS spare,
        coalesce(
            (SELECT min(substr(d ->> 'date', 1, 4)) FROM jsonb_array_elements(i.dates) d
             WHERE d ->> 'date_type' = 'Commissioned' AND d ->> 'date' ~ '^[12][0-9]{3}'
            )::int,
            extract(year FROM i.acquisition_date)::int
        ) AS year
    FROM instruments_instrument i
    LEFT JOIN bookings_instrumentyear y ON y.instrument_id = i.id AND y.year = %(year)s
    WHERE i.merged_into_id IS NULL AND (y.open_minutes > 0 OR y.productive_minutes > 0
        OR i.publication = 'published' AND i.published_at < %(until)s)
),
tagged AS (
    SELECT DISTINCT t.instrument_id, a.class_id
    FROM instruments_instrument_techniques t JOIN above a USING (technique_id)
)
SELECT c.code, r.code, count(*), count(DISTINCT i.organisation_id), sum(i.opened)::bigint,
    sum(i.used)::bigint, sum(i.spare)::bigint,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY i.year)
FROM counted i
JOIN tagged t ON t.instrument_id = i.id
JOIN instruments_technique c ON c.id = t.class_id
JOIN accounts_region r ON r.id = i.region_id
GROUP BY c.code, r.code
"""
# A waiting-list entry counts once in each class, however many techniques the instrument has. Days are those
# of the instrument, for searches and waiting-list entries those of UTC (hours/selectors/demand.py).
_DEMAND = """{tree}
wanted AS MATERIALIZED (
    SELECT d.id::text AS wish, d.kind, d.organisation_id, d.region_id, d.instrument_id,
        d.technique_id, d.minutes
    FROM bookings_unmetdemand d
    WHERE d.on_date >= %(since)s AND d.on_date < %(until)s AND d.organisation_id IS NOT NULL
        AND d.code = ''
    UNION ALL
    SELECT w.id::text, 'waited', w.organisation_id, o.region_id, w.instrument_id, NULL, w.minutes
    FROM bookings_waitingwish w JOIN accounts_organisation o ON o.id = w.organisation_id
    WHERE w.state IN ('expired', 'withdrawn')
        AND w.ended_at >= %(since)s::timestamp AT TIME ZONE 'UTC'
        AND w.ended_at < %(until)s::timestamp AT TIME ZONE 'UTC'
),
classed AS (
    SELECT DISTINCT w.*, a.class_id
    FROM wanted w
    LEFT JOIN instruments_instrument_techniques t ON t.instrument_id = w.instrument_id
    LEFT JOIN above a ON a.technique_id = coalesce(t.technique_id, w.technique_id)
)
SELECT coalesce(c.code, ''), r.code, count(DISTINCT w.organisation_id), sum(w.minutes)::bigint,
    count(*) FILTER (WHERE w.kind = 'refused'), count(*) FILTER (WHERE w.kind = 'waited'),
    count(*) FILTER (WHERE w.kind = 'search')
FROM classed w
JOIN accounts_region r ON r.id = w.region_id
LEFT JOIN instruments_technique c ON c.id = w.class_id
GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Planned:
    """The plans of a region's organisations for a class: their number, the expected hours a year, and the
    first year."""

    number: int = 0
    hours: int = 0
    year: int | None = None


@dataclass(frozen=True)
class Figures:
    """The figures of one class in one region, or in all regions, for the year and the year before. None:
    hidden; `planned` None: the reader may not see plans. `instruments` is never hidden, as the catalogue
    shows them."""

    instruments: int
    supply: Supply | None
    demand: Demand | None
    supply_before: Supply | None
    demand_before: Demand | None
    planned: Planned | None

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to show. Hidden figures count as something."""
        return self in (replace(NOTHING, planned=None), NOTHING)


NOTHING = Figures(0, Supply(), Demand(), Supply(), Demand(), Planned())


@dataclass(frozen=True)
class PlanningMap:
    """The map of a year as one person may read it. terms: the classes by code; tree: for each, the narrower
    ones that have figures; regions: by code; totals: of each class over all regions; own: the regions where
    nothing is hidden from the reader; told: those whose plans the reader sees. Demand that named no class is
    only in `cells`, with an empty code."""

    year: int
    terms: Mapping[str, Term]
    tree: Tree
    regions: Mapping[str, Region]
    cells: Mapping[Cell, Figures]
    totals: Mapping[str, Figures]
    own: frozenset[str]
    told: frozenset[str]

    def nothing(self, region: str | None) -> Figures:
        """Return the figures of a class that has none in a region (None: in all regions)."""
        is_told = region is None or region in self.told
        return NOTHING if is_told else replace(NOTHING, planned=None)

    @property
    def has_before(self) -> bool:
        """Say whether anything is known of the year before."""
        nothing = Supply().open_minutes, Demand().minutes
        return any(
            (getattr(each.supply_before, "open_minutes", 0), getattr(each.demand_before, "minutes", 0))
            != nothing
            for each in (*self.totals.values(), *self.nameless.values())
        )

    @property
    def nameless(self) -> dict[str, Figures]:
        """Return the demand that named no class, by region."""
        return {region: each for (code, region), each in sorted(self.cells.items()) if not code}

    @property
    def roots(self) -> list[str]:
        """Return the broadest classes with figures."""
        below = {code for codes in self.tree.values() for code in codes}
        return sorted(code for code in self.totals if code not in below)

    @property
    def narrowest(self) -> list[str]:
        """Return the classes under which instruments are filed directly, and those without narrower ones: the
        techniques as people name them."""
        below = {
            code: sum(self.totals[each].instruments for each in self.tree.get(code, ()))
            for code in self.totals
        }
        return sorted(
            code
            for code, figures in self.totals.items()
            if not self.tree.get(code) or figures.instruments > below[code]
        )


def require_reader(actor: Actor) -> None:
    """Raise `NotPermitted` unless the actor may read the planning map: as coordinator, auditor or
    administrator."""
    if not reads_map(actor):
        raise NotPermitted


def reads_map(actor: Actor) -> bool:
    return any(map(actor.has, (COORDINATOR, AUDITOR, ADMINISTRATOR)))


def usual_year(now: datetime) -> int:
    """Return the last full year if its hours are known, otherwise the current year. One statement."""
    last = now.year - 1
    return last if InstrumentYear.objects.filter(year=last).exists() else now.year


def load_map(actor: Actor, year: int, now: datetime) -> PlanningMap:
    """Load the map of a year for a person; raise `NotPermitted` unless they may read it (`require_reader`).

    Cells of regions that they coordinate or audit are never hidden. At most eight statements; the four large
    ones are cached for some minutes, until the next roll-up.
    """
    require_reader(actor)
    regions = {region.code: region for region in Region.objects.order_by("name", "code")}
    above_all = actor.regions_where("read-hours")
    is_all = actor.has(ADMINISTRATOR)
    own = {code for code, row in regions.items() if is_all or above_all & set(row.lineage)}
    terms = load_vocabulary().terms
    parents = {code: term.parents for code, term in terms.items()}
    supply, supply_before = (_kept("supply", _supply, each) for each in (year, year - 1))
    demand, demand_before = (_kept("demand", _demand, each) for each in (year, year - 1))
    planned, told = _planned(actor, parents, now)
    keys = {*supply, *demand, *supply_before, *demand_before, *planned}
    there = {code for code, _ in keys if code}
    tree: dict[str, list[str]] = defaultdict(list)
    for code in sorted(there):
        for parent in parents.get(code, ()):
            tree[parent].append(code)
    least = settings.PUBLIC_LEAST_ORGANISATIONS
    parts: list[tuple[Mapping[Cell, Any], Any, set[Cell], set[str]]] = []
    for rows, empty, name in (
        (supply, Supply(), "hosts"),
        (demand, Demand(), "payers"),
        (supply_before, Supply(), "hosts"),
        (demand_before, Demand(), "payers"),
    ):
        behind = {cell: getattr(row, name) for cell, row in rows.items()}
        parts.append((rows, empty, *hidden_cells(behind, tree, own, least)))

    def figures(cell: Cell) -> Figures:
        shown: Any = [None if cell in hidden else rows.get(cell, empty) for rows, empty, hidden, _ in parts]
        plans = planned.get(cell, Planned()) if cell[1] in told else None
        return Figures(supply.get(cell, Supply()).instruments, *shown, plans)  # type: ignore[call-arg]

    def total(code: str, cells: Iterable[Cell]) -> Figures:
        cells = list(cells)
        shown: Any = [
            None if code in sums else _added([rows[cell] for cell in cells if cell in rows], empty)
            for rows, empty, _, sums in parts
        ]
        plans = _added([planned[cell] for cell in cells if cell in planned], Planned())
        number = sum(supply[cell].instruments for cell in cells if cell in supply)
        return Figures(number, *shown, plans)  # type: ignore[call-arg]

    by_class: dict[str, list[Cell]] = defaultdict(list)
    for cell in sorted(keys):
        by_class[cell[0]].append(cell)
    return PlanningMap(
        year,
        terms,
        tree,
        {code: row for code, row in regions.items() if any(key[1] == code for key in keys)},
        {cell: figures(cell) for cell in keys},
        {code: total(code, cells) for code, cells in by_class.items() if code},
        frozenset(own),
        frozenset(told),
    )


def _added(rows: list[Any], empty: Any) -> Any:
    """Return the sum of figures of several regions; organisations can be added, as each belongs to one
    region. `year` is left empty, since medians cannot be combined."""
    if not rows:
        return empty
    sums = {name: sum(getattr(row, name) for row in rows) for name in vars(empty) if name != "year"}
    return type(empty)(**sums)


def _kept(name: str, read: Callable[[int], dict[Cell, Any]], year: int) -> dict[Cell, Any]:
    mark = cache.get_or_set(ROLLED_UP, lambda: uuid4().hex, None)
    at = "planning-map:" + sha256(f"{mark}:{name}:{year}".encode()).hexdigest()
    kept: dict[Cell, Any] | None = cache.get_or_set(at, lambda: read(year), KEPT_SECONDS)
    return kept or {}


def _read(statement: str, year: int) -> list[Any]:
    with connection.cursor() as cursor:
        days = {"since": date(year, 1, 1), "until": date(year + 1, 1, 1)}
        cursor.execute(statement.replace("{tree}", _TREE), {"year": year, "percent": USABLE_PERCENT, **days})
        return list(cursor.fetchall())


def _supply(year: int) -> dict[Cell, Supply]:
    return {(row[0], row[1]): Supply(*row[2:]) for row in _read(_SUPPLY, year)}


def _demand(year: int) -> dict[Cell, Demand]:
    return {(row[0], row[1]): Demand(*row[2:]) for row in _read(_DEMAND, year)}


def _planned(
    actor: Actor, parents: Mapping[str, Iterable[str]], now: datetime
) -> tuple[dict[Cell, Planned], set[str]]:
    """Return the planned purchases by cell of the planning map, and the regions whose plans the person may
    read."""
    told = {region.pk: region.code for region in regions_told(actor, now)}
    rows = planned_in(list(told)).order_by()
    cells: dict[Cell, Planned] = {}
    for technique, region, hours, year in rows.values_list(
        "technique__code", "organisation__region__code", "hours", "year"
    ):
        for code in {technique, *above(technique, parents)}:
            had = cells.get((code, region), Planned())
            first = min(year, had.year or year)
            cells[code, region] = Planned(had.number + 1, had.hours + hours, first)
    return cells, set(told.values())

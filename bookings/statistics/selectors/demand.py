"""Unmet demand, as people may read it: refused for lack of capacity, waited for without an offer, searched
for without a result."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import ADMINISTRATOR, Actor
from bookings.hours.selectors.behind import Behind, load_behind
from bookings.hours.selectors.scope import reads_hours, whole_months
from bookings.record.domain.disclosure import hidden_cells


@dataclass(frozen=True)
class DemandRow:
    """The unmet demand for one technique (empty: none named) from one region, in hours by how it arose. All
    numbers of a hidden row are None."""

    technique: tuple[str, str, str]  # code, names
    region: tuple[str, str, str]
    refused: int | None
    refused_minutes: int | None
    waited: int | None
    waited_minutes: int | None
    searches: int | None
    searched_minutes: int | None

    @property
    def minutes(self) -> int | None:
        if self.refused_minutes is None:
            return None
        return self.refused_minutes + (self.waited_minutes or 0) + (self.searched_minutes or 0)


# Demand for an instrument with several techniques counts under each. Days are those of the instrument, for
# searches and waiting-list entries those of UTC.
_WANTED = """
WITH wanted AS (
    SELECT d.id::text AS id, d.kind, d.user_id, d.organisation_id, d.region_id, d.instrument_id,
        coalesce(t.technique_id, d.technique_id) AS technique_id, d.minutes,
        d.wanted_from, d.wanted_until, d.query
    FROM bookings_unmetdemand d
    LEFT JOIN instruments_instrument_techniques t ON t.instrument_id = d.instrument_id
    WHERE d.on_date >= %(since)s AND d.on_date < %(until)s AND d.organisation_id IS NOT NULL
        AND d.code = ''
    UNION ALL
    SELECT w.id::text, 'waited', w.user_id, w.organisation_id, o.region_id, w.instrument_id, t.technique_id,
        w.minutes, w.earliest, w.latest, ''
    FROM bookings_waitingwish w
    JOIN accounts_organisation o ON o.id = w.organisation_id
    LEFT JOIN instruments_instrument_techniques t ON t.instrument_id = w.instrument_id
    WHERE w.state IN ('expired', 'withdrawn')
        AND w.ended_at >= %(since)s::timestamp AT TIME ZONE 'UTC'
        AND w.ended_at < %(until)s::timestamp AT TIME ZONE 'UTC'
)
"""
_READ = """
FROM wanted w
JOIN accounts_region r ON r.id = w.region_id
LEFT JOIN instruments_technique t ON t.id = w.technique_id
LEFT JOIN instruments_instrument i ON i.id = w.instrument_id
LEFT JOIN accounts_region h ON h.id = i.region_id
WHERE (%(everything)s
    OR w.organisation_id = ANY (%(organisations)s::uuid[])
    OR i.organisation_id = ANY (%(organisations)s::uuid[])
    OR r.lineage && %(regions)s::uuid[]
    OR h.lineage && %(regions)s::uuid[])
"""
_DEMAND = f"""{_WANTED}
SELECT coalesce(t.code, ''), coalesce(t.name, ''), coalesce(t.name_zh, ''),
    r.code, r.name, r.name_zh,
    count(*) FILTER (WHERE w.kind = 'refused'),
    coalesce(sum(w.minutes) FILTER (WHERE w.kind = 'refused'), 0),
    count(*) FILTER (WHERE w.kind = 'waited'),
    coalesce(sum(w.minutes) FILTER (WHERE w.kind = 'waited'), 0),
    count(*) FILTER (WHERE w.kind = 'search'),
    coalesce(sum(w.minutes) FILTER (WHERE w.kind = 'search'), 0),
    count(DISTINCT w.organisation_id)
{_READ}
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY sum(w.minutes) DESC, 1, 4
"""
# Each row once, however many techniques its instrument has.
_ALL = """
{wanted}
SELECT coalesce(sum(f.minutes), 0) FROM (SELECT DISTINCT w.id, w.minutes {read}) f
"""
# The person is shown to those who may read the bookings of that side or of the host.
_ROWS = """
{wanted},
found AS (
    SELECT DISTINCT w.id, w.kind, w.wanted_from, w.wanted_until, i.id AS instrument_id, w.organisation_id,
        w.minutes, w.query, w.user_id,
        w.user_id = %(person)s
            OR w.organisation_id = ANY (%(readable)s::uuid[])
            OR coalesce(i.organisation_id = ANY (%(readable)s::uuid[]), FALSE)
            OR r.lineage && %(readable_regions)s::uuid[]
            OR coalesce(h.lineage && %(readable_regions)s::uuid[], FALSE) AS is_named
    {read}
        AND (%(region)s = '' OR coalesce(t.code, '') = %(technique)s AND r.code = %(region)s)
        AND (%(kind)s = '' OR w.kind = %(kind)s)
)
SELECT NULL, NULL, f.kind, f.wanted_from, f.wanted_until, coalesce(i.name, ''),
    coalesce(i.name_zh, ''), coalesce(p.time_zone, 'UTC'), o.name, o.name_zh, f.minutes, f.user_id,
    NULL, NULL, f.query, f.is_named, count(*) OVER (), sum(f.minutes) OVER (), 0
FROM found f
JOIN accounts_organisation o ON o.id = f.organisation_id
LEFT JOIN instruments_instrument i ON i.id = f.instrument_id
LEFT JOIN instruments_facility p ON p.id = i.facility_id
ORDER BY f.wanted_from, f.kind, f.user_id, f.instrument_id, f.query, f.id
LIMIT %(most)s OFFSET %(skipped)s
"""


def demand(
    actor: Actor,
    *,
    since: date,
    until: date,
    least: int,
    techniques: Collection[str] = (),
    regions: Collection[str] = (),
) -> list[DemandRow]:
    """Return the unmet demand of the days [since, until), the largest first. One statement. `techniques`,
    `regions`: only the rows of these codes, if there are any.

    People whose role reads hours see the demand of their organisations and regions, and the demand for their
    instruments; others see all demand of whole months (else `Invalid`), except rows with fewer than `least`
    organisations.
    """
    is_public = not reads_hours(actor)
    if is_public:
        whole_months(since, until)
    with connection.cursor() as cursor:
        cursor.execute(_DEMAND, _read_by(actor, since, until, everything=is_public))
        rows = cursor.fetchall()
    counted = {(row[0], row[3]): row[12] for row in rows}
    hidden = hidden_cells(counted, least) if is_public else set()
    return [
        DemandRow(
            row[0:3], row[3:6], *((None,) * 6 if (row[0], row[3]) in hidden else (int(n) for n in row[6:12]))
        )
        for row in rows
        if (not techniques or row[0] in techniques) and (not regions or row[3] in regions)
    ]


def demand_minutes(actor: Actor, *, since: date, until: date) -> int:
    """Return the minutes of unmet demand of the days [since, until) that the actor may read, in which each
    request counts once, whatever the techniques of its instrument: the sum of `demand_rows` of all regions.
    One statement. Raises `NotPermitted` for those who read only public figures."""
    if not reads_hours(actor):
        raise NotPermitted
    with connection.cursor() as cursor:
        cursor.execute(
            _ALL.format(wanted=_WANTED, read=_READ), _read_by(actor, since, until, everything=False)
        )
        return int(cursor.fetchone()[0])


def _read_by(actor: Actor, since: date, until: date, *, everything: bool) -> dict[str, Any]:
    return {
        "since": since,
        "until": until,
        "everything": everything or actor.has(ADMINISTRATOR),
        "organisations": list(actor.organisations_where("read-hours")),
        "regions": list(actor.regions_where("read-hours")),
    }


def demand_rows(
    actor: Actor,
    *,
    since: date,
    until: date,
    technique: str,
    region: str,
    kind: str,
    most: int,
    skipped: int = 0,
) -> Behind:
    """Load the rows behind a number of `demand`: one technique (empty: none named) and region (codes), `kind`
    refused, waited or search (empty: all). An empty region stands for all regions and techniques, with each
    row once. Two statements. Raises `NotPermitted` for those who read only public figures."""
    if not reads_hours(actor):
        raise NotPermitted
    parameters = _read_by(actor, since, until, everything=False) | {
        "person": actor.person,
        "readable": list(actor.organisations_where("read-bookings")),
        "readable_regions": list(actor.regions_where("read-bookings")),
        "technique": technique,
        "region": region,
        "kind": kind,
        "most": most,
        "skipped": skipped,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ROWS.format(wanted=_WANTED, read=_READ), parameters)
        return load_behind(actor, cursor.fetchall())

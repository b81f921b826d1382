"""Unmet demand, as it is read: refused for lack of capacity, waited for in vain, searched for
without an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from accounts.domain.roles import ADMINISTRATOR, Actor
from bookings.domain.disclosure import hidden_groups
from bookings.selectors.utilisation_scope import reads_hours, whole_months


@dataclass(frozen=True)
class DemandRow:
    """Hours nobody could have, of one technique (empty: none named) and the region of those who
    wanted them. Of a hidden row all numbers are None."""

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


# What is wanted of an instrument with several techniques counts under each. Days are those of
# the instrument, of a search and a wish those of UTC.
_DEMAND = """
WITH wanted AS (
    SELECT d.kind, d.organisation_id, d.region_id, d.instrument_id,
        coalesce(t.technique_id, d.technique_id) AS technique_id, d.minutes
    FROM bookings_unmetdemand d
    LEFT JOIN instruments_instrument_techniques t ON t.instrument_id = d.instrument_id
    WHERE d.on_date >= %(since)s AND d.on_date < %(until)s AND d.organisation_id IS NOT NULL
    UNION ALL
    SELECT 'waited', w.organisation_id, o.region_id, w.instrument_id, t.technique_id, w.minutes
    FROM bookings_waitingwish w
    JOIN accounts_organisation o ON o.id = w.organisation_id
    LEFT JOIN instruments_instrument_techniques t ON t.instrument_id = w.instrument_id
    WHERE w.state IN ('expired', 'withdrawn')
        AND w.ended_at >= %(since)s::timestamp AT TIME ZONE 'UTC'
        AND w.ended_at < %(until)s::timestamp AT TIME ZONE 'UTC'
)
SELECT coalesce(t.code, ''), coalesce(t.name, ''), coalesce(t.name_zh, ''),
    r.code, r.name, r.name_zh,
    count(*) FILTER (WHERE w.kind = 'refused'),
    coalesce(sum(w.minutes) FILTER (WHERE w.kind = 'refused'), 0),
    count(*) FILTER (WHERE w.kind = 'waited'),
    coalesce(sum(w.minutes) FILTER (WHERE w.kind = 'waited'), 0),
    count(*) FILTER (WHERE w.kind = 'search'),
    coalesce(sum(w.minutes) FILTER (WHERE w.kind = 'search'), 0),
    count(DISTINCT w.organisation_id)
FROM wanted w
JOIN accounts_region r ON r.id = w.region_id
LEFT JOIN instruments_technique t ON t.id = w.technique_id
LEFT JOIN instruments_instrument i ON i.id = w.instrument_id
LEFT JOIN accounts_region h ON h.id = i.region_id
WHERE %(everything)s
    OR w.organisation_id = ANY (%(organisations)s::uuid[])
    OR i.organisation_id = ANY (%(organisations)s::uuid[])
    OR r.lineage && %(regions)s::uuid[]
    OR h.lineage && %(regions)s::uuid[]
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY sum(w.minutes) DESC, 1, 4
"""


def demand(actor: Actor, *, since: date, until: date, least: int) -> list[DemandRow]:
    """Of the days [since, until), the most wanted first. One statement.

    Whose role reads hours sees what their organisations and regions wanted, and what was wanted
    of their instruments; others all of whole months (`Invalid`), but for rows behind which fewer
    than `least` organisations stand.
    """
    is_public = not reads_hours(actor)
    if is_public:
        whole_months(since, until)
    parameters: Mapping[str, Any] = {
        "since": since,
        "until": until,
        "everything": is_public or actor.has(ADMINISTRATOR),
        "organisations": list(actor.organisations_where("read-hours")),
        "regions": list(actor.regions_where("read-hours")),
    }
    with connection.cursor() as cursor:
        cursor.execute(_DEMAND, parameters)
        rows = cursor.fetchall()
    hidden = (
        hidden_groups({(row[0], row[3]): row[12] for row in rows}, least) if is_public else set()
    )
    return [
        DemandRow(
            row[0:3],
            row[3:6],
            *((None,) * 6 if (row[0], row[3]) in hidden else (int(n) for n in row[6:12])),
        )
        for row in rows
    ]

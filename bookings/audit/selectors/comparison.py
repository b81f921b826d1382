"""Compare the books with the trail: what a booking, charge or statement contains, and what the trail says was
done to it. A change made in the database itself leaves no entry, and may delete the row."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from bookings.pricing.models import Charge
from bookings.record.models import Reservation
from bookings.settlement.models import Statement

BATCH = 5_000
FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)

# Each pair of subqueries gives by id the same names with the same spelling of values: later
# entries go over earlier ones. `is_kept`: its row is never deleted. Which entry of a reservation is
# later its version says, as clocks of machines differ; where an entry has none, those before it.
_RESERVATIONS = """
held AS (
    SELECT id, jsonb_build_object('person', user_id, 'state', state, 'payer', organisation_id,
        'instrument', instrument_id, 'unit', unit,
        'start', to_char(start_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'end', to_char(end_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) AS said
    FROM bookings_reservation WHERE {id}
),
told AS (
    SELECT e.object_id AS id, max(e.id::text) AS entry,
        bool_or(e.action IN ('reservation.requested', 'reservation.confirmed')) AS is_kept,
        jsonb_object_agg(split_part(a.key, '_', 1), a.value ORDER BY e.version, e.id) AS said
    FROM (
        SELECT e.*, coalesce((e.after ->> 'version')::int,
            CASE WHEN e.after ? 'instrument' THEN 0 END,
            max((e.after ->> 'version')::int) OVER (PARTITION BY e.object_id ORDER BY e.id), 0
        ) AS version
        FROM accounts_trailentry e WHERE e.object_type = 'reservation' AND {object_id}
    ) e, jsonb_each(e.after || CASE WHEN e.after ? 'instrument'
        THEN jsonb_build_object('person', coalesce(e.after ->> 'for', e.actor_id::text))
        ELSE '{{}}' END) a
    WHERE a.key IN ('person', 'state', 'payer', 'instrument', 'unit', 'start', 'start_at', 'end',
        'end_at')
    GROUP BY e.object_id
)
"""
# Amounts are compared as numbers; one that is none differs. A month is told once it is known.
_CHARGES = r"""
held AS (
    SELECT id, jsonb_strip_nulls(jsonb_build_object('reservation', reservation_id,
        'enrolment', enrolment_id, 'kind', kind, 'currency', currency, 'total', total, 'payable', payable,
        'state', state,
        'month', month)) AS said
    FROM bookings_charge WHERE {id}
),
told AS (
    SELECT e.object_id AS id, max(e.id::text) AS entry, true AS is_kept,
        jsonb_strip_nulls(jsonb_object_agg(a.key, CASE WHEN a.key IN ('total', 'payable')
            AND a.value #>> '{{}}' ~ '^-?[0-9]+(\.[0-9]+)?$'
            THEN to_jsonb((a.value #>> '{{}}')::numeric) ELSE a.value END ORDER BY e.id)) AS said
    FROM accounts_trailentry e, jsonb_each(e.after || CASE WHEN e.action = 'charge.create'
        THEN jsonb_build_object('state', CASE WHEN e.after ->> 'kind' IN ('reversal', 'melting')
            THEN 'final' ELSE 'open' END)
        ELSE '{{}}' END) a
    WHERE e.object_type = 'charge' AND {object_id}
    AND (a.key IN ('state', 'month') OR e.action = 'charge.create'
        AND a.key IN ('reservation', 'enrolment', 'kind', 'currency', 'total', 'payable'))
    GROUP BY e.object_id
)
"""
# The statement determines what it bills; a merger may change the payer.
_STATEMENTS = r"""
held AS (
    SELECT id, jsonb_build_object('month', month, 'currency', currency, 'charges', charges,
        'total', total, 'payable', payable, 'state', state, 'paid', paid) AS said
    FROM bookings_statement WHERE {id}
),
told AS (
    SELECT e.object_id AS id, max(e.id::text) AS entry, true AS is_kept,
        jsonb_object_agg(a.key, CASE WHEN a.key IN ('charges', 'total', 'payable', 'paid')
            AND a.value #>> '{{}}' ~ '^-?[0-9]+(\.[0-9]+)?$'
            THEN to_jsonb((a.value #>> '{{}}')::numeric) ELSE a.value END ORDER BY e.id) AS said
    FROM accounts_trailentry e, jsonb_each(CASE WHEN e.action = 'statement.issue'
        THEN '{{"state": "issued", "paid": 0}}'::jsonb ELSE '{{}}' END || e.after) a
    WHERE e.object_type = 'statement' AND {object_id}
    AND (e.action = 'statement.issue'
        AND a.key IN ('month', 'currency', 'charges', 'total', 'payable', 'state', 'paid')
        OR a.key IN ('state', 'paid') AND e.action IN ('statement.payment', 'statement.void'))
    GROUP BY e.object_id
)
"""
# A fee reduction reversed by a correction had no entry of its own; its reversal has one.
_DIFFERENT = """
WITH {pair}
SELECT coalesce(h.id, t.id), h.said::text, t.said::text, t.entry
FROM held h FULL JOIN told t ON t.id = h.id
WHERE h.said IS DISTINCT FROM t.said AND (h.said IS NOT NULL OR t.is_kept)
AND NOT (h.said @> '{{"kind": "melting", "state": "reversed"}}'
    AND h.said - 'state' = t.said - 'state'
    AND EXISTS (SELECT FROM bookings_charge r WHERE r.reverses_id = h.id AND r.kind = 'reversal'))
IS TRUE
ORDER BY 1
"""
BOOKS: dict[str, tuple[type[Model], str]] = {
    "reservation": (Reservation, _RESERVATIONS),
    "charge": (Charge, _CHARGES),
    "statement": (Statement, _STATEMENTS),
}


@dataclass(frozen=True)
class Difference:
    """A row of the books that differs from the trail. `fields`: the fields that differ; none if the row is
    gone or the trail does not know it. `entry`: the last entry of the trail about it."""

    kind: str
    id: UUID
    fields: tuple[str, ...]
    is_gone: bool
    entry: UUID | None
    digest: str  # over both sides, so that a later difference of the same row is a new one


def differences_of(kind: str, ids: Sequence[UUID]) -> list[Difference]:
    """Return the differences between some rows of the books and the trail. It takes one statement."""
    return _differences(kind, "{} = ANY(%(ids)s)", {"ids": list(ids)})


def differences_between(kind: str, after: UUID, until: UUID) -> list[Difference]:
    """Return the differences among rows whose ids lie in (after, until]: rows that only the books or only the
    trail have, and rows that differ. It takes one statement, which reads both sides in the order of an
    index."""
    return _differences(kind, "{0} > %(after)s AND {0} <= %(until)s", {"after": after, "until": until})


def ranges_after(kind: str, after: UUID, most: int | None) -> Iterator[tuple[UUID, UUID]]:
    """Yield ranges of ids (after, until] with `BATCH` rows each, for `most` rows or to the end (`LAST`)."""
    rows = BOOKS[kind][0]._default_manager.order_by("pk").values_list("pk", flat=True)
    seen = 0
    while after != LAST and (most is None or seen < most):
        until = next(iter(rows.filter(pk__gt=after)[BATCH - 1 : BATCH]), LAST)
        yield after, until
        after, seen = until, seen + BATCH


def _differences(kind: str, condition: str, values: dict[str, Any]) -> list[Difference]:
    pair = BOOKS[kind][1].format(id=condition.format("id"), object_id=condition.format("e.object_id"))
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENT.format(pair=pair), values)
        return [_difference(kind, *row) for row in cursor.fetchall()]


def _difference(kind: str, pk: UUID, held: str | None, recorded: str | None, entry: str | None) -> Difference:
    fields: tuple[str, ...] = ()
    if held and recorded:
        books, trail = json.loads(held), json.loads(recorded)
        names = sorted(books.keys() | trail.keys())
        fields = tuple(name for name in names if books.get(name) != trail.get(name))
        held, recorded = (str([side.get(name) for name in fields]) for side in (books, trail))
    digest = hashlib.sha256(f"{fields} {held} {recorded}".encode()).hexdigest()[:16]
    return Difference(kind, pk, fields, held is None, UUID(entry) if entry else None, digest)

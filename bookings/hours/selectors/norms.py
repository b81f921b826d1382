"""Load the norm hours that are in force."""

import json
from datetime import date

from django.db.models import QuerySet

from bookings.hours.domain.norms import Norms, norm_steps, norms_of
from bookings.hours.models import NormHours

# `norm_minutes` of every instrument, as `norms (instrument_id, minutes)`: a property test holds the
# two equal. Fractions are exact: 133590 is 365 x 366. Parameter `norm_steps`: `steps_json`.
NORM_MINUTES = """
norm_steps AS (
    SELECT * FROM jsonb_to_recordset(%(norm_steps)s::jsonb) AS x (
        kind text, since date, until date, hours int, days int
    )
),
norms AS (
    SELECT instrument_id, div(2 * total + 133590, 267180)::bigint AS minutes
    FROM (
        SELECT a.instrument_id, sum(
            (least(a.until_date, r.until_date, s.until) - greatest(a.from_date, s.since))::bigint
                * a.units * 60 * coalesce(i.norm_hours, s.hours) * (133590 / s.days)
        ) AS total
        FROM instruments_scheduleassignment a
        JOIN instruments_instrument i ON i.id = a.instrument_id
        JOIN bookings_rollup r ON r.instrument_id = a.instrument_id
        JOIN norm_steps s ON s.kind = i.kind
            AND greatest(a.from_date, s.since) < least(a.until_date, r.until_date, s.until)
        WHERE a.schedule_id IS NOT NULL
        GROUP BY a.instrument_id
    ) offered
)
"""


def load_norms(scheme: str) -> Norms:
    """Return the norms of a scheme (one of `hours/domain/norms.FIRST`) by kind. One statement."""
    rows = NormHours.objects.filter(scheme=scheme).order_by("valid_from")
    return norms_of(scheme, rows.values_list("kind", "valid_from", "hours"))


def steps_json(norms: Norms, since: date, until: date) -> str:
    """Return the norm steps of each kind over the days [since, until) as JSON, as `NORM_MINUTES` takes
    them."""
    return json.dumps(
        [
            {"kind": kind, **{name: str(value) for name, value in vars(s).items()}}
            for kind, rows in norms.items()
            for s in norm_steps(rows, since, until)
        ]
    )


def entered_norms() -> QuerySet[NormHours]:
    """Return the norms that were entered, the newest first."""
    return NormHours.objects.order_by("-valid_from", "scheme", "kind")

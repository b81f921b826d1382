"""Productive hours by who pays: price group, the payer's region, or the payer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from accounts.domain.errors import NotPermitted, invalid
from bookings.hours.selectors.scope import HoursScope, whole_months
from bookings.hours.selectors.sums import fetch, load_kept, next_month, require_few_days
from bookings.hours.selectors.sums import whole_months as months_within
from bookings.record.domain.disclosure import hidden_rows

_COLUMNS = {
    "price_group": ("d.price_group", "", "d.price_group, '', ''"),
    "region": (
        "d.payer_region_id",
        "JOIN accounts_region n_region ON n_region.id = k_region",
        "n_region.code, n_region.name, n_region.name_zh",
    ),
    "organisation": (
        "d.organisation_id",
        "JOIN accounts_organisation n_organisation ON n_organisation.id = k_organisation",
        "n_organisation.code, n_organisation.name, n_organisation.name_zh",
    ),
}
PAYERS_BY = tuple(_COLUMNS)
_USES = """
WITH chosen AS MATERIALIZED (SELECT i.id FROM {table} i WHERE i.id IN ({scope})),
uses AS ({parts}),
sums AS (
    SELECT {groups}, sum(minutes) AS minutes, sum(sessions) AS sessions,
        count(DISTINCT d.organisation_id) AS organisations
    FROM uses d
    GROUP BY {groups}
)
SELECT {names} minutes, sessions, organisations FROM sums {tables}
ORDER BY minutes DESC, sessions DESC {order}
"""
_PART = """
    SELECT {keys}, d.organisation_id, sum(d.minutes) AS minutes, sum(d.sessions) AS sessions
    FROM chosen c
    JOIN {join}
    GROUP BY {values}, d.organisation_id
"""
# If `chosen` are instruments; if they are facilities, their months and the days around them.
_OF_INSTRUMENTS = "bookings_instrumentdayuse d ON d.instrument_id = c.id"
_OF_FACILITIES = """instruments_instrument i ON i.facility_id = c.id
    JOIN bookings_instrumentdayuse d ON d.instrument_id = i.id"""
_OF_MONTHS = "bookings_facilityuse d ON d.facility_id = c.id"


@dataclass(frozen=True)
class PayerRow:
    """The productive minutes of one group, and its sessions begun. `keys`: price group, or the code of the
    payer or its region. Both numbers of a hidden row are None."""

    keys: Mapping[str, str]
    names: Mapping[str, tuple[str, str]]
    minutes: int | None
    sessions: int | None
    organisations: int | None


def payers(scope: HoursScope, *, since: date, until: date, by: Sequence[str], least: int) -> list[PayerRow]:
    """Return productive minutes by payer for the local days [since, until), the largest first. Two
    statements. The groups add up to the productive minutes of `hours`. Public figures are by price group and
    region, for whole months, and hide groups of fewer than `least` organisations; anything else raises
    `NotPermitted` or `Invalid`. Raises `Invalid` (too-many-days) for more days to add up than `MOST_DAYS`."""
    if not by or not set(by) <= set(PAYERS_BY):
        raise invalid("by", "unknown-choice", allowed=", ".join(PAYERS_BY))
    if scope.is_public:
        if "organisation" in by:
            raise NotPermitted
        whole_months(since, until)
    columns = {name: _COLUMNS[name] for name in by}
    kept = load_kept(since, until)
    facilities = scope.facilities if kept.is_filled else None
    joined = _OF_INSTRUMENTS if facilities is None else _OF_FACILITIES
    if facilities is None:
        require_few_days(scope.instruments, (until - since).days)
        first = last = until
    else:
        if kept.is_newest and until.day > 1:
            until = next_month(until)  # its sums contain only the days before
        first, last = months_within(since, until, ())
    joins = [
        f"{source} WHERE d.{column} >= '{began}' AND d.{column} < '{ended}'"
        for source, column, began, ended in (
            (joined, "date", since, first),
            (_OF_MONTHS, "month", first, last),
            (joined, "date", last, until),
        )
        if began < ended
    ]
    keys = ", ".join(f"{value} AS k_{name}" for name, (value, _, _) in columns.items())
    values = ", ".join(value for value, _, _ in columns.values())
    statement = _USES.format(
        scope="{scope}",
        table="instruments_instrument" if facilities is None else "instruments_facility",
        parts=" UNION ALL ".join(_PART.format(keys=keys, values=values, join=j) for j in joins),
        groups=", ".join(f"k_{name}" for name in columns),
        names="".join(
            f"{names.replace('d.price_group', 'k_price_group')}, " for _, _, names in columns.values()
        ),
        tables=" ".join(table for _, table, _ in columns.values()),
        order="".join(f", {3 * index + 1}" for index in range(len(columns))),
    )
    chosen = scope.instruments if facilities is None else facilities
    rows = [_row(by, row) for row in fetch(statement, chosen)]
    if not scope.is_public:
        return rows
    counted = {tuple(row.keys.values()): row.organisations or 0 for row in rows}
    hidden = hidden_rows(counted, least)
    return [_hidden(row) if tuple(row.keys.values()) in hidden else row for row in rows]


def _row(by: Sequence[str], row: Sequence[Any]) -> PayerRow:
    labels = {name: row[3 * index : 3 * index + 3] for index, name in enumerate(by)}
    minutes, sessions, organisations = row[3 * len(by) :]
    return PayerRow(
        {name: label[0] for name, label in labels.items()},
        {name: (label[1], label[2]) for name, label in labels.items()},
        int(minutes),
        int(sessions),
        organisations,
    )


def _hidden(row: PayerRow) -> PayerRow:
    return PayerRow(row.keys, row.names, None, None, None)

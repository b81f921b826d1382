"""Productive hours by who pays: price group, the payer's region, the payer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from accounts.domain.errors import NotPermitted, invalid
from bookings.hours.selectors.scope import HoursScope, whole_months
from bookings.hours.selectors.sums import fetch

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
WITH chosen AS MATERIALIZED (SELECT i.id FROM instruments_instrument i WHERE i.id IN ({scope})),
sums AS (
    SELECT {keys} sum(d.minutes) AS minutes, sum(d.sessions) AS sessions,
        count(DISTINCT d.organisation_id) AS organisations
    FROM chosen c
    JOIN bookings_instrumentdayuse d ON d.instrument_id = c.id
    WHERE d.date >= %s AND d.date < %s
    GROUP BY {groups}
)
SELECT {names} minutes, sessions, organisations FROM sums {tables}
ORDER BY minutes DESC, sessions DESC {order}
"""


@dataclass(frozen=True)
class PayerRow:
    """Productive minutes and sessions begun of one group. `keys`: price group, or the code of
    the payer or its region. Of a hidden one both are None."""

    keys: Mapping[str, str]
    names: Mapping[str, tuple[str, str]]
    minutes: int | None
    sessions: int | None
    organisations: int | None


def payers(
    scope: HoursScope, *, since: date, until: date, by: Sequence[str], least: int
) -> list[PayerRow]:
    """Of the local days [since, until), the largest first. One statement. The groups add up to
    the productive minutes of `hours`. Public figures are by price group and region, of whole
    months, and hide groups of fewer than `least` organisations: `NotPermitted`, `Invalid`."""
    if not by or not set(by) <= set(PAYERS_BY):
        raise invalid("by", "unknown-choice", allowed=", ".join(PAYERS_BY))
    if scope.is_public:
        if "organisation" in by:
            raise NotPermitted
        whole_months(since, until)
    columns = {name: _COLUMNS[name] for name in by}
    statement = _USES.format(
        scope="{scope}",
        keys="".join(f"{value} AS k_{name}, " for name, (value, _, _) in columns.items()),
        groups=", ".join(value for value, _, _ in columns.values()),
        names="".join(
            f"{names.replace('d.price_group', 'k_price_group')}, "
            for _, _, names in columns.values()
        ),
        tables=" ".join(table for _, table, _ in columns.values()),
        order="".join(f", {3 * index + 1}" for index in range(len(columns))),
    )
    rows = [_row(by, row) for row in fetch(statement, scope.instruments, (since, until))]
    if not scope.is_public:
        return rows
    return [_shown(row, least) for row in rows]


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


def _shown(row: PayerRow, least: int) -> PayerRow:
    if (row.organisations or 0) >= least:
        return row
    return PayerRow(row.keys, row.names, None, None, None)

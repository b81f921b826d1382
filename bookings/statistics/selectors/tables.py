"""Hours as tables for files, with the columns of the API."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from accounts.domain.errors import Invalid, NotPermitted, invalid
from accounts.domain.roles import Actor
from bookings.hours.domain.hours import definitions_on
from bookings.hours.domain.idle import COLUMNS
from bookings.hours.selectors.hours import FIGURES, hours
from bookings.hours.selectors.reading import MOST_ROWS, MOST_WRITTEN, Figures, Page, figures_for, pages_for
from bookings.hours.selectors.scope import HoursScope, scope_for
from bookings.hours.selectors.sums import fetch, require_few_days
from bookings.statistics.selectors.demand import demand
from bookings.statistics.selectors.flows import flows
from bookings.statistics.selectors.idle import MOST_INSTRUMENTS, idle_rows
from bookings.statistics.selectors.payers import payers
from instruments.register.models import Instrument

type Row = Sequence[str | int | Decimal | date | None]

TABLES = ("hours", "payers", "flows", "demand", "days", "idle")
RATIOS = (
    "availability", "operational_utilisation", "total_utilisation", "norm_utilisation",
    "external_share", "cross_region_share", "mtbf_hours", "mttr_hours",
)  # fmt: skip
# The figures by which days can be filtered, and the column that must be above 0.
STATES = {
    "productive": "productive_minutes",
    "unscheduled_down": "unscheduled_down_minutes",
    "scheduled_down": "scheduled_down_minutes",
    "engineering": "engineering_minutes",
    "no_show": "no_show_minutes",
    "breakdowns": "breakdowns",
    "sessions": "sessions",  # from the use: the days themselves have no such column
}
DAY_COLUMNS = (
    "total_minutes", "productive_minutes", "unscheduled_down_minutes", "scheduled_down_minutes",
    "engineering_minutes", "standby_minutes", "no_show_minutes", "non_scheduled_minutes",
    "breakdowns",
)  # fmt: skip
PAYERS = {
    "price_group": "u.price_group = %s",
    "payer_region": "u.payer_region_id IN (SELECT id FROM accounts_region WHERE code = %s)",
    "payer": "u.organisation_id IN (SELECT id FROM accounts_organisation WHERE %s IN (code, id::text))",
}
PIECE = 2000


@dataclass(frozen=True)
class TableQuery:
    """The query of a table. `narrowed` and `by` are as for `figures_for`."""

    since: date
    until: date
    narrowed: Mapping[str, str]
    by: tuple[str, ...] = ()
    scheme: str = "nrii"
    measure: str = "hours"
    currency: str = ""
    state: str = ""
    # For productive days, only those of some payers: a name of `PAYERS`, and a price group or a code.
    payers: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            **vars(self),
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "narrowed": dict(self.narrowed),
            "payers": dict(self.payers),
            "by": list(self.by),
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> "TableQuery":
        days = {name: date.fromisoformat(data[name]) for name in ("since", "until")}
        return cls(**{**data, **days, "by": tuple(data["by"])})

    @property
    def notes(self) -> list[tuple[str, str]]:
        """Return the query's fields as files state them."""
        values = [
            ("from", self.since.isoformat()),
            ("until", self.until.isoformat()),
            ("by", ", ".join(self.by)),
            *self.narrowed.items(),
            *self.payers.items(),
            ("scheme", self.scheme),
            ("state", self.state),
            ("definitions", definitions_on(self.until).name),
        ]
        return [(name, value) for name, value in values if value]


@dataclass(frozen=True)
class Table:
    """A table: its column names, and an iterator of its rows."""

    heads: Sequence[str]
    rows: Iterator[Row]


def table_of(actor: Actor, name: str, query: TableQuery, most: int = MOST_WRITTEN) -> Table:
    """Return one of `TABLES` as the person may read it on the page of the same name. `most`: the most rows by
    instrument, which are read in pieces."""
    makers: Mapping[str, Callable[[Actor, TableQuery], Table]] = {
        "hours": partial(_hours, most=most),
        "payers": _payers,
        "flows": _flows,
        "demand": _demand,
        "days": _days,
        "idle": partial(_idle, most=min(most, MOST_INSTRUMENTS) if most < MOST_WRITTEN else most),
    }
    if name not in makers:
        raise invalid("table", "unknown-choice", allowed=", ".join(TABLES))
    return makers[name](actor, query)


def figures_of(
    actor: Actor,
    query: TableQuery,
    by: Sequence[str] | None = None,
    most: int = MOST_ROWS,
    page: Page | None = None,
    **options: Any,
) -> Figures:
    """Return the hours of a query, grouped by its own groups unless others are given."""
    return figures_for(
        actor,
        narrowed=query.narrowed,
        since=query.since,
        until=query.until,
        by=query.by if by is None else by,
        scheme=query.scheme,
        most=most,
        page=page,
        **options,
    )


def _hours(actor: Actor, query: TableQuery, *, most: int) -> Table:
    if query.by[:1] == ("instrument",):
        read = pages_for(
            actor,
            narrowed=query.narrowed,
            since=query.since,
            until=query.until,
            by=query.by,
            scheme=query.scheme,
            most=most,
        )
    else:
        read = iter(figures_of(actor, query).rows)
    named = [name for name in query.by if name in ("region", "organisation", "facility",
             "instrument", "technique")]  # fmt: skip
    heads = [
        *query.by, *(f"{name}_{part}" for name in named for part in ("name", "name_zh")),
        *FIGURES, "norm_minutes", *RATIOS, "is_hidden",
    ]  # fmt: skip

    def rows() -> Iterator[Row]:
        for row in read:
            names = [part for name in named for part in row.names[name]]
            keys = [row.keys[name] for name in query.by]
            given = row.ratios
            ratios = [None if r is None else Decimal(r) for r in map(given.get, RATIOS)]
            yield [*keys, *names, *row.figures.values(), row.norm, *ratios, int(row.is_hidden)]

    return Table(heads, rows())


def _payers(actor: Actor, query: TableQuery) -> Table:
    scope = scope_for(actor, query.narrowed)
    rows = payers(
        scope, since=query.since, until=query.until, by=query.by, least=settings.PUBLIC_LEAST_ORGANISATIONS
    )
    heads = [
        *query.by, *(f"{name}_name" for name in query.by), "productive_minutes", "sessions",
        "organisations", "is_hidden",
    ]  # fmt: skip
    return Table(
        heads,
        (
            [
                *(row.keys[name] for name in query.by),
                *(row.names[name][0] for name in query.by),
                row.minutes,
                row.sessions,
                row.organisations,
                int(row.minutes is None),
            ]
            for row in rows
        ),
    )


def _flows(actor: Actor, query: TableQuery) -> Table:
    matrix = flows(
        actor, since=query.since, until=query.until, measure=query.measure, currency=query.currency
    )
    value = {"hours": "minutes", "money": f"amount_{matrix.currency}"}.get(query.measure, query.measure)
    heads = ["payer_region", "payer_region_name", "host_region", "host_region_name", value,
             "organisations", "is_hidden"]  # fmt: skip
    return Table(
        heads,
        (
            [
                c.payer.code,
                c.payer.name,
                c.host.code,
                c.host.name,
                c.value,
                c.organisations,
                int(c.value is None),
            ]
            for c in matrix.cells
        ),
    )


def _demand(actor: Actor, query: TableQuery) -> Table:
    rows = demand(actor, since=query.since, until=query.until, least=settings.PUBLIC_LEAST_ORGANISATIONS)
    heads = ["technique", "technique_name", "region", "region_name", "refused", "refused_minutes",
             "waited", "waited_minutes", "searches", "searched_minutes", "is_hidden"]  # fmt: skip
    return Table(
        heads,
        (
            [
                *row.technique[:2],
                *row.region[:2],
                *(getattr(row, name) for name in heads[4:-1]),
                int(row.minutes is None),
            ]
            for row in rows
        ),
    )


def _idle(actor: Actor, query: TableQuery, *, most: int) -> Table:
    rows = idle_rows(actor, narrowed=query.narrowed, since=query.since, until=query.until, most=most)
    heads = [
        "instrument", "instrument_name", "instrument_name_zh", "standby_minutes",
        *COLUMNS.values(), "refused_by",
    ]  # fmt: skip

    def cells() -> Iterator[Row]:
        for row in rows:
            codes = "; ".join(f"{code} {minutes}" for code, minutes in row.codes.items())
            one = row.instrument
            yield [str(one.pk), one.name, one.name_zh, row.standby, *row.reasons.values(), codes]

    return Table(heads, cells())


# Instrument-days: the rows of which figures are sums


@dataclass(frozen=True)
class DaySums:
    """The number of instrument-days (None: too many to count while somebody waits), and their sum of the
    state (None: not stored, either)."""

    days: int | None
    amount: int | None


_DAYS = """
FROM instruments_instrument i
JOIN bookings_instrumentday d ON d.instrument_id = i.id
{uses}
WHERE i.id IN ({scope}) AND d.date >= %s AND d.date < %s AND {column} > 0
"""
_USES = """
CROSS JOIN LATERAL (
    SELECT sum(u.minutes) AS minutes, sum(u.sessions) AS sessions FROM bookings_instrumentdayuse u
    WHERE u.instrument_id = d.instrument_id AND u.date = d.date AND {payers}
) u
"""


def _days(actor: Actor, query: TableQuery) -> Table:
    scope = scope_for(actor, query.narrowed)
    if scope.is_public:
        raise NotPermitted
    heads = ["date", "instrument", "instrument_name", *DAY_COLUMNS, "counted"]

    def rows() -> Iterator[Row]:
        after: tuple[date, str] | None = None
        while piece := day_list(scope.instruments, query, after=after, most=PIECE):
            for row in piece:
                yield [row[0], str(row[1]), *row[2:3], *row[4:]]
            after = (piece[-1][0], str(piece[-1][1]))

    return Table(heads, rows())


def day_sums_of(instruments: QuerySet[Instrument], query: TableQuery) -> DaySums:
    """Count the instrument-days that have some of `query.state` and sum that up; with payers, only their
    part. The sum is in minutes, except for breakdowns and sessions. One statement."""
    head = f"SELECT count(*), coalesce(sum({_column(query)}), 0)"
    rows = _run(instruments, query, head, "", [])
    return DaySums(int(rows[0][0]), int(rows[0][1])) if rows else DaySums(0, 0)


def day_sums_kept(scope: HoursScope, query: TableQuery) -> DaySums:
    """Sum up instrument-days like `day_sums_of` if there are not too many, else take the amount from the
    roll-up. Four statements at most."""
    try:
        require_few_days(scope.instruments, (query.until - query.since).days)
    except Invalid:
        if query.payers or scope.facilities is None:
            return DaySums(None, None)
        rows = hours(
            instruments=scope.instruments,
            facilities=scope.facilities,
            since=query.since,
            until=query.until,
            by=[],
        )
        amounts = rows[0].figures if rows else {}
        return DaySums(None, amounts.get(STATES[query.state or "productive"], 0))
    return day_sums_of(scope.instruments, query)


def day_list(
    instruments: QuerySet[Instrument], query: TableQuery, *, after: tuple[date, str] | None, most: int
) -> list[Any]:
    """Return instrument-days by date: date, id and names of the instrument, then `DAY_COLUMNS` and the part
    of the day that counts in `day_sums_of`; at most `most` after `after` (date, id). One statement, and two
    more if the first day and week do not have as many."""
    columns = ", ".join(f"d.{column}" for column in DAY_COLUMNS)
    behind = "AND (d.date, d.instrument_id) > (%s, %s::uuid)" if after else ""
    rows: list[Any] = []
    began = max(query.since, after[0]) if after else query.since
    for days in (1, 7, None):
        ended = min(query.until, began + timedelta(days=days)) if days else query.until
        rows += _run(
            instruments,
            replace(query, since=began, until=ended),
            f"SELECT d.date, i.id, i.name, i.name_zh, {columns}, {_column(query)}",
            f"{behind} ORDER BY d.date, d.instrument_id LIMIT {most - len(rows):d}",
            list(after or ()),
        )
        began = ended
        if len(rows) >= most or began >= query.until:
            break
    return rows


def _column(query: TableQuery) -> str:
    if query.state == "sessions":
        return "u.sessions"
    return "u.minutes" if query.payers else f"d.{STATES[query.state or 'productive']}"


def _run(
    instruments: QuerySet[Instrument], query: TableQuery, head: str, tail: str, more: list[Any]
) -> list[Any]:
    payers = " AND ".join(PAYERS[name] for name in query.payers)
    uses = _USES.format(payers=payers or "TRUE") if _column(query).startswith("u.") else ""
    days = _DAYS.format(scope="{scope}", column=_column(query), uses=uses)
    after = [query.since, query.until, *more]
    return fetch(head + days + tail, instruments, after, before=[*query.payers.values()])

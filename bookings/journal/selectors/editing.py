"""A chart of accounts with all that its page shows and its rules can name."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from accounts.models import Organisation
from bookings.funding.models import FundingSource
from bookings.journal.domain.charts import RULE_ROLES, Chart, unassigned
from bookings.journal.models import AccountRule, ChartAccount
from bookings.journal.selectors.charts import limit_of, load_chart
from instruments.register.models import Facility, Instrument

MOST_THINGS = 500  # of which a form offers a choice


@dataclass(frozen=True)
class Editing:
    """The accounts of an organisation, its rules in force by role (general first), those of other days, the
    roles without an account today, and what rules can be limited to."""

    organisation: Organisation
    accounts: list[ChartAccount]
    in_force: list[tuple[str, list[AccountRule]]]
    others: list[AccountRule]
    unassigned: list[str]
    facilities: list[Facility]
    instruments: list[Instrument]
    sources: list[FundingSource]
    chart: Chart


def load_editing(organisation: Organisation, day: date) -> Editing:
    """Return the chart of an organisation on a day. Six statements."""
    rows = AccountRule.objects.filter(organisation=organisation).select_related(
        "account", "instrument", "facility", "source", "set_by"
    )
    ordered = list(rows.order_by("valid_from", "set_at", "id"))
    newest: dict[tuple[Any, ...], AccountRule] = {}
    for row in ordered:
        if row.valid_from <= day:
            newest[row.role, *limit_of(row)] = row
    shown = {row.pk for row in newest.values()}
    by_role: dict[str, list[AccountRule]] = {role: [] for role in RULE_ROLES}
    for (role, *_), row in sorted(newest.items(), key=lambda pair: pair[0][1] != ""):
        by_role[role].append(row)
    chart = load_chart(organisation.pk)
    return Editing(
        organisation=organisation,
        accounts=list(
            ChartAccount.objects.filter(organisation=organisation)
            .select_related("organisation__region")
            .order_by("number")
        ),
        in_force=[(role, found) for role, found in by_role.items() if found],
        others=[row for row in reversed(ordered) if row.pk not in shown],
        unassigned=unassigned(chart, day),
        facilities=_first(Facility.objects.filter(organisation=organisation).order_by("name")),
        instruments=_first(Instrument.objects.filter(organisation=organisation).order_by("name")),
        sources=_first(FundingSource.objects.filter(organisation=organisation).order_by("code")),
        chart=chart,
    )


def _first[Row: Any](rows: QuerySet[Row]) -> list[Row]:
    return list(rows[:MOST_THINGS])

"""Charts of accounts: who sees them, and an organisation's rules as values."""

from datetime import date
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.rows import visible
from bookings.journal.domain.charts import LIMITS, Account, Chart, Rule
from bookings.journal.models import AccountRule, ChartAccount, JournalMonth
from bookings.record.domain.months import month_after


def keeping(actor: Actor) -> QuerySet[Organisation]:
    """Return the organisations whose journals the actor may read, by name: as their finance, or as an auditor
    of their region."""
    seen = Q(pk__in=actor.organisations_where("account"))
    if regions := list(actor.regions_where("audit")):
        seen |= Q(region__lineage__overlap=regions)
    return Organisation.objects.filter(seen).select_related("region").order_by("name", "code")


def organisation_kept(actor: Actor, code: str = "") -> Organisation | None:
    """Return the organisation with a code whose journal the actor may read, or raise `NotFound`; without a
    code the first whose finance they are, else the first of all, or None if there is none."""
    if code:
        return visible(keeping(actor), code=code.replace("\0", ""))
    mine = keeping(actor).filter(pk__in=actor.organisations_where("account"))
    return mine.first() or keeping(actor).first()


def accounts_for(actor: Actor) -> QuerySet[ChartAccount]:
    """Return the accounts of the charts that the actor may read, by organisation and number."""
    rows = ChartAccount.objects.filter(organisation__in=keeping(actor).order_by().values("pk"))
    return rows.select_related("organisation__region").order_by("organisation__code", "number")


def rules_for(actor: Actor) -> QuerySet[AccountRule]:
    """Return the rules of the charts that the actor may read, the newest first."""
    rows = AccountRule.objects.filter(organisation__in=keeping(actor).order_by().values("pk"))
    return rows.select_related(
        "organisation__region", "account", "instrument", "facility", "source", "set_by"
    ).order_by("-set_at", "-id")


def load_chart(organisation_id: UUID) -> Chart:
    """Return the rules of an organisation as values. One statement."""
    rows = AccountRule.objects.filter(organisation_id=organisation_id).select_related("account")
    return Chart([_rule(row) for row in rows.order_by("set_at", "id")])


def _rule(row: AccountRule) -> Rule:
    found = row.account
    account = Account(found.number, found.name, found.name_zh) if found else None
    limit, value = limit_of(row)
    return Rule(row.role, row.valid_from, account, limit, value, row.cost_centre, row.tax_code)


def limit_of(row: AccountRule) -> tuple[str, object]:
    """Return the kind of thing that a rule is limited to, and which; empty and None if to nothing."""
    for limit in LIMITS.get(row.role, ()):
        name = limit if limit in ("currency", "tax_percent") else f"{limit}_id"
        value = getattr(row, name)
        if value not in (None, ""):
            return limit, value
    return "", None


def months_closed(organisation_id: UUID, side: str) -> dict[date, JournalMonth]:
    """Return the closed months of one of an organisation's journals, in their order. One statement."""
    rows = JournalMonth.objects.filter(organisation_id=organisation_id, side=side).order_by("month")
    return {row.month: row for row in rows.select_related("closed_by")}


def first_open_day(organisation_id: UUID, *sides: str) -> date | None:
    """Return the first day that is in no closed month of these journals; None if no month is closed."""
    rows = JournalMonth.objects.filter(organisation_id=organisation_id, side__in=sides)
    last = rows.order_by("-month").values_list("month", flat=True).first()
    return month_after(last) if last else None

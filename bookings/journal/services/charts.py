"""Charts of accounts, as an organisation's finance keeps them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import Invalid, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from accounts.trail import Change
from bookings.charging.locks import lock_host_books
from bookings.funding.models import FundingSource
from bookings.journal.domain.charts import COST_CENTRE, rule_problems
from bookings.journal.domain.journal import SIDE_OF, SIDES
from bookings.journal.domain.presets import PRESETS
from bookings.journal.models import AccountRule, ChartAccount
from bookings.journal.selectors.charts import accounts_for, first_open_day, keeping
from bookings.record.domain.months import month_before
from bookings.record.locks import locked
from instruments.register.models import Facility, Instrument

ALWAYS = date(2000, 1, 1)  # from which the rules of a preset hold


@dataclass(frozen=True)
class AccountTerms:
    """The number of an account, and what it is called."""

    number: str
    name: str
    name_zh: str = ""


@dataclass(frozen=True)
class RuleTerms:
    """A rule from a day on: the number of the account (empty: none from then on), and at most one thing
    that it is limited to."""

    role: str
    valid_from: date
    account: str = ""
    instrument: UUID | None = None
    facility: UUID | None = None
    source: str = ""
    currency: str = ""
    tax_percent: Decimal | None = None
    cost_centre: str = ""
    tax_code: str = ""


def books_locked(by: By, code: str) -> Organisation:
    """Lock the books of an organisation whose finance the actor is, and return it; raise `NotFound` if they
    do not see its books."""
    seen = visible(keeping(by.actor), code=code.replace("\0", ""))
    require(by.actor, "account", place_of(seen))
    return lock_host_books(seen.pk)


@transaction.atomic
def chart_begin(by: By, *, organisation: str, preset: str) -> Organisation:
    """Give an organisation without accounts those of a preset, and the rules that go with them, which
    hold for all days so far. Raises `WrongState` (`chart-not-empty`) if it has accounts."""
    if preset not in PRESETS:
        raise invalid("preset", "unknown-value")
    row = books_locked(by, organisation)
    if ChartAccount.objects.filter(organisation=row).exists():
        raise WrongState("chart-not-empty")
    accounts, rules = [], []
    for account, roles in PRESETS[preset].accounts:
        names = {"number": account.number, "name": account.name, "name_zh": account.name_zh}
        made = ChartAccount(organisation=row, **names)
        accounts.append(made)
        rules += [
            AccountRule(
                organisation=row,
                role=role,
                account=made,
                valid_from=ALWAYS,
                set_by_id=by.actor.user_id,
                set_at=by.now,
            )
            for role in roles
        ]
    ChartAccount.objects.bulk_create(accounts)
    AccountRule.objects.bulk_create(rules)
    after = {"preset": preset, "accounts": len(accounts)}
    trail.record(by, "chart.begin", row, after=after, places=row.places())
    return row


@transaction.atomic
def account_add(by: By, *, organisation: str, terms: AccountTerms) -> ChartAccount:
    """Add an account to a chart. Raises `Invalid` (`account-number-taken`) if its number is there already."""
    row = books_locked(by, organisation)
    values = _named(terms)
    _require_free(row, values["number"])
    made = ChartAccount.objects.create(organisation=row, **values)
    trail.record(by, "chart.account-add", made, after=values)
    return made


@transaction.atomic
def account_change(by: By, *, account_id: UUID, terms: AccountTerms) -> ChartAccount:
    """Give an account another number or name; closed months keep what they say."""
    account = _account(by, account_id)
    values = _named(terms)
    before = {name: getattr(account, name) for name in values}
    if before == values:
        return account
    _require_free(account.organisation, values["number"], besides=account)
    for name, value in values.items():
        setattr(account, name, value)
    account.version += 1
    account.save(update_fields=[*values, "version"])
    trail.record(by, "chart.account-change", account, before=before, after=values)
    return account


@transaction.atomic
def account_retire(by: By, *, account_id: UUID) -> ChartAccount:
    """Keep new rules from naming an account; those that name it stay. Raises `WrongState` if it is so."""
    account = _account(by, account_id)
    if account.retired_at is not None:
        raise WrongState("account-retired")
    account.retired_at = by.now
    account.version += 1
    account.save(update_fields=["retired_at", "version"])
    trail.record(by, "chart.account-retire", account, after={"retired_at": by.now})
    return account


def _account(by: By, account_id: UUID) -> ChartAccount:
    account = visible(locked(accounts_for(by.actor)), pk=account_id)
    require(by.actor, "account", place_of(account.organisation))
    by.require_version(account.version)
    return account


def _named(terms: AccountTerms) -> dict[str, str]:
    values = {name: getattr(terms, name).strip() for name in ("number", "name", "name_zh")}
    for name in ("number", "name"):
        if not values[name]:
            raise invalid(name, "required")
    return values


def _require_free(row: Organisation, number: str, besides: ChartAccount | None = None) -> None:
    taken = ChartAccount.objects.filter(organisation=row, number=number).first()
    if taken is not None and (besides is None or taken.pk != besides.pk):
        raise invalid("number", "account-number-taken")


@transaction.atomic
def rule_set(by: By, *, organisation: str, terms: RuleTerms) -> AccountRule:
    """Say which account lines of a role go to from a day on. Rules are never edited: a later one for the same
    takes the place of the one before from its own day.

    Raises `Invalid` for an account or thing that does not exist or does not go with the role, and
    (`journal-closed`) for a day in a month whose journal is closed.
    """
    row = books_locked(by, organisation)
    limits = {
        name: value
        for name in ("instrument", "facility", "source", "currency", "tax_percent")
        if (value := getattr(terms, name)) not in (None, "")
    }
    centre = terms.cost_centre.strip()
    if problems := rule_problems(terms.role, limits, cost_centre=centre, has_account=bool(terms.account)):
        raise Invalid(problems)
    sides = [SIDE_OF[terms.role]] if terms.role in SIDE_OF else SIDES
    begin = first_open_day(row.pk, *sides)
    if begin is not None and terms.valid_from < begin:
        raise invalid("valid_from", "journal-closed", month=f"{month_before(begin):%Y-%m}")
    account = _named_account(row, terms.account) if terms.account else None
    if terms.role == COST_CENTRE and not centre and not limits:
        raise invalid("cost_centre", "nothing-assigned")
    made = AccountRule.objects.create(
        organisation=row,
        role=terms.role,
        account=account,
        cost_centre=centre,
        tax_code=terms.tax_code.strip(),
        valid_from=terms.valid_from,
        set_by_id=by.actor.person,
        set_at=by.now,
        **_limits(row, limits),
    )
    after: dict[str, Any] = {"role": made.role, "valid_from": made.valid_from, "tax_code": made.tax_code}
    after |= {"account": account.number if account else None, "cost_centre": centre}
    after |= {name: str(value) for name, value in limits.items()}
    trail.record_all([Change(by, "chart.rule", made, after=after, places=row.places())])
    return made


def _named_account(row: Organisation, number: str) -> ChartAccount:
    account = ChartAccount.objects.filter(organisation=row, number=number.replace("\0", "")).first()
    if account is None:
        raise invalid("account", "account-unknown")
    if account.retired_at is not None:
        raise invalid("account", "account-retired")
    return account


def _limits(row: Organisation, limits: dict[str, Any]) -> dict[str, Any]:
    """Return the thing that a rule is limited to, which belongs to the organisation; raise `Invalid` if there
    is none."""
    found: dict[str, Any] = {}
    for name, value in limits.items():
        match name:
            case "instrument":
                found[name] = Instrument.objects.filter(organisation=row, pk=value).first()
            case "facility":
                found[name] = Facility.objects.filter(organisation=row, pk=value).first()
            case "source":
                code = value.replace("\0", "")
                found[name] = FundingSource.objects.filter(organisation=row, code=code).first()
            case "currency":
                found[name] = value.upper() if value.upper() in MINOR_DIGITS else None
            case _:
                found[name] = value if 0 <= value <= 100 else None
        if found[name] is None:
            code = {"currency": "unknown-currency", "source": "unknown-source"}.get(name, "unknown-value")
            raise invalid(name, code)
    return found

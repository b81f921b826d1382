"""A chart of accounts as values: which account, cost centre and tax code a line gets on a day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from accounts.domain.errors import FieldProblem
from bookings.journal.domain import journal
from bookings.journal.domain.journal import SIDE_OF, Line

COST_CENTRE = "cost_centre"
RULE_ROLES = (*journal.ROLES, COST_CENTRE)
# What a rule may be limited to, the narrowest first, by role; of two that fit the first counts.
_OF_PLACE = ("instrument", "facility")
LIMITS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((*journal.REVENUES.values(), journal.INTERNAL_INCOME), _OF_PLACE),
    **dict.fromkeys((journal.COST, journal.INTERNAL_COST), ("source",)),
    **dict.fromkeys((journal.BANK, journal.PAID_FROM), ("currency",)),
    **dict.fromkeys((journal.OUTPUT_TAX, journal.INPUT_TAX), ("tax_percent",)),
    COST_CENTRE: ("source", *_OF_PLACE),
}
# The tax that a line is about, by its role: that of what a host sells, and of what a payer buys.
_TAXED = {
    **dict.fromkeys((*journal.REVENUES.values(), journal.OUTPUT_TAX), journal.OUTPUT_TAX),
    **dict.fromkeys((journal.COST, journal.INPUT_TAX), journal.INPUT_TAX),
}
# Lines of what is earned or spent have a cost centre; those of the balance sheet have none.
_WITH_CENTRE = frozenset(
    {*journal.REVENUES.values(), journal.INTERNAL_INCOME, journal.INTERNAL_COST, journal.COST}
)
# Roles that need no account: a payer without one books the tax with what it spends.
MAY_BE_MISSING = frozenset(
    {journal.INPUT_TAX, journal.ADVANCES, journal.INTERNAL_COST, journal.INTERNAL_INCOME}
)


@dataclass(frozen=True)
class Account:
    """An account of a chart."""

    number: str
    name: str
    name_zh: str = ""


@dataclass(frozen=True)
class Rule:
    """A rule that lines of a `role` go to an account from a day on (None: to none from then on), for
    everything or for one thing: `limit` names its kind and `value` which. Of two of one day the later in
    the list counts."""

    role: str
    valid_from: date
    account: Account | None = None
    limit: str = ""
    value: object = None
    cost_centre: str = ""
    tax_code: str = ""


@dataclass(frozen=True)
class About:
    """The things that a line is about, by which rules may be limited."""

    currency: str = ""
    instrument: UUID | None = None
    facility: UUID | None = None
    source: UUID | None = None
    tax_percent: Decimal | None = None


@dataclass(frozen=True)
class Placed:
    """A line with its account (None: no rule gives one), cost centre and tax code."""

    line: Line
    account: Account | None
    cost_centre: str
    tax_code: str


@dataclass(frozen=True)
class Chart:
    """The rules of an organisation, in the order in which they were made."""

    rules: Sequence[Rule] = field(default=())

    @cached_property
    def _by_key(self) -> dict[tuple[str, str, object], list[Rule]]:
        found: dict[tuple[str, str, object], list[Rule]] = {}
        for rule in sorted(self.rules, key=lambda rule: rule.valid_from):
            found.setdefault((rule.role, rule.limit, rule.value), []).append(rule)
        return found

    def _in_force(self, role: str, limit: str, value: object, day: date) -> Rule | None:
        rules = self._by_key.get((role, limit, value), ())
        return next((rule for rule in reversed(rules) if rule.valid_from <= day), None)

    def rule_for(self, role: str, about: About, day: date) -> Rule | None:
        """Return the rule in force for a role: the narrowest that says something, else the general one."""
        for limit in LIMITS.get(role, ()):
            value = getattr(about, limit)
            if value is None or value == "":
                continue
            rule = self._in_force(role, limit, value, day)
            if rule is not None and (rule.account is not None or rule.cost_centre):
                return rule
        return self._in_force(role, "", None, day)

    def account_for(self, role: str, about: About, day: date) -> Account | None:
        """Return the account of a role on a day; None if no rule gives one."""
        rule = self.rule_for(role, about, day)
        return rule.account if rule else None

    def deducts_tax(self, about: About, day: date) -> bool:
        """Say whether a payer books input tax apart: it has an account for it."""
        return self.account_for(journal.INPUT_TAX, about, day) is not None

    def placed(self, line: Line, about: About, day: date) -> Placed:
        """Return a line with its account, cost centre and tax code."""
        centre = ""
        if line.role in _WITH_CENTRE and (rule := self.rule_for(COST_CENTRE, about, day)):
            centre = rule.cost_centre
        code = ""
        if line.tax_percent is not None and (taxed := _TAXED.get(line.role)):
            rule = self.rule_for(taxed, about, day)
            code = rule.tax_code if rule else ""
        return Placed(line, self.account_for(line.role, about, day), centre, code)


def rule_problems(
    role: str, limits: Iterable[str], *, cost_centre: str, has_account: bool
) -> list[FieldProblem]:
    """Return what is wrong with a new rule: an unknown role, more than one thing that it is limited to or one
    that does not go with the role, a cost centre without a thing or without a name."""
    if role not in RULE_ROLES:
        return [FieldProblem("role", "unknown-value")]
    named = list(limits)
    problems = [FieldProblem(name, "not-for-this-role") for name in named if name not in LIMITS.get(role, ())]
    if len(named) > 1 and not problems:
        problems.append(FieldProblem(named[1], "one-limit-only"))
    if role == COST_CENTRE and has_account:
        problems.append(FieldProblem("account", "not-for-this-role"))
    if role != COST_CENTRE and cost_centre:
        problems.append(FieldProblem("cost_centre", "not-for-this-role"))
    return problems


def unassigned(chart: Chart, day: date, *, side: str | None = None) -> list[str]:
    """Return the roles that have no general account on a day, without those that some organisations never
    need."""
    roles = [role for role in journal.ROLES if side in (None, SIDE_OF[role]) and role not in MAY_BE_MISSING]
    return [role for role in roles if chart.account_for(role, About(), day) is None]

"""Entering exchange rates as a payer's finance, and showing statements at them."""

from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import FieldProblem, Invalid, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from bookings.funding.domain.funding import converted
from bookings.pricing.models import ExchangeRate
from bookings.settlement.domain.statements import day_of
from bookings.settlement.locks import lock_statement
from bookings.settlement.models import Statement
from bookings.settlement.selectors.statements import statements_for

RATE_DIGITS = 10  # decimals that are kept


@dataclass(frozen=True)
class RateTerms:
    """The value of one unit of `base` in `quote` on a day, and its source."""

    base: str
    quote: str
    rate: Decimal
    valid_on: date
    source: str


@transaction.atomic
def rate_enter(by: By, *, organisation: Organisation, terms: RateTerms) -> ExchangeRate:
    """Enter a rate of an organisation, for its finance. Rates are never edited: a later rate for the same day
    is a new row. Existing statements do not change."""
    require(by.actor, "account", place_of(organisation))
    problems = [
        FieldProblem(name, "unknown-currency")
        for name in ("base", "quote")
        if getattr(terms, name) not in MINOR_DIGITS
    ]
    if not problems and terms.base == terms.quote:
        problems.append(FieldProblem("quote", "same-currency"))
    if not 0 < terms.rate < 10**9 or round(terms.rate, RATE_DIGITS) != terms.rate:
        least, most = f"{Decimal(1).scaleb(-RATE_DIGITS):f}", "999999999"
        problems.append(FieldProblem("rate", "out-of-range", {"least": least, "most": most}))
    if terms.valid_on > day_of(by.now, organisation.region.time_zone):
        problems.append(FieldProblem("valid_on", "in-the-future"))
    if not terms.source.strip():
        problems.append(FieldProblem("source", "required"))
    if problems:
        raise Invalid(problems)
    row = ExchangeRate.objects.create(
        organisation=organisation,
        **asdict(replace(terms, source=terms.source.strip())),
        entered_by_id=by.actor.person,
        entered_at=by.now,
    )
    trail.record(
        by,
        "exchangerate.enter",
        row,
        after={name: getattr(row, name) for name in asdict(terms)},
        places=organisation.places(),
    )
    return row


@transaction.atomic
def statement_convert(by: By, *, statement_id: UUID, rate_id: UUID) -> Statement:
    """Show a statement in the payer's currency at a rate that its finance has entered, while nothing is paid.
    The amount owed stays the same, in the host's currency."""
    row = lock_statement(statements_for(by.actor), statement_id)
    require(by.actor, "account", place_of(row.payer))
    by.require_version(row.version)
    if row.state != Statement.State.ISSUED:
        raise WrongState(state=row.state, wanted="issued")
    rate = ExchangeRate.objects.filter(pk=rate_id, organisation=row.payer, base=row.currency).first()
    if rate is None:
        raise invalid("rate", "unknown-rate", base=row.currency)
    before = {"exchange_rate": row.exchange_rate_id, "payer_payable": row.payer_payable}
    row.exchange_rate, row.payer_currency = rate, rate.quote
    row.payer_payable = converted(row.payable, rate.rate, rate.quote)
    row.version += 1
    row.save(update_fields=["exchange_rate", "payer_currency", "payer_payable", "version"])
    trail.record(
        by,
        "statement.convert",
        row,
        before=before,
        after={
            "exchange_rate": rate.pk,
            "payer_currency": row.payer_currency,
            "payer_payable": row.payer_payable,
        },
    )
    return row

"""Rates that a payer's finance enters, and statements shown at them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import FieldProblem, Invalid, WrongState, WrongVersion, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from bookings.funding.domain.funding import converted
from bookings.pricing.models import ExchangeRate
from bookings.settlement.domain.statements import day_of
from bookings.settlement.locks import lock_statement
from bookings.settlement.models import Statement

RATE_DIGITS = 10  # decimals that are kept


@dataclass(frozen=True)
class RateSaid:
    """What one unit of `base` is worth in `quote` on a day, and whose word that is."""

    base: str
    quote: str
    rate: Decimal
    valid_on: date
    source: str


@transaction.atomic
def rate_enter(by: By, *, organisation: Organisation, said: RateSaid) -> ExchangeRate:
    """Enter a rate of an organisation, for its finance. Nothing is edited: a later word of the
    same day is a new row. No statement changes by it."""
    require(by.actor, "account", place_of(organisation))
    problems = [
        FieldProblem(name, "unknown-currency")
        for name in ("base", "quote")
        if getattr(said, name) not in MINOR_DIGITS
    ]
    if not problems and said.base == said.quote:
        problems.append(FieldProblem("quote", "same-currency"))
    if not 0 < said.rate < 10**9 or round(said.rate, RATE_DIGITS) != said.rate:
        least, most = f"{Decimal(1).scaleb(-RATE_DIGITS):f}", "999999999"
        problems.append(FieldProblem("rate", "out-of-range", {"least": least, "most": most}))
    if said.valid_on > day_of(by.now, organisation.region.time_zone):
        problems.append(FieldProblem("valid_on", "in-the-future"))
    if not said.source.strip():
        problems.append(FieldProblem("source", "required"))
    if problems:
        raise Invalid(problems)
    row = ExchangeRate.objects.create(
        organisation=organisation,
        base=said.base,
        quote=said.quote,
        rate=said.rate,
        valid_on=said.valid_on,
        source=said.source.strip(),
        entered_by_id=by.actor.person,
        entered_at=by.now,
    )
    trail.record(
        by,
        "exchangerate.enter",
        row,
        after={
            "base": row.base,
            "quote": row.quote,
            "rate": row.rate,
            "valid_on": row.valid_on,
            "source": row.source,
        },
        places=organisation.places(),
    )
    return row


@transaction.atomic
def statement_convert(by: By, *, statement_id: UUID, rate_id: UUID) -> Statement:
    """Show a statement in the payer's currency at a rate its finance has entered, while nothing
    is paid. What is owed stays what it is, in the host's currency."""
    row = lock_statement(statement_id)
    require(by.actor, "account", place_of(row.payer))
    if by.version is not None and row.version != by.version:
        raise WrongVersion
    if row.state != Statement.State.ISSUED:
        raise WrongState(state=row.state, wanted="issued")
    rate = ExchangeRate.objects.filter(
        pk=rate_id, organisation=row.payer, base=row.currency
    ).first()
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

"""Read the amounts at stake in exceptions, and the weights of rules."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from bookings.audit.domain.audit import Numbers
from bookings.audit.domain.risk import Weights, weights_of
from bookings.audit.models import RiskWeight
from bookings.pricing.models import Charge, Quote
from bookings.pricing.selectors.charges import IN_FORCE
from bookings.settlement.models import Statement

type Amount = tuple[Decimal, str]


def entered_weights() -> QuerySet[RiskWeight]:
    """Return the weights that were entered, the newest first."""
    return RiskWeight.objects.select_related("entered_by").order_by("-valid_from", "rule")


def load_weights() -> Weights:
    """Return the weights of all rules. One statement."""
    return weights_of(entered_weights().order_by().values_list("rule", "valid_from", "weight"))


def load_amounts(rows: Sequence[tuple[Numbers, Sequence[tuple[str, UUID]]]]) -> list[Amount | None]:
    """Return what is at stake in each exception, given by its numbers and its evidence: the difference that a
    correction, or computing a charge again, made; the grant, the statement, or the charge; for a booking its
    charge in force, or else what was quoted. None where no amount is known. Four statements, whatever the
    number."""
    ids = {kind: {pk for _, evidence in rows for k, pk in evidence if k == kind} for kind in _KINDS}
    amounts: dict[UUID, Amount] = {}
    bookings = ids["reservation"]
    quotes = Quote.objects.filter(reservation__in=bookings, is_current=True)
    amounts.update(_read(quotes.values_list("reservation", "total", "currency")))
    charged = Charge.objects.filter(IN_FORCE, reservation__in=bookings)
    amounts.update(_read(charged.values_list("reservation", "total", "currency")))
    amounts.update(_read(Charge.objects.filter(pk__in=ids["charge"]).values_list("pk", "total", "currency")))
    statements = Statement.objects.filter(pk__in=ids["statement"])
    amounts.update(_read(statements.values_list("pk", "total", "currency")))
    return [_of_numbers(numbers) or _first(evidence, amounts) for numbers, evidence in rows]


_KINDS = ("statement", "charge", "reservation")


def _read(rows: object) -> dict[UUID, Amount]:
    return {pk: (amount, currency) for pk, amount, currency in rows}  # type: ignore[attr-defined]


def _of_numbers(numbers: Numbers) -> Amount | None:
    currency = str(numbers.get("currency", ""))
    if not currency:
        return None
    if "difference" in numbers:
        return Decimal(numbers["difference"]), currency
    if "amount" in numbers:
        return Decimal(numbers["amount"]), currency
    return abs(Decimal(numbers["after"]) - Decimal(numbers["before"])), currency


def _first(evidence: Sequence[tuple[str, UUID]], amounts: dict[UUID, Amount]) -> Amount | None:
    return next((amounts[pk] for kind, pk in evidence if kind in _KINDS and pk in amounts), None)

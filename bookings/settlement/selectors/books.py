"""Statements and settlements computed again from the ledger, for comparison with what they say."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, DecimalField, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from bookings.charging.models import Posting
from bookings.pricing.models import Charge, ClosedMonth
from bookings.settlement.models import Settlement, Statement, StatementLine
from bookings.settlement.selectors.settlements import net_of

ZERO = Value(Decimal(0), output_field=DecimalField(max_digits=18, decimal_places=3))


@dataclass(frozen=True)
class Figure:
    """A number as it is stored, and the sum of its postings."""

    name: str
    stored: Decimal | int
    posted: Decimal | int

    @property
    def agrees(self) -> bool:
        return self.stored == self.posted


@dataclass(frozen=True)
class Check:
    """The numbers of one statement or settlement, each compared with the ledger."""

    figures: tuple[Figure, ...]

    @property
    def agrees(self) -> bool:
        return all(figure.agrees for figure in self.figures)


def _sum(field: str, **of: object) -> Coalesce:
    return Coalesce(Sum(field, filter=Q(**of)) if of else Sum(field), ZERO)


def check_statement(statement: Statement) -> Check:
    """Compare a statement with the postings of its charges and payments. Three statements."""
    on_it = Posting.objects.filter(entry__charge__statement_lines__statement=statement)
    posted = on_it.aggregate(
        payable=_sum("amount", account=Posting.Account.RECEIVABLE),
        covered=_sum("amount", account=Posting.Account.SUBSIDY),
        tax=_sum("amount", account=Posting.Account.TAX),
        revenue=_sum("amount", account=Posting.Account.REVENUE),
    )
    received = Posting.objects.filter(
        entry__payment__statement=statement, account=Posting.Account.RECEIVED
    ).aggregate(amount=_sum("amount"))["amount"]
    return Check(
        (
            Figure("charges", statement.charges, statement.lines.count()),
            Figure("total", statement.total, -posted["revenue"] - posted["tax"]),
            Figure("tax", statement.tax, -posted["tax"]),
            Figure("covered", statement.covered, posted["covered"]),
            Figure("payable", statement.payable, posted["payable"]),
            Figure("paid", statement.paid, received),
        )
    )


def check_settlement(settlement: Settlement) -> Check:
    """Compare a settlement with the postings of the month's vouchers between the two regions, and of
    payments. Three statements."""
    sides = {}
    for side, payer, host in (
        ("first", settlement.first_id, settlement.second_id),
        ("second", settlement.second_id, settlement.first_id),
    ):
        sides[side] = _claims(settlement).filter(payer_region=payer, host_region=host)
    owes = {side: rows.aggregate(amount=_sum("amount"))["amount"] for side, rows in sides.items()}
    received = Posting.objects.filter(
        entry__payment__settlement=settlement, account=Posting.Account.RECEIVED
    ).aggregate(amount=_sum("amount"))["amount"]
    return Check(
        (
            Figure("first_owes", settlement.first_owes, owes["first"]),
            Figure("second_owes", settlement.second_owes, owes["second"]),
            Figure("net", net_of(settlement), abs(owes["first"] - owes["second"])),
            Figure("paid", settlement.paid, received),
        )
    )


def _claims(settlement: Settlement) -> QuerySet[Posting]:
    return Posting.objects.filter(
        account=Posting.Account.SUBSIDY, currency=settlement.currency, entry__charge__month=settlement.month
    )


def statements_astray() -> list[Statement]:
    """Return the statements that differ from the postings of their charges. For the command that checks the
    books: two sums over everything."""
    wrong = (
        Statement.objects.annotate(
            n=Count("lines"),
            line_total=_sum("lines__charge__total"),
            line_tax=_sum("lines__charge__tax"),
            line_payable=_sum("lines__charge__payable"),
        )
        .exclude(n=F("charges"), line_total=F("total"), line_tax=F("tax"), line_payable=F("payable"))
        .values_list("pk", flat=True)
    )
    posted = (
        Statement.objects.annotate(
            owed=_sum(
                "lines__charge__ledger_entry__postings__amount",
                lines__charge__ledger_entry__postings__account=Posting.Account.RECEIVABLE,
            )
        )
        .exclude(owed=F("payable"))
        .values_list("pk", flat=True)
    )
    return list(Statement.objects.filter(pk__in={*wrong, *posted}).select_related("host").order_by("pk"))


def charges_astray() -> QuerySet[Charge]:
    """Return the final charges of closed months that are on no statement in force."""
    closed = ClosedMonth.objects.filter(host=OuterRef("host"), month=OuterRef("month"))
    placed = StatementLine.objects.filter(charge=OuterRef("pk"), is_void=False)
    return Charge.objects.filter(Exists(closed), ~Exists(placed)).order_by("pk")

"""List the postings of the ledger, and those of which a balance consists."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor, By
from accounts.models import Region
from accounts.selectors.rows import among, any_of
from bookings.charging.models import LedgerEntry, Posting
from bookings.record.selectors.lists import (
    CHOICE,
    ID,
    MONTH,
    Column,
    Filter,
    Listing,
    amount_of,
    payer_filter,
)
from bookings.settlement.domain.ageing import BUCKETS
from bookings.settlement.domain.postings import Claim, Net, nets
from bookings.settlement.models import Settlement, StatementLine
from bookings.settlement.selectors.ageing import BUCKET_LABELS, OWED, OWING, load_ageing, narrowed
from bookings.settlement.selectors.statements import number_of

RECEIVABLE, SUBSIDY = Posting.Account.RECEIVABLE, Posting.Account.SUBSIDY
# What a host earned with the tax on it: the total of its charges, with the sign turned.
EARNED = "earned"
ACCOUNTS = (*Posting.Account.choices, (EARNED, _("revenue and tax")))


def postings_for(actor: Actor) -> QuerySet[Posting]:
    """Return the postings that the actor may see, the latest first: for finance and managers those of their
    organisation as host or payer, for auditors those of their regions; for coordinators the vouchers between
    their region and others, and the payments of settlements."""
    rows = Posting.objects.select_related(
        "entry__charge", "entry__payment__statement__host", "entry__payment__settlement__first",
        "entry__payment__settlement__second", "host", "payer", "host_region", "payer_region",
    ).order_by("-id")  # fmt: skip
    conditions = _conditions(actor)
    return rows.filter(any_of(conditions)) if conditions else rows.none()


def _conditions(actor: Actor) -> list[Q]:
    seen: list[Q] = []
    if ours := list(actor.organisations_where("read-money")):
        seen += [Q(host_id__in=ours), Q(payer_id__in=ours)]
    if audited := list(actor.regions_where("read-money")):
        seen += _within(audited)
    if coordinated := list(actor.regions_where("coordinate")):
        between = Q(account=SUBSIDY) & ~Q(host_region=F("payer_region"))
        settled = Q(entry__payment__settlement__isnull=False)
        seen.append(any_of(_within(coordinated)) & (between | settled))
    return seen


def _within(regions: list[UUID]) -> list[Q]:
    below = Region.objects.filter(lineage__overlap=regions).values("pk")
    return [among("host_region", below), among("payer_region", below)]


def reads_money(actor: Actor, row: Posting) -> bool:
    """Say whether the actor may open the charge and the statement behind a posting: coordinators see only
    what it comes to."""
    organisations = actor.organisations_where("read-money")
    regions = {*row.host_region.lineage, *row.payer_region.lineage}
    return bool({row.host_id, row.payer_id} & set(organisations) or regions & set(_regions(actor)))


def _regions(actor: Actor) -> frozenset[UUID]:
    return frozenset(actor.regions_where("read-money"))


def with_statements(rows: list[Any]) -> list[Any]:
    """Set `statement` on postings: the one in force that has the charge, or that was paid; None if there is
    none. One statement."""
    charges = [row.entry.charge_id for row in rows if row.entry.charge_id]
    lines = StatementLine.objects.filter(charge__in=charges, is_void=False).select_related("statement__host")
    of_charge = {line.charge_id: line.statement for line in lines}
    for row in rows:
        payment = row.entry.payment
        row.statement = of_charge.get(row.entry.charge_id) if payment is None else payment.statement
    return rows


def with_references(actor: Actor, rows: list[Any]) -> list[Any]:
    """Set on postings the ids of what is behind them, as far as the actor may read it: `seen_charge`,
    `seen_statement`, `seen_payment`, `seen_settlement`. One statement."""
    for row in with_statements(rows):
        is_read, entry = reads_money(actor, row), row.entry
        row.seen_charge = entry.charge_id if is_read else None
        row.seen_statement = row.statement.pk if is_read and row.statement else None
        row.seen_payment = entry.payment_id if is_read else None
        row.seen_settlement = entry.payment.settlement_id if entry.payment else None
    return rows


def month_of(row: Posting) -> Any:
    """Return the month of the charge, statement or settlement that a posting is about; None if there is none
    yet."""
    entry: Any = row.entry
    return (entry.charge or entry.payment.statement or entry.payment.settlement).month


def _number(row: Any, by: By) -> str:
    return number_of(row.statement) if row.statement and reads_money(by.actor, row) else ""


def _if_read(name: str) -> Callable[[Any, By], Any]:
    return lambda row, by: getattr(row.entry, name) if reads_money(by.actor, row) else None


def _of_account(rows: QuerySet[Any], account: str, by: By) -> QuerySet[Any]:
    return rows.filter(account__in=["revenue", "tax"] if account == EARNED else [account])


def _of_statement(rows: QuerySet[Any], statement: Any, by: By) -> QuerySet[Any]:
    lines = StatementLine.objects.filter(statement=statement).values("charge")
    on_it = Q(entry__charge__in=lines) | Q(entry__payment__statement=statement)
    return rows.filter(on_it)


def _of_settlement(rows: QuerySet[Any], settlement: Any, by: By) -> QuerySet[Any]:
    """Narrow to the vouchers of its month between its two regions, and to payments on it."""
    return _settled(rows, Settlement.objects.filter(pk=settlement))


def _of_year(rows: QuerySet[Any], year: str, by: By) -> QuerySet[Any]:
    """Narrow to what settlements of months of a year were drawn up from, and to payments on them."""
    if not (year.isascii() and year.isdecimal() and len(year) == 4):
        return rows.none()
    return _settled(rows, Settlement.objects.filter(month__year=int(year)))


def _of_debtor(rows: QuerySet[Any], code: str, by: By) -> QuerySet[Any]:
    """Narrow to settlements in which a region owes more than the other."""
    of_first = Q(first__code=code, first_owes__gte=F("second_owes"))
    of_second = Q(second__code=code, second_owes__gt=F("first_owes"))
    return _settled(rows, Settlement.objects.filter(of_first | of_second))


def _settled(rows: QuerySet[Any], settlements: QuerySet[Settlement]) -> QuerySet[Any]:
    host, payer = OuterRef("host_region"), OuterRef("payer_region")
    pair = Q(first=host, second=payer) | Q(first=payer, second=host)
    of_month = settlements.filter(pair, month=OuterRef("entry__charge__month"), currency=OuterRef("currency"))
    vouchers = Q(Exists(of_month.order_by()), account=SUBSIDY)
    return rows.filter(vouchers | Q(entry__payment__settlement__in=settlements.order_by().values("pk")))


def _between(rows: QuerySet[Any], codes: str, by: By) -> QuerySet[Any]:
    """Narrow to postings between two regions, in both directions; their codes stand with a comma."""
    first, _comma, second = codes.partition(",")
    there = Q(host_region__code=first, payer_region__code=second)
    return rows.filter(there | Q(host_region__code=second, payer_region__code=first))


def _of_month(rows: QuerySet[Any], month: Any, by: By) -> QuerySet[Any]:
    paths = ("entry__charge", "entry__payment__statement", "entry__payment__settlement")
    return rows.filter(any_of([Q(**{f"{path}__month": month}) for path in paths]))


def _aged(rows: QuerySet[Any], aged: str, by: By) -> QuerySet[Any]:
    """Narrow to what is open on the statements of a side, or of one bucket of it, as the table of ages has
    them; a whole side leaves out credits, as its total does."""
    side, _dot, bucket = aged.partition(".")
    statements = narrowed(load_ageing(by.actor, side, by.now), side, by.now, bucket=bucket)
    whole = [row.pk for row in statements if bucket or row.payable >= row.paid]
    lines = StatementLine.objects.filter(statement__in=whole).values("charge")
    on_them = Q(entry__charge__in=lines) | Q(entry__payment__statement__in=whole)
    return rows.filter(on_them, account=RECEIVABLE)


_SIDES = {OWED: _("owed to us"), OWING: _("what we owe")}
AGED = [
    *((side, label) for side, label in _SIDES.items()),
    *((f"{side}.{bucket}", BUCKET_LABELS[bucket]) for side in _SIDES for bucket in BUCKETS),
]


@dataclass(frozen=True)
class PostingSum:
    """The postings of an account in one currency, added up; debits are positive."""

    currency: str
    account: str
    number: int
    amount: Decimal

    @property
    def label(self) -> Any:
        return Posting.Account(self.account).label


def sums_of_postings(rows: QuerySet[Posting], actor: Actor) -> list[PostingSum]:
    """Add up postings by currency and account. One statement."""
    found = rows.select_related(None).order_by("currency", "account").values_list("currency", "account")
    return [PostingSum(*row) for row in found.annotate(number=Count("pk"), amount=Sum("amount"))]


@dataclass(frozen=True)
class RegionsNet:
    """The claims between two regions, with the regions, and what the debtor owes more in the end."""

    net: Net
    regions: dict[str, Region]

    @property
    def claims(self) -> list[tuple[Region, Region, Decimal]]:
        return [(self.regions[one.payer], self.regions[one.host], one.amount) for one in self.net.claims]

    @property
    def debtor(self) -> Region:
        return self.regions[self.net.first if self.net.amount >= 0 else self.net.second]

    @property
    def creditor(self) -> Region:
        return self.regions[self.net.second if self.net.amount >= 0 else self.net.first]

    @property
    def amount(self) -> Decimal:
        return abs(self.net.amount)


def nets_of(rows: QuerySet[Posting]) -> list[RegionsNet]:
    """Return what the voucher claims among postings come to between every two regions. Two statements."""
    found = list(
        rows.filter(account=SUBSIDY)
        .select_related(None)
        .order_by()
        .values_list("currency", "payer_region__code", "host_region__code")
        .annotate(amount=Sum("amount"))
    )
    codes = {code for _currency, *pair, _amount in found for code in pair}
    regions = {region.code: region for region in Region.objects.filter(code__in=codes)}
    return [RegionsNet(net, regions) for net in nets(Claim(*row) for row in found)]


POSTINGS = Listing(
    "postings",
    postings_for,
    (
        Column("posting", "pk"),
        Column("entry", "entry_id"),
        Column("at", "entry.at", _("Day"), "entry__at"),
        Column("kind", "entry.kind", _("Entry")),
        Column("account", "account", _("Ledger account"), "account"),
        Column("host", lambda row, by: row.host.code if row.host else "", _("Host"), "host__name"),
        Column("host_name", lambda row, by: row.host.name if row.host else ""),
        Column("payer", lambda row, by: row.payer.code if row.payer else "", _("Payer"), "payer__name"),
        Column("payer_name", lambda row, by: row.payer.name if row.payer else ""),
        Column("host_region", "host_region.code"),
        Column("payer_region", "payer_region.code"),
        Column("month", lambda row, by: f"{month:%Y-%m}" if (month := month_of(row)) else "", _("Month")),
        Column("charge", _if_read("charge_id")),
        Column("statement", _number, _("Behind it")),
        Column("payment", _if_read("payment_id")),
        Column("settlement", lambda row, by: row.entry.payment and row.entry.payment.settlement_id),
        Column("currency", "currency"),
        Column("amount", amount_of("amount"), _("Amount"), "amount", kind="end"),
    ),
    day="entry__at",
    filters=(
        Filter(
            "account", _of_account, CHOICE, _("Ledger account"), choices=ACCOUNTS,
            help="The account; `earned` is `revenue` and `tax` together, the total with its sign turned.",
        ),
        Filter("kind", "entry__kind", CHOICE, _("Entry"), choices=LedgerEntry.Kind.choices),
        Filter("host", "host__code", help="Code of the host organisation."),
        payer_filter("payer"),
        Filter("month", _of_month, MONTH, help="Month of the charges, such as `2026-03`."),
        Filter("currency", "currency", help="Code of the currency, such as `CNY`.", most=3),
        Filter("host_region", "host_region__code", help="Code of the host's region on that day."),
        Filter("payer_region", "payer_region__code", help="Code of the payer's region on that day."),
        Filter("between", _between, help="Codes of two regions with a comma between them.", most=81),
        Filter("charge", "entry__charge_id", ID),
        Filter("payment", "entry__payment_id", ID),
        Filter("statement", _of_statement, ID, help="Charges and payments of a statement."),
        Filter(
            "settlement", _of_settlement, ID,
            help="Vouchers that a settlement between regions was drawn up from, and payments on it.",
        ),
        Filter("settled", _of_year, help="The same for all settlements of months of a year.", most=4),
        Filter("debtor", _of_debtor, help="Settlements in which the region with this code owes more."),
        Filter(
            "aged", _aged, CHOICE, choices=AGED,
            help="What is open on your statements, by side and days past due, such as `owed.over_90`.",
        ),
    ),
    completed=with_statements,
)  # fmt: skip

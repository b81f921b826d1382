"""Lists of recorded payments, and of payments that payers reported."""

from decimal import Decimal

from django.db.models import Case, Count, Q, QuerySet, Sum, Value, When
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from bookings.record.selectors.lists import CHOICE, MONTH, Column, Filter, Listing, amount_of, payer_filter
from bookings.settlement.models import Payment, PaymentNotice
from bookings.settlement.selectors.numbers import printed_number
from bookings.settlement.selectors.statements import notices_for, notices_to_match, number_of, statements_for

# Fields in which lists look for words; `printed` is the number of the statement.
_WORDS = (
    "printed", "statement__host__name", "statement__host__name_zh", "statement__payer__name",
    "statement__payer__name_zh", "statement__payer__code", "reference",
)  # fmt: skip
_ALIASES = {"printed": printed_number("statement__")}
_Q_HELP = "Part of the statement's number, of a reference or of a name; or the amount."
RECEIVED, PAID, OF_CREDIT = "received", "paid", "credit"
SIDES = (
    (RECEIVED, _("received by us")),
    (PAID, _("paid by us")),
    (OF_CREDIT, _("out of credit that is kept")),
)
# A payment out of credit moves money that came in before.
IS_OF_CREDIT = Q(bank_credit__isnull=False)
_STATEMENT = (
    Column("statement", lambda row, by: number_of(row.statement), _("Statement")),
    Column("host", "statement.host.code", _("Host"), "statement__host__name"),
    Column("host_name", "statement.host.name"),
    Column("payer", "statement.payer.code", _("Payer"), "statement__payer__name"),
    Column("payer_name", "statement.payer.name"),
)
_PAID_ON = Column("paid_on", "paid_on", _("Paid on"), "paid_on")
_REFERENCE = Column("reference", "reference", _("Reference"))
_AMOUNT = Column("amount", amount_of("amount"), _("Amount"), "amount", kind="end")


def payments_for(actor: Actor) -> QuerySet[Payment]:
    """Return payments on statements the actor may see, the latest entered first."""
    return listed_payments().filter(statement__in=statements_for(actor).order_by().values("pk"))


def listed_payments() -> QuerySet[Payment]:
    """Return all payments, the latest entered first, with the related rows that lists show."""
    related = Payment.objects.select_related(
        "statement__host", "statement__payer", "statement__host_region", "statement__payer_region",
        "entered_by",
    )  # fmt: skip
    return related.order_by("-entered_at", "-id")


def of_side(rows: QuerySet[Payment], side: str, actor: Actor) -> QuerySet[Payment]:
    """Return the payments that the actor's organisations received from others, or paid; or those of either
    that use credit, or give its use back."""
    ours = actor.organisations_where("read-money")
    by_us, to_us = Q(statement__payer__in=ours), Q(statement__host__in=ours)
    if side == OF_CREDIT:
        return rows.filter(IS_OF_CREDIT, by_us | to_us)
    return rows.filter(~IS_OF_CREDIT, by_us if side == PAID else to_us & ~by_us)


def payment_totals(rows: QuerySet[Payment], actor: Actor) -> list[tuple[str, str, int, Decimal]]:
    """Return the sums of payments by currency and side (`SIDES`), with their number. One statement."""
    ours = actor.organisations_where("read-money")
    side = Case(
        When(IS_OF_CREDIT, then=Value(OF_CREDIT)),
        When(statement__payer__in=ours, then=Value(PAID)),
        When(statement__host__in=ours, then=Value(RECEIVED)),
        default=Value(""),
    )
    grouped = rows.annotate(side=side).order_by("currency", "side").values_list("currency", "side")
    return list(grouped.annotate(number=Count("pk"), sum=Sum("amount")))


PAYMENTS = Listing(
    "payments",
    payments_for,
    (
        *_STATEMENT,
        Column("currency", "currency"),
        _AMOUNT,
        _PAID_ON,
        _REFERENCE,
        Column("entered_by", "entered_by", _("Recorded by")),
        Column("entered_at", "entered_at", sort="entered_at"),
    ),
    words=(*_WORDS, "entered_by__name"),
    amounts=("amount",),
    aliases=_ALIASES,
    q_help=_Q_HELP,
    day="paid_on",
    filters=(
        Filter("month", "paid_on", MONTH, _("Paid in the month"), help="Such as `2026-03`."),
        Filter("host", "statement__host__code", help="Code of the host organisation."),
        payer_filter("statement__payer"),
        Filter(
            "side", lambda rows, side, by: of_side(rows, side, by.actor), CHOICE, choices=SIDES,
            help="`received` by your organisations, `paid` by them, or out of `credit` that hosts keep.",
        ),
    ),
    only=(
        "amount", "currency", "paid_on", "reference", "entered_at", "entered_by__name",
        "entered_by__email", "statement__year", "statement__number", "statement__host__code",
        "statement__host__name", "statement__payer__code", "statement__payer__name",
        "statement__host_region__lineage", "statement__payer_region__lineage",
    ),
)  # fmt: skip
NOTICES = Listing(
    "reported-payments",
    notices_for,
    (
        *_STATEMENT,
        _PAID_ON,
        _REFERENCE,
        Column("state", "state", _("State")),
        Column("currency", "currency"),
        _AMOUNT,
        Column("reported", "reported_at", sort="reported_at"),
    ),
    waits={"notices": notices_to_match},
    waits_help="Only reported payments that your organisations have yet to match with money received.",
    words=_WORDS,
    amounts=("amount",),
    aliases=_ALIASES,
    q_help=_Q_HELP,
    day="paid_on",
    filters=(Filter("state", "state", CHOICE, _("State"), choices=PaymentNotice.State.choices),),
)

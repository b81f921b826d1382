"""Lists of recorded payments, and of payments that payers reported."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from bookings.record.selectors.lists import CHOICE, MONTH, Column, Filter, Listing, amount_of
from bookings.settlement.models import Payment, PaymentNotice
from bookings.settlement.selectors.numbers import printed_number
from bookings.settlement.selectors.statements import notices_for, notices_to_match, number_of, statements_for

# Fields in which lists look for words; `printed` is the number of the statement.
_WORDS = ("printed", "statement__host__name", "statement__payer__name", "reference")
_ALIASES = {"printed": printed_number("statement__")}
_Q_HELP = "Part of the statement's number, of a reference or of a name."
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
    return (
        Payment.objects.filter(statement__in=statements_for(actor).order_by().values("pk"))
        .select_related("statement__host", "statement__payer", "entered_by")
        .order_by("-entered_at", "-id")
    )


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
    words=_WORDS,
    aliases=_ALIASES,
    q_help=_Q_HELP,
    day="paid_on",
    filters=(
        Filter("month", "paid_on", MONTH, _("Paid in the month"), help="Such as `2026-03`."),
        Filter("host", "statement__host__code", help="Code of the host organisation."),
        Filter("payer", "statement__payer__code", help="Code of the paying organisation."),
    ),
    only=(
        "amount", "currency", "paid_on", "reference", "entered_at", "entered_by__name",
        "entered_by__email", "statement__year", "statement__number", "statement__host__code",
        "statement__host__name", "statement__payer__code", "statement__payer__name",
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
    aliases=_ALIASES,
    q_help=_Q_HELP,
    day="paid_on",
    filters=(Filter("state", "state", CHOICE, _("State"), choices=PaymentNotice.State.choices),),
)

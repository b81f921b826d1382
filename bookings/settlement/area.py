"""The manifest of *settlement*."""

from django.db.models import F, Value
from django.db.models.functions import LPad
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import FOR_BOOKS, Area, Record
from accounts.domain.hooks import HookEvent
from accounts.domain.jobs import LETTERS
from accounts.domain.messages import Topic
from accounts.domain.roles import COORDINATOR, FINANCE
from accounts.menu import MONEY, Below, MenuEntry, Waits, has, may
from accounts.selectors.names import joined, text
from bookings.charging.selectors.charges import finders
from bookings.pricing.models import ClosedMonth, ExchangeRate
from bookings.settlement.messages import ACTS, REFUSALS
from bookings.settlement.models import Settlement, Statement
from bookings.settlement.selectors.events import PAYMENT, STATEMENT, of_payment, of_statement
from bookings.settlement.selectors.settlements import settlements_for, settlements_to_confirm
from bookings.settlement.selectors.statements import (
    notices_to_match,
    on_statements,
    statements_for,
    statements_owed,
    statements_to_pay,
)
from bookings.settlement.services.papers import statement_files_forget

AREA = Area(
    "bookings.settlement",
    refusals=REFUSALS,
    menu=(
        MenuEntry(
            "bookings:money-statements", _("Statements"), "file-text", MONEY, 30,
            has("manager", "finance", "auditor"),
        ),
        MenuEntry("bookings:money-settlements", _("Settlement"), "repeat", MONEY, 60, has("coordinator")),
    ),
    below=(
        Below("bookings:money-statements", "money-statements-*"),
        Below("bookings:money-settlements", "money-settlements-*"),
    ),
    waits=(
        Waits(
            "confirm", 340, "bookings:money-settlements",
            ngettext_lazy("settlement to confirm", "settlements to confirm"),
            _("Both regions confirm what one owes the other for vouchers."),
            lambda actor: bool(actor.regions_where("coordinate")), settlements_to_confirm,
            query="?waits=confirm", entry="bookings:money-settlements", group="state", due="due_date",
        ),
        Waits(
            "notices", 360, "bookings:money-notices",
            ngettext_lazy("reported payment to match", "reported payments to match"),
            _("Payers have reported these payments; match each with the money received."),
            may("account"), notices_to_match,
            query="?waits=notices", entry="bookings:money", amount="amount",
        ),
        Waits(
            "pay", 370, "bookings:money-statements", ngettext_lazy("statement to pay", "statements to pay"),
            _("The host marks them as paid when the money arrives."), may("account"), statements_to_pay,
            query="?waits=pay", entry="bookings:money-statements", amount=F("payable") - F("paid"),
            due="due_date",
        ),
        Waits(
            "owed", 400, "bookings:money-statements",
            ngettext_lazy("statement that others have to pay", "statements that others have to pay"),
            _("Mark them as paid when the money comes in."), may("account"), statements_owed,
            query="?waits=owed", entry="bookings:money-statements", amount=F("payable") - F("paid"),
            due="due_date",
            watched=True,
        ),
    ),
    records=(
        Record(
            Statement,
            joined("host__code", Value("-"), "year", Value("-"), LPad(text("number"), 4, Value("0"))),
            page="bookings:money-statements-one", seen=statements_for,
        ),
        Record(
            Settlement,
            joined("first__name", Value(" – "), "second__name"),
            joined("first__name_zh", Value(" – "), "second__name_zh"),
            page="bookings:money-settlements-one", seen=settlements_for,
        ),
        Record(ClosedMonth, "host__name", "host__name_zh", kind=_("closed month"), acts="month"),
        Record(ExchangeRate, joined("base", Value(" → "), "quote")),
    ),
    acts=ACTS,
    joins=((finders, on_statements),),
    topics=(
        # It costs money, and the time to object begins on the day it is sent.
        Topic(
            "statement", _("Statements and settlements"),
            _("what your organisation or region has to pay"), 120, is_required=True,
            roles=frozenset({FINANCE, COORDINATOR}),
        ),
    ),
    official={
        "bookings.Payment.entered_by": FOR_BOOKS,
        "bookings.PaymentNotice.decided_by": FOR_BOOKS,
        "bookings.PaymentNotice.reported_by": FOR_BOOKS,
        "bookings.Settlement.first_confirmed_by": FOR_BOOKS,
        "bookings.Settlement.second_confirmed_by": FOR_BOOKS,
        "bookings.Statement.voided_by": FOR_BOOKS,
    },
    lanes={"invoice": LETTERS},
    forgets=(statement_files_forget,),
    events=(
        HookEvent(
            "statement.issued", _("a statement is issued"), 150,
            ("statement.issued", "statement.internal"),
            of_statement, STATEMENT,
        ),
        HookEvent(
            "statement.replaced", _("a statement replaces another"), 160,
            ("statement.replaced",),
            of_statement, STATEMENT,
        ),
        HookEvent(
            "statement.overdue", _("a statement is overdue"), 170,
            ("statement.overdue",),
            of_statement, STATEMENT,
        ),
        HookEvent(
            "statement.paid", _("a payment on a statement is recorded, or taken back"), 175,
            ("event.payment",),
            of_payment, PAYMENT,
        ),
    ),
)  # fmt: skip

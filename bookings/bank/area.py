"""The manifest of *bank*."""

from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import FOR_BOOKS, Area, Merges, Record
from accounts.domain.roles import Actor
from accounts.menu import MONEY, Below, MenuEntry, Waits, may
from bookings.bank.messages import ACTS, REFUSALS
from bookings.bank.models import BankCredit, BankFile, BankMapping, BankTransaction
from bookings.bank.selectors.bank import files_for, transactions_for, transactions_to_match
from bookings.bank.selectors.received import load_kept
from bookings.settlement.selectors.ageing import keepers


def _reads(actor: Actor) -> bool:
    """Return whether somebody keeps, or audits, the books of hosts."""
    return may("account")(actor) or bool(actor.regions_where("audit"))


AREA = Area(
    "bookings.bank",
    refusals=REFUSALS,
    menu=(
        MenuEntry(
            "bookings:money-bank", _("Bank transactions"), "building-bank", MONEY, 35, _reads,
        ),
    ),
    below=(Below("bookings:money-bank", "money-bank-*"),),
    waits=(
        Waits(
            "match", 365, "bookings:money-bank",
            ngettext_lazy("bank transaction to match", "bank transactions to match"),
            _("Match each with the statements that it pays, or set it aside."),
            may("account"), transactions_to_match,
            query="?waits=match", entry="bookings:money-bank",
            amount=F("amount") - F("matched") - F("credited"),
        ),
    ),
    records=(
        Record(BankFile, "name", page="bookings:money-bank-file", seen=files_for),
        Record(BankTransaction, "name", page="bookings:money-bank-one", seen=transactions_for),
        Record(BankMapping, "name"),
        Record(BankCredit, "payer__name", "payer__name_zh"),
    ),
    acts=ACTS,
    joins=((keepers, load_kept),),
    merges=(
        Merges(
            "bankformats", BankMapping, 190, _("Formats of bank files"), owner="host", names="name",
            renamed="name",
        ),
    ),
    official={
        "bookings.BankCredit.entered_by": FOR_BOOKS,
        "bookings.BankFile.read_by": FOR_BOOKS,
        "bookings.BankFile.taken_back_by": FOR_BOOKS,
        "bookings.BankMatch.matched_by": FOR_BOOKS,
        "bookings.BankTransaction.aside_by": FOR_BOOKS,
    },
)  # fmt: skip

"""The manifest of *charging*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import Area
from accounts.domain.hooks import HookEvent
from accounts.domain.messages import Topic
from accounts.domain.roles import FINANCE, MANAGER, RESEARCHER
from accounts.menu import MONEY, Below, MenuEntry, Waits, may, signed_in
from bookings.charging.messages import ACTS, REFUSALS
from bookings.charging.selectors.events import of_charge
from bookings.charging.selectors.waiting import (
    charges_to_agree,
    charges_to_answer,
    charges_to_bill,
    charges_to_check,
)

AREA = Area(
    "bookings.charging",
    refusals=REFUSALS,
    menu=(MenuEntry("bookings:money-charges", _("Charges"), "receipt", MONEY, 20, signed_in),),
    below=(Below("bookings:money-charges", "money-charges-*"),),
    waits=(
        Waits(
            "answer", 310, "bookings:money-charges", ngettext_lazy("dispute to answer", "disputes to answer"),
            _("The payer disputes them; they do not become final before you answer."),
            may("manage-charges"), charges_to_answer,
            query="?waits=answer", entry="bookings:money-charges", amount="payable", payer="organisation",
        ),
        Waits(
            "agree", 320, "bookings:money-charges",
            ngettext_lazy("correction to agree to", "corrections to agree to"),
            _("Somebody in your organisation proposed them; a second approver has to agree."),
            may("manage-charges"), charges_to_agree,
            query="?waits=agree", entry="bookings:money-charges", amount="payable", payer="organisation",
        ),
        Waits(
            "check", 380, "bookings:money-charges", ngettext_lazy("charge to check", "charges to check"),
            _("After that day a charge is final and goes on the next statement."),
            signed_in, charges_to_check, query="?waits=check", entry="bookings:money-charges",
            amount="payable", payer="organisation", until="open_until",
        ),
        Waits(
            "bill", 410, "bookings:money-charges", ngettext_lazy("charge to bill", "charges to bill"),
            _("Statements are drawn up on the first of the month."), may("account"), charges_to_bill,
            query="?waits=bill", entry="bookings:money-charges", amount="payable", payer="organisation",
            watched=True,
        ),
    ),
    acts=ACTS,
    topics=(
        # It costs money, and time to object runs from the day it is sent.
        Topic(
            "charge", _("Charges"), _("charges, disputes and corrections"), 110, is_required=True,
            roles=frozenset({RESEARCHER, MANAGER, FINANCE}),
        ),
    ),
    events=(
        HookEvent("charge.made", _("something is charged"), 110, ("mail.charged",), of_charge),
        HookEvent("charge.disputed", _("a charge is disputed"), 120, ("mail.disputed",), of_charge),
        HookEvent("charge.final", _("a disputed charge is final"), 130, ("mail.dispute-settled",), of_charge),
        HookEvent("charge.corrected", _("a charge is corrected"), 140, ("mail.corrected",), of_charge),
    ),
)  # fmt: skip

"""The manifest of *charging*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import Area
from accounts.domain.hooks import HookEvent
from accounts.domain.messages import Topic
from accounts.domain.roles import FINANCE, MANAGER, RESEARCHER
from accounts.menu import MONEY, Below, MenuEntry, Waits, may, more_than_operator, signed_in
from bookings.charging.messages import ACTS, REFUSALS
from bookings.charging.selectors.events import CHARGE, of_charge
from bookings.charging.selectors.recoding import charges_without_source
from bookings.charging.selectors.waiting import (
    charges_to_agree,
    charges_to_answer,
    charges_to_bill,
    charges_to_check,
)
from bookings.charging.services.training import place_settle
from instruments.training.services.enrolments import settlers

AREA = Area(
    "bookings.charging",
    refusals=REFUSALS,
    menu=(MenuEntry("bookings:money-charges", _("Charges"), "receipt", MONEY, 20, more_than_operator),),
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
            _("Somebody of the host proposed them; a second person has to agree, and that may be you."),
            # Without a sum: of some the reader's organisation is the host, of others the payer.
            may("manage-charges"), charges_to_agree,
            query="?waits=agree", entry="bookings:money-charges", group="state",
        ),
        Waits(
            "check", 380, "bookings:money-charges", ngettext_lazy("charge to check", "charges to check"),
            _("After that day a charge is final and goes on the next statement."),
            signed_in, charges_to_check, query="?waits=check", entry="bookings:money-charges",
            amount="payable", payer="organisation", until="open_until",
        ),
        Waits(
            "source", 405, "bookings:money-charges",
            ngettext_lazy("charge without a funding source", "charges without a funding source"),
            _("Until they are final, you can say which source pays."), may("account"), charges_without_source,
            query="?waits=source", entry="bookings:money-charges", amount="payable", payer="organisation",
            until="open_until", watched=True,
        ),
        Waits(
            "bill", 410, "bookings:money-charges", ngettext_lazy("charge to bill", "charges to bill"),
            _("Statements are drawn up on the first of the month."), may("account"), charges_to_bill,
            query="?waits=bill", entry="bookings:money-charges", amount="payable", payer="organisation",
            watched=True,
        ),
    ),
    acts=ACTS,
    joins=((settlers, place_settle),),
    topics=(
        # It costs money, and time to object runs from the day it is sent.
        Topic(
            "charge", _("Charges"), _("charges, disputes and corrections"), 110, is_required=True,
            roles=frozenset({RESEARCHER, MANAGER, FINANCE}),
        ),
    ),
    events=(
        HookEvent(
            "charge.made", _("something is charged"), 110,
            ("mail.charged", "training.charged", "event.free"),
            of_charge, CHARGE,
        ),
        HookEvent(
            "charge.disputed", _("a charge is disputed"), 120, ("mail.disputed", "training.disputed"),
            of_charge, CHARGE,
        ),
        HookEvent(
            "charge.dispute_withdrawn", _("a dispute is withdrawn"), 125, ("event.undisputed",),
            of_charge, CHARGE,
        ),
        HookEvent(
            "charge.final", _("a charge is final, as nobody disputed it or after a dispute"), 130,
            ("mail.dispute-settled", "training.dispute-settled", "event.final"),
            of_charge, CHARGE,
        ),
        HookEvent(
            "charge.corrected", _("a charge is corrected"), 140,
            ("mail.corrected", "training.corrected", "struck.charge", "event.reduced"),
            of_charge, CHARGE,
        ),
    ),
)  # fmt: skip

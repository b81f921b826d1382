"""The manifest of *pricing*."""

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import FOR_BOOKS, KEPT, Area, Personal, Record
from accounts.menu import MONEY, Below, MenuEntry, Waits, has
from bookings.pricing.messages import ACTS, REFUSALS
from bookings.pricing.models import Agreement, Charge, Correction, Dispute
from bookings.pricing.selectors.agreements import agreements_for, agreements_to_sign
from bookings.pricing.selectors.charges import charges_for
from bookings.pricing.selectors.training import price_places
from instruments.training.selectors.fees import pricers

AREA = Area(
    "bookings.pricing",
    refusals=REFUSALS,
    menu=(
        MenuEntry("bookings:money-agreements", _("Agreements"), "file-text", MONEY, 40, has("coordinator")),
    ),
    below=(
        Below("instruments:manage", "what-if"),
        Below("bookings:money-agreements", "money-agreements-*"),
    ),
    waits=(
        Waits(
            "sign", 330, "bookings:money-agreements",
            ngettext_lazy("agreement to sign", "agreements to sign"),
            _("They are in force once every region has signed."),
            lambda actor: bool(actor.regions_where("coordinate")), agreements_to_sign,
            query="?waits=sign", entry="bookings:money-agreements", group="signed_at", due="valid_from",
        ),
    ),
    records=(
        Record(
            Charge,
            Coalesce("reservation__instrument__name", "enrolment__session__course__name"),
            Coalesce("reservation__instrument__name_zh", "enrolment__session__course__name_zh"),
            Coalesce("reservation__start_at", "enrolment__session__start_at"),
            page="bookings:money-charges-one", seen=charges_for,
        ),
        Record(Agreement, "name", "name_zh", page="bookings:money-agreements-one", seen=agreements_for),
    ),
    acts=ACTS,
    joins=((pricers, price_places),),
    personal=(
        Personal(
            "charges", Charge, {},
            "id reservation_id enrolment_id kind state currency tax total covered payable created_at "
            "final_at payer=organisation__code",
            where=lambda user: Q(reservation__user=user) | Q(enrolment__user=user),
        ),
        Personal(
            "disputes", Dispute, {"opened_by": KEPT},
            "id charge_id state reason opened_at answer settled_at",
            order="opened_at",
        ),
        Personal(
            "corrections", Correction, {"proposed_by": KEPT},
            "id charge_id state reason proposed_at decided_at",
            order="proposed_at",
        ),
    ),
    official={
        "bookings.Charge.checked_by": FOR_BOOKS,
        "bookings.Agreement.ended_by": FOR_BOOKS,
        "bookings.Agreement.proposed_by": FOR_BOOKS,
        "bookings.AgreementMember.signed_by": FOR_BOOKS,
        "bookings.Correction.decided_by": FOR_BOOKS,
        "bookings.Dispute.settled_by": FOR_BOOKS,
        "bookings.ExchangeRate.entered_by": FOR_BOOKS,
        "bookings.VoucherGrant.granted_by": FOR_BOOKS,
        "bookings.VoucherProgramme.created_by": FOR_BOOKS,
    },
)  # fmt: skip

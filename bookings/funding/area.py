"""The manifest of *funding*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import FOR_BOOKS, GONE, KEPT, Area, Merges, Personal, Record
from accounts.menu import MONEY, Below, MenuEntry, Waits, has, may, signed_in
from accounts.selectors.names import DOT, joined
from bookings.funding.forms.places import places_choice
from bookings.funding.messages import ACTS, REFUSALS
from bookings.funding.models import DefaultSource, FundingSource
from bookings.funding.selectors.funding_sources import grants_nearly_used, sources_for, sources_nearly_used
from bookings.funding.selectors.programmes import grants_for, programmes_for, programmes_granting
from bookings.funding.services.places import place_fund
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from instruments.training.selectors.fees import choosers
from instruments.training.services.enrolments import funders

AREA = Area(
    "bookings.funding",
    refusals=REFUSALS,
    menu=(MenuEntry("bookings:money-vouchers", _("Vouchers"), "ticket", MONEY, 50, has("coordinator")),),
    below=(
        Below("bookings:mine", "spending default-source"),
        Below("bookings:money-vouchers", "money-vouchers-*"),
    ),
    waits=(
        Waits(
            "grants", 420, "bookings:money-vouchers",
            ngettext_lazy("voucher nearly used up", "vouchers nearly used up"),
            _("Nine tenths or more are used or reserved for bookings."),
            lambda actor: bool(actor.regions_where("coordinate")) or may("manage-charges")(actor),
            grants_nearly_used,
            query="?waits=grants", entry="bookings:money", group="suspended_at", watched=True,
        ),
        Waits(
            "sources", 430, "bookings:money-funding",
            ngettext_lazy("funding source nearly used up", "funding sources nearly used up"),
            _("Nine tenths or more are spent or reserved for bookings."), signed_in, sources_nearly_used,
            query="?waits=sources", entry="bookings:money", group="suspended_at", watched=True,
        ),
    ),
    records=(
        Record(
            FundingSource, "name",
            acts="source", page="bookings:money-funding-source", seen=sources_for,
        ),
        Record(DefaultSource, "source__name"),
        Record(
            VoucherProgramme, "name", "name_zh",
            acts="programme", page="bookings:money-vouchers-programme", seen=programmes_for,
        ),
        Record(
            VoucherGrant,
            joined("code", DOT, "organisation__name"),
            joined("code", DOT, "organisation__name_zh"),
            kind=_("voucher"), acts="grant", page="bookings:money-vouchers-grant", seen=grants_for,
        ),
    ),
    acts=ACTS,
    joins=((funders, place_fund), (choosers, places_choice)),
    personal=(
        Personal(
            "funding_sources", FundingSource, {"owner": KEPT, "users": GONE},
            "id code name payer=organisation__code",
            order="pk",
        ),
        Personal(
            "default_funding_sources", DefaultSource, {"user": GONE},
            "id code=source__code payer=source__organisation__code percent is_own set_at",
            order="set_at",
        ),
    ),
    official={
        "bookings.DefaultSource.set_by": FOR_BOOKS,
        "bookings.FundingSource.created_by": FOR_BOOKS,
        "bookings.PurseTransfer.made_by": FOR_BOOKS,
    },
    merges=(
        Merges("grants", VoucherGrant, 50, behind=programmes_granting, is_handed_over=False),
        Merges("sources", FundingSource, 60, is_handed_over=False),
    ),
)  # fmt: skip

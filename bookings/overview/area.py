"""The manifest of *overview*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.areas import Area
from accounts.menu import ADMINISTRATION, MONEY, MY_WORK, Below, MenuEntry, has, signed_in
from bookings.record.selectors.reservations import is_own

AREA = Area(
    "bookings.overview",
    is_asked_most=True,
    menu=(
        MenuEntry("bookings:home", _("Home"), "home", MY_WORK, 10, signed_in),
        MenuEntry("bookings:mine", _("My bookings"), "calendar", MY_WORK, 30, signed_in),
        MenuEntry("bookings:money", _("Money overview"), "coin", MONEY, 10, signed_in),
        MenuEntry(
            "bookings:operations", pgettext_lazy("clock", "Operations"), "activity", ADMINISTRATION, 60,
            has("administrator"),
        ),
    ),
    below=(
        Below("bookings:mine", "reservation cancel", where=is_own),
        Below("bookings:money", "money-*"),
        Below("instruments:manage", "hosted person block blocks"),
    ),
)  # fmt: skip

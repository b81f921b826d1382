"""The manifest of *overview*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Area
from accounts.domain.roles import Actor
from accounts.menu import FACILITY, MONEY, MY_WORK, Below, MenuEntry, more_than_operator, signed_in
from bookings.record.selectors.reservations import is_own


def only_operates(actor: Actor) -> bool:
    """Return whether the person operates instruments and manages none."""
    return bool(actor.scope_where("operate-instruments")) and not actor.scope_where("manage-instruments")


AREA = Area(
    "bookings.overview",
    is_asked_most=True,
    menu=(
        MenuEntry("bookings:home", _("Home"), "home", MY_WORK, 10, signed_in),
        MenuEntry("bookings:mine", _("My bookings"), "calendar", MY_WORK, 30, signed_in),
        MenuEntry("bookings:hosted", _("Bookings"), "clipboard-list", FACILITY, 20, only_operates),
        # Managers find them below the instruments they manage.
        MenuEntry("bookings:faults", _("Faults"), "alert-triangle", FACILITY, 30, only_operates),
        MenuEntry("bookings:money", _("Money overview"), "coin", MONEY, 10, more_than_operator),
    ),
    below=(
        Below("bookings:mine", "reservation cancel strike-no-show", where=is_own),
        Below("bookings:money", "money-*"),
        Below("bookings:faults", "fault fault-dismiss fault-assign fault-repair"),
        Below("instruments:manage", "hosted person block blocks"),
    ),
)  # fmt: skip

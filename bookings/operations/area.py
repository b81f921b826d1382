"""The manifest of *operations*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.areas import Area
from accounts.menu import ADMINISTRATION, Below, MenuEntry, has

AREA = Area(
    "bookings.operations",
    menu=(
        MenuEntry(
            "bookings:operations", pgettext_lazy("clock", "Operations"), "activity", ADMINISTRATION, 60,
            has("administrator"),
        ),
        MenuEntry(
            "bookings:operations-people", _("People’s accounts"), "user", ADMINISTRATION, 15,
            has("administrator"),
        ),
        MenuEntry(
            "bookings:announcements", _("Announcements"), "message-circle", ADMINISTRATION, 70,
            has("administrator"),
        ),
        MenuEntry(
            "bookings:maintenance", _("Maintenance"), "hourglass", ADMINISTRATION, 75, has("administrator"),
        ),
        MenuEntry(
            "bookings:operations-settings", _("Rules and periods"), "settings", ADMINISTRATION, 80,
            has("administrator"),
        ),
    ),
    below=(
        Below("bookings:operations", "operations-failures operations-health"),
        Below("bookings:operations-people", "operations-person"),
        Below("bookings:announcements", "announcement announcement-withdraw"),
        Below("bookings:maintenance", "maintenance-prolong maintenance-time-end"),
    ),
    act_groups={"failure": _("Failures")},
    acts={
        "failure.retry": _("Failed work retried"),
        "failure.give-up": _("Failed work given up"),
    },
)  # fmt: skip

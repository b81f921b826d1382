"""The manifest of *reserving*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import KEPT, Area, Personal
from accounts.menu import FACILITY, Below, MenuEntry, Waits, may_for_some
from bookings.record.selectors.reservations import is_own, requests_to_decide
from bookings.reserving.messages import ACTS, REFUSALS
from bookings.reserving.models import Chain

AREA = Area(
    "bookings.reserving",
    is_asked_most=True,
    refusals=REFUSALS,
    menu=(
        MenuEntry(
            "bookings:requests", _("Requests"), "circle-check", FACILITY, 20,
            may_for_some("manage-instruments"),
        ),
    ),
    below=(
        Below("bookings:catalogue", "book quote"),
        Below("bookings:mine", "move", where=is_own),
        Below("bookings:requests", "decide"),
    ),
    waits=(
        Waits(
            "requests", 30, "bookings:requests", ngettext_lazy("request to answer", "requests to answer"),
            _("Requests that are not answered in time expire."), may_for_some("manage-instruments"),
            requests_to_decide,
            entry="bookings:requests", group="state", until="deadline_at",
        ),
    ),
    acts=ACTS,
    personal=(
        Personal("chains", Chain, {"user": KEPT}, "id gaps created_at payer=organisation__code"),
    ),
)  # fmt: skip

"""The manifest of *organisations*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import Area
from accounts.domain.roles import Actor
from accounts.menu import ADMINISTRATION, FACILITY, Below, MenuEntry, Waits, has
from accounts.selectors.organisations import organisation_requests_to_decide
from bookings.organisations.messages import ACTS, REFUSALS


def _only_coordinates(actor: Actor) -> bool:
    return actor.has("coordinator") and not actor.has("manager")


AREA = Area(
    "bookings.organisations",
    refusals=REFUSALS,
    menu=(
        MenuEntry("bookings:duplicates", _("Likely duplicates"), "copy", FACILITY, 90, _only_coordinates),
        MenuEntry(
            "bookings:organisations-all", _("Organisations"), "building", ADMINISTRATION, 20,
            has("coordinator", "administrator"),
        ),
    ),
    below=(
        Below("instruments:manage", "duplicates duplicates-decide"),
        Below("bookings:duplicates", "duplicates-decide"),
        Below("accounts:people", "people-import members-import member-limits"),
        Below(
            "bookings:organisations-all",
            "organisation organisation-new organisation-change organisation-merge organisation-close"
            " organisation-import organisation-requests organisation-request"
            " region region-new regions regions-import",
        ),
    ),
    waits=(
        Waits(
            "organisations", 120, "bookings:organisation-requests",
            ngettext_lazy("organisation to enter", "organisations to enter"),
            _("Their people cannot join before you enter them."), has("coordinator", "administrator"),
            lambda actor, now: organisation_requests_to_decide(actor),
            entry="bookings:organisations-all", group="state",
        ),
    ),
    acts=ACTS,
)  # fmt: skip

"""The manifest of *planning*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import KEPT, Area, Personal, Record
from accounts.domain.messages import Topic
from accounts.domain.roles import COORDINATOR, MANAGER, Actor
from accounts.menu import FIGURES, PLANNING, Below, MenuEntry, has, visitor
from bookings.planning.messages import ACTS, REFUSALS
from bookings.planning.models import PlannedPurchase
from bookings.planning.selectors.map import reads_map


def _plans(actor: Actor) -> bool:
    return has("manager", "finance")(actor) and not reads_map(actor)


AREA = Area(
    "bookings.planning",
    refusals=REFUSALS,
    menu=(
        MenuEntry("bookings:planning-map", _("Planning map"), "map", PLANNING, 10, reads_map),
        MenuEntry("bookings:plans", _("Planned purchases"), "shopping-cart", PLANNING, 20, _plans),
        MenuEntry("bookings:register", _("Decisions on purchases"), "file-text", FIGURES, 20, visitor),
    ),
    below=tuple(
        Below(entry, "planning-map planning-cell plans plan plan-* register register-decision")
        for entry in ("bookings:planning-map", "bookings:plans", "bookings:register")
    ),
    records=(
        Record(PlannedPurchase, "name", acts="plan"),
    ),
    acts=ACTS,
    topics=(
        Topic(
            "planning", _("Planned purchases"),
            _("purchases planned by neighbours and hosts of your class"), 220,
            roles=frozenset({MANAGER, COORDINATOR}),
        ),
    ),
    personal=(
        Personal(
            "planned_purchases", PlannedPurchase, {"user": KEPT},
            "id name year quarter price currency hours state created_at "
            "organisation=organisation__code",
        ),
    ),
)  # fmt: skip

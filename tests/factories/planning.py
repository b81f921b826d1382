"""Planned purchases, and a small tree of techniques for the planning map."""

from decimal import Decimal
from typing import Any

from accounts.domain.roles import By
from bookings.planning.models import PlannedPurchase
from bookings.planning.services.plans import PlanValues, plan_make
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.needs import vocabulary_changed
from tests.factories.cast import NOW, Cast


def plan_values(cast: Cast, **changed: Any) -> PlanValues:
    """A microscope for next summer."""
    usual: dict[str, Any] = {
        "technique": cast.technique.code,
        "name": "Transmission electron microscope",
        "year": 2027,
        "quarter": 2,
        "price": Decimal("6500000.00"),
        "hours": 1400,
        "place": "Handan campus",
        "confidence": "likely",
    }
    return PlanValues(**usual | changed)


def plan_of(cast: Cast, who: str = "chen", organisation: str = "fudan", **changed: Any) -> PlannedPurchase:
    """What Fudan plans, entered by its manager unless said otherwise."""
    return plan_make(By(cast.actor(who), NOW), organisation=organisation, values=plan_values(cast, **changed))


def tree_of(cast: Cast) -> dict[str, Technique]:
    """The technique of the cast with one narrower, one narrower still, and one of both sides."""
    made = {"electron": cast.technique}
    for code, name, parents in (
        ("tem", "transmission electron microscopy", ["electron"]),
        ("cryo", "cryo electron microscopy", ["tem"]),
        ("sem", "scanning electron microscopy", ["electron"]),
    ):
        made[code] = Technique.objects.create(code=code, name=name)
        made[code].parents.set([made[each] for each in parents])
    vocabulary_changed()
    return made

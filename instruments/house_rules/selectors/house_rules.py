"""Read the house rules in force, and who has accepted them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Subquery

from instruments.house_rules.models import HouseRules, HouseRulesAcceptance
from instruments.register.models import Facility, Instrument


def house_rules_place(instrument: Instrument) -> dict[str, Any]:
    """Return the filter for the rules in force: by the instrument if it has its own rules, else by its
    facility (loaded with it); empty if neither has any."""
    if instrument.house_rules_version:
        return {"instrument_id": instrument.pk}
    return {"facility_id": instrument.facility_id} if rules_version(instrument) else {}


def rules_version(instrument: Instrument) -> int | None:
    """Return the version of the house rules in force at an instrument; None if there are none. No
    statement."""
    return instrument.house_rules_version or instrument.facility.house_rules_version


def load_house_rules(instrument: Instrument, user_id: UUID | None = None) -> HouseRules | None:
    """Return the rules in force, None if there are none. Their `accepted` is the newest version that the user
    has accepted, or None. At most one statement; none if there are no rules."""
    place = house_rules_place(instrument)
    if not place:
        return None
    by_user: dict[str, Any] = {f"rules__{name}": value for name, value in place.items()}
    accepted = HouseRulesAcceptance.objects.filter(**by_user | {"user_id": user_id}).order_by(
        "-rules__version"
    )
    rows = HouseRules.objects.filter(**place | {"version": rules_version(instrument)})
    return rows.annotate(accepted=Subquery(accepted.values("rules__version")[:1])).first()


def rules_to_accept(rules: HouseRules | None) -> HouseRules | None:
    """Return these rules if their reader has not accepted this version, else None."""
    if rules is None or rules.accepted == rules.version:  # type: ignore[attr-defined]
        return None
    return rules


def recorded_acceptance(rules: HouseRules, user_id: UUID) -> HouseRulesAcceptance | None:
    """Return a person's acceptance of this version, with who recorded it; None if they accepted it themselves
    or not at all. One statement."""
    rows = HouseRulesAcceptance.objects.filter(rules=rules, user_id=user_id, recorded_by__isnull=False)
    return rows.select_related("recorded_by").first()


def house_rules_versions(place: Instrument | Facility) -> QuerySet[HouseRules]:
    """Return all versions of a place's rules, the newest first, each with the person who made it."""
    name = "instrument" if isinstance(place, Instrument) else "facility"
    rows = HouseRules.objects.filter(**{name: place}).select_related("made_by")
    return rows.order_by("-version")

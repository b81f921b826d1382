"""House rules in force, and who has accepted them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Subquery

from instruments.models import Facility, HouseRules, HouseRulesAcceptance, Instrument


def house_rules_place(instrument: Instrument) -> dict[str, Any]:
    """Return what the rows of the rules in force have: those of the instrument, else those of its
    facility (loaded with it); empty where neither has any."""
    if instrument.house_rules_version:
        return {"instrument_id": instrument.pk}
    return {"facility_id": instrument.facility_id} if rules_version(instrument) else {}


def rules_version(instrument: Instrument) -> int | None:
    """Return the version of the rules in force; None where there are none. No statement."""
    return instrument.house_rules_version or instrument.facility.house_rules_version


def load_house_rules(instrument: Instrument, user_id: UUID | None = None) -> HouseRules | None:
    """Return the rules in force, with `accepted`: the newest version of them that a person has
    accepted, None where none. At most one statement; none where there are no rules."""
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
    """Return rules that their reader has not accepted in this version."""
    if rules is None or rules.accepted == rules.version:  # type: ignore[attr-defined]
        return None
    return rules


def house_rules_versions(place: Instrument | Facility) -> QuerySet[HouseRules]:
    """Return every version there was, the newest first, with who made it."""
    name = "instrument" if isinstance(place, Instrument) else "facility"
    rows = HouseRules.objects.filter(**{name: place}).select_related("made_by")
    return rows.order_by("-version")

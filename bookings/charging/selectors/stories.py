"""All that happened to one record, from the trail."""

from dataclasses import dataclass
from uuid import UUID

from accounts.domain.roles import Actor
from accounts.models import TrailEntry, User
from bookings.pricing.models import Charge


@dataclass(frozen=True)
class Step:
    """One entry of a story with the name of who did it; None: the platform itself."""

    entry: TrailEntry
    person: str | None
    reason: str


def story_of(actor: Actor, object_id: UUID) -> list[Step]:
    """All that happened to one record, oldest first, for somebody who may see the record.

    A reservation's story includes its charge's. Three statements.
    """
    entries = TrailEntry.objects.filter(object_id__in=records_of_story(object_id))
    return steps_of(list(entries.select_related("text").order_by("at", "id")))


def charge_story(actor: Actor, charge_id: UUID) -> list[Step]:
    """All that happened to a charge, oldest first, for somebody who may see it. Three
    statements."""
    entries = TrailEntry.objects.filter(object_id=charge_id)
    return steps_of(list(entries.select_related("text").order_by("at", "id")))


def records_of_story(object_id: UUID) -> list[UUID]:
    charges = Charge.objects.filter(reservation_id=object_id).values_list("pk", flat=True)
    return [object_id, *charges]


def steps_of(entries: list[TrailEntry]) -> list[Step]:
    """Entries with the names of people and the reasons given. One statement."""
    people = User.objects.in_bulk({entry.actor_id for entry in entries if entry.actor_id})
    return [
        Step(
            entry,
            str(people.get(entry.actor_id, entry.actor_id)) if entry.actor_id else None,
            entry.text.content.get("reason", "") if hasattr(entry, "text") else "",
        )
        for entry in entries
    ]

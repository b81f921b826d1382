"""Read everything that happened to a record from the trail."""

from dataclasses import dataclass
from uuid import UUID

from accounts.domain.roles import Actor
from accounts.models import TrailEntry, User
from bookings.pricing.models import Charge


@dataclass(frozen=True)
class StoryEntry:
    """An entry of a story with the name of the person who acted; None means the platform itself."""

    entry: TrailEntry
    person: str | None
    reason: str


def story_of(actor: Actor, object_id: UUID) -> list[StoryEntry]:
    """Return everything that happened to a record, oldest first. The actor must be allowed to see the record.

    A reservation's story includes that of its charge. It takes three statements.
    """
    entries = TrailEntry.objects.filter(object_id__in=records_of_story(object_id))
    return steps_of(list(entries.select_related("text").order_by("at", "id")))


def charge_story(actor: Actor, charge_id: UUID) -> list[StoryEntry]:
    """Return everything that happened to a charge, oldest first. The actor must be allowed to see it. It
    takes three statements."""
    entries = TrailEntry.objects.filter(object_id=charge_id)
    return steps_of(list(entries.select_related("text").order_by("at", "id")))


def records_of_story(object_id: UUID) -> list[UUID]:
    charges = Charge.objects.filter(reservation_id=object_id).values_list("pk", flat=True)
    return [object_id, *charges]


def steps_of(entries: list[TrailEntry]) -> list[StoryEntry]:
    """Return the entries with the names of people and the reasons given. It takes one statement."""
    people = User.objects.in_bulk({entry.actor_id for entry in entries if entry.actor_id})
    return [
        StoryEntry(
            entry,
            str(people.get(entry.actor_id, entry.actor_id)) if entry.actor_id else None,
            entry.text.content.get("reason", "") if hasattr(entry, "text") else "",
        )
        for entry in entries
    ]

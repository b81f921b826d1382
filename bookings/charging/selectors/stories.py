"""Read everything that happened to a record from the trail."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

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
    return _steps(actor, TrailEntry.objects.filter(object_id__in=records_of_story(object_id)))


def record_story(actor: Actor, object_id: UUID) -> list[StoryEntry]:
    """Return what happened to one record, as a charge, or a reservation without its charge, oldest first. The
    actor must be allowed to see it. It takes three statements."""
    return _steps(actor, TrailEntry.objects.filter(object_id=object_id))


def _steps(actor: Actor, entries: QuerySet[TrailEntry]) -> list[StoryEntry]:
    """Return the entries as steps; that a host ticked a charge as checked is a note of its own, which others
    do not see, as which sources pay is of the payer."""
    hosts = actor.organisations_where("manage-charges")
    hosted = Exists(Charge.objects.filter(pk=OuterRef("object_id"), host__in=hosts))
    seen = entries.exclude(~hosted, action__in=("charge.check", "charge.uncheck"))
    paid = Exists(Charge.objects.filter(_is_payers(actor), pk=OuterRef("object_id")))
    seen = seen.exclude(~paid, action="charge.recode")
    return steps_of(list(seen.select_related("text").order_by("at", "id")))


def _is_payers(actor: Actor) -> Q:
    """Return the condition that the actor may see what pays for a charge, as `sees_funding` says of its
    booking."""
    own = Q(reservation__user_id=actor.person) | Q(reservation__made_by_id=actor.person)
    payers = Q(organisation__in=actor.organisations_where("read-money"))
    return own | payers | Q(payer_region__lineage__overlap=list(actor.regions_where("read-money")))


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

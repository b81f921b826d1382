"""The trail, as far as each person may read it."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from accounts.models import Region, TrailEntry, User
from bookings.models import Charge, Reservation


def entries_for(actor: Actor) -> QuerySet[TrailEntry]:
    """Newest first: an auditor's regions with all below them; everybody's own acts."""
    seen = Q(actor_id=actor.person)
    regions = list(actor.regions_where("read-trail"))
    if regions:
        # An entry names the regions it touches with all above them, so a parent is enough.
        seen |= Q(region_ids__overlap=regions)
    return TrailEntry.objects.filter(seen).select_related("text").order_by("-at", "-id")


def by_actor(entries: QuerySet[TrailEntry], who: str) -> QuerySet[TrailEntry]:
    """Those of one person, named by id or e-mail address."""
    try:
        return entries.filter(actor_id=UUID(who))
    except ValueError:
        return entries.filter(actor_id__in=User.objects.filter(email__iexact=who).values("pk"))


def in_region(entries: QuerySet[TrailEntry], code: str) -> QuerySet[TrailEntry]:
    """Those that touch a region or one below it."""
    ids = list(Region.objects.filter(code=code).values_list("pk", flat=True))
    return entries.filter(region_ids__overlap=ids) if ids else entries.none()


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
    charge = Charge.objects.filter(reservation_id=object_id).values_list("pk", flat=True).first()
    ids = [object_id, charge] if charge else [object_id]
    entries = list(
        TrailEntry.objects.filter(object_id__in=ids).select_related("text").order_by("at", "id")
    )
    return steps_of(entries)


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


def may_read_story(actor: Actor, object_id: UUID) -> bool:
    """Whether any entry of the record is the actor's to read."""
    return entries_for(actor).filter(object_id=object_id).exists()


def reservation_named(object_id: UUID) -> Reservation | None:
    return Reservation.objects.filter(pk=object_id).select_related("instrument").first()

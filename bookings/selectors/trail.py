"""The trail, as far as each person may read it."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from accounts.models import Region, TrailEntry, User
from bookings.models import Charge, Reservation
from bookings.selectors.reservations import reservations_for


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
    entries = TrailEntry.objects.filter(object_id__in=_with_charge(object_id))
    return steps_of(list(entries.select_related("text").order_by("at", "id")))


def charge_story(actor: Actor, charge_id: UUID) -> list[Step]:
    """All that happened to a charge, oldest first, for somebody who may see it. Three
    statements."""
    entries = TrailEntry.objects.filter(object_id=charge_id)
    return steps_of(list(entries.select_related("text").order_by("at", "id")))


def readable_story(actor: Actor, object_id: UUID) -> list[Step]:
    """As much of the same as the actor may read of the trail; empty where that is nothing."""
    entries = entries_for(actor).filter(object_id__in=_with_charge(object_id))
    return steps_of(list(entries.order_by("at", "id")))


def _with_charge(object_id: UUID) -> list[UUID]:
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


def reservation_named(actor: Actor, object_id: UUID) -> Reservation | None:
    """None as well for one that is not the actor's to see."""
    return reservations_for(actor).filter(pk=object_id).first()

"""Read the trail, as far as each person may."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet, Subquery, Value

from accounts.domain.roles import Actor
from accounts.models import Region, TrailEntry, User
from accounts.selectors.rows import visible
from bookings.audit.models import AuditFinding
from bookings.charging.selectors.stories import StoryEntry, records_of_story, steps_of

# As many people as a part of a name may mean.
MOST_PEOPLE = 200


def entries_for(actor: Actor) -> QuerySet[TrailEntry]:
    """Return the trail entries that the actor may read, newest first: those of the regions they audit and all
    below these, and their own acts."""
    seen = Q(actor_id=actor.person)
    regions = list(actor.regions_where("read-trail"))
    if regions:
        # An entry names the regions it touches with all above them, so a parent is enough.
        seen |= Q(region_ids__overlap=regions)
    return TrailEntry.objects.filter(seen).select_related("text").order_by("-at", "-id")


def by_actor(entries: QuerySet[TrailEntry], who: str) -> QuerySet[TrailEntry]:
    """Return the entries by one person, given by id or e-mail address, or by all people whose name contains
    the text."""
    try:
        return entries.filter(actor_id=UUID(who))
    except ValueError:
        named = Q(email__iexact=who) if "@" in who else Q(name__icontains=who)
        # Read the people first: for few of them, the index by person finds the entries.
        people = list(User.objects.filter(named).values_list("pk", flat=True)[:MOST_PEOPLE])
        return entries.filter(actor_id__in=people)


def audited_regions(actor: Actor) -> list[Region]:
    """Return the regions whose trail the actor may read, by name; none for people who may read only their own
    acts. It takes at most one statement."""
    above = list(actor.regions_where("read-trail"))
    if not above:
        return []
    return list(Region.objects.filter(lineage__overlap=above).order_by("name", "code"))


def in_region(entries: QuerySet[TrailEntry], code: str) -> QuerySet[TrailEntry]:
    """Return the entries that concern a region or one below it."""
    ids = list(Region.objects.filter(code=code).values_list("pk", flat=True))
    return entries.filter(region_ids__overlap=ids) if ids else entries.none()


@dataclass(frozen=True)
class TrailQuery:
    """Filters for the trail; None or empty means all. `action` is the beginning of an act's code up to a dot,
    or the whole code if `is_exact`; `actor` is an id, an e-mail address or part of a name; `region` is a code
    and includes the regions below."""

    object_id: UUID | None = None
    actor: str = ""
    action: str = ""
    region: str = ""
    since: datetime | None = None
    until: datetime | None = None
    is_exact: bool = False


def entries_where(actor: Actor, query: TrailQuery) -> QuerySet[TrailEntry]:
    """Return the entries that match the query and that the actor may read, newest first."""
    rows = entries_for(actor)
    if query.object_id is not None:
        rows = rows.filter(object_id=query.object_id)
    if query.actor:
        rows = by_actor(rows, query.actor)
    if query.action and query.is_exact:
        rows = rows.filter(action=query.action)
    elif query.action:
        rows = rows.filter(action__startswith=query.action)
    if query.region:
        rows = in_region(rows, query.region)
    if query.since is not None:
        rows = rows.filter(at__gte=query.since)
    if query.until is not None:
        rows = rows.filter(at__lt=query.until)
    return rows


@dataclass(frozen=True)
class TrailPage:
    """A page of entries, and the cursor for older ones; None if there are none."""

    steps: "list[StoryEntry]"
    older: str | None


# If a region has many entries, a page covers a few days. If it has few, its own index finds them, which
# the database would not use when ordering by time.
_WINDOW = timedelta(days=7)


def trail_page(
    entries: QuerySet[TrailEntry], after: str = "", most: int = 50, until: datetime | None = None
) -> TrailPage:
    """Return at most `most` entries after a cursor; the thousandth page costs no more than the first. An
    invalid cursor starts at the beginning. `until`: a moment known to be later than all entries, if any. It
    takes two statements, three if little is found."""
    moment, _, name = after.partition("_")
    with suppress(ValueError):
        at, pk = datetime.fromisoformat(moment), UUID(name)
        if at.tzinfo is not None:
            entries = entries.filter(Q(at__lte=at) & (Q(at__lt=at) | Q(id__lt=pk)))
            until = at
    newest: Any = TrailEntry.objects.order_by("-at").values("at")[:1]
    since = until - _WINDOW if until else Subquery(newest) - Value(_WINDOW)
    entries_read = list(entries.filter(at__gte=since)[: most + 1])
    if len(entries_read) <= most:
        by_time = ExpressionWrapper(F("at") + Value(timedelta(0)), DateTimeField())
        entries_read = list(entries.order_by(by_time.desc(), "-id")[: most + 1])
    last = entries_read[most - 1] if len(entries_read) > most else None
    older = f"{last.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}_{last.pk}" if last else None
    return TrailPage(steps_of(entries_read[:most]), older)


def entry_for(actor: Actor, entry_id: UUID) -> TrailEntry:
    """Return an entry; `NotFound` if there is none or the actor may not read it."""
    return visible(entries_for(actor), pk=entry_id)


FINDING_STEPS = ("finding.reply", "finding.return", "finding.unanswered")


def finding_steps(finding: AuditFinding) -> list[StoryEntry]:
    """Return the answers to a finding, each time one was sent back, and the statement that none was received,
    in order, for everybody who may see the finding."""
    entries = TrailEntry.objects.filter(object_id=finding.pk, action__in=FINDING_STEPS)
    entries = entries.select_related("text")
    return steps_of(list(entries.order_by("at", "id")))


def readable_story(actor: Actor, object_id: UUID) -> list[StoryEntry]:
    """Return the entries about a record that the actor may read, possibly none."""
    entries = entries_for(actor).filter(object_id__in=records_of_story(object_id))
    return steps_of(list(entries.order_by("at", "id")))

"""Events: who may read which, and the place in their order up to which somebody has read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, QuerySet

from accounts.domain.errors import NoLongerKept
from accounts.domain.roles import Actor, Place
from accounts.models import Organisation
from accounts.selectors.rows import visible
from bookings.messaging.domain.events import BEGINNING, Position, position_of
from bookings.messaging.models import Event, WebhookDelivery
from bookings.messaging.selectors.webhooks import MANAGE, organisations_with_webhooks


@dataclass(frozen=True)
class EventPage:
    """Some events in their order, and the position behind them; `has_more`: there are further ones now."""

    rows: Sequence[Event]
    position: Position
    has_more: bool


def events_for(actor: Actor, organisation: str = "") -> QuerySet[Event]:
    """Return the events that the actor's webhooks could report: those of all organisations for which they may
    set up webhooks, or of the one with this code. Raises `NotPermitted`, `NotFound`."""
    organisations = organisations_with_webhooks(actor)
    if organisation:
        places = [
            visible(Organisation.objects.filter(pk__in=organisations.values("pk")), code=organisation).pk
        ]
    elif actor.may(MANAGE, Place(None)):
        return Event.objects.order_by("number")
    else:
        places = list(organisations.values_list("pk", flat=True))
    return Event.objects.filter(organisations__overlap=places).order_by("number")


def load_events(events: QuerySet[Event], after: Position | None, limit: int) -> EventPage:
    """Return the events behind a position, or the oldest that are kept. Raises `NoLongerKept` if events
    behind the position may have been removed.

    Numbers are given in the order of commits, so nothing lower can appear later. The last number is read
    first: what is stored between the two statements is left to the next page."""
    last = Event.objects.order_by("-number").values_list("number", "cause").first()
    head = position_of(*last) if last else BEGINNING
    start = 0
    if after is not None:
        if not _is_kept(after, head):
            raise NoLongerKept
        start = after.number
    rows = list(events.filter(number__gt=start, number__lte=head.number)[: limit + 1])
    has_more = len(rows) > limit
    rows = rows[:limit]
    return EventPage(rows, position_of(rows[-1].number, rows[-1].cause) if has_more else head, has_more)


def _is_kept(position: Position, head: Position) -> bool:
    """Say whether every event behind a position is still kept. The last event always is."""
    if position == head:
        return True
    if position == BEGINNING:
        return Event.objects.filter(number=1).exists()
    causes = Event.objects.filter(number=position.number).values_list("cause", flat=True)
    return any(position_of(position.number, cause) == position for cause in causes)


def events_past(before: datetime) -> QuerySet[Event]:
    """Return the events that have been kept long enough, from the first on without a gap: none from the first
    that is younger, or whose delivery is kept, and never the last."""
    younger = Event.objects.filter(created_at__gte=before).aggregate(n=Min("number"))["n"]
    told = WebhookDelivery.objects.aggregate(n=Min("told"))["n"]
    last = Event.objects.order_by("-number").values_list("number", flat=True).first()
    ends = [number for number in (younger, told, last) if number is not None]
    return Event.objects.filter(number__lt=min(ends, default=0)).order_by("number")

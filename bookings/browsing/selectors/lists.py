"""Read the instruments that a person keeps in lists, which nobody else sees."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import BooleanField, Case, Count, Q, QuerySet, Value, When

from accounts.domain.roles import Actor
from accounts.prepared import Prepared
from accounts.selectors.rows import visible
from bookings.browsing.models import InstrumentList, ListEntry
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instruments_for

_ROWS = ("instrument", "instrument__merged_into")
_PARTS = ("organisation", "region")


def own_lists(actor: Actor) -> QuerySet[InstrumentList]:
    """Return the actor's lists, the favourites first, each with `count`, the number of its entries."""
    rows = InstrumentList.objects.filter(user_id=actor.person)
    return rows.annotate(count=Count("entries")).order_by("name", "id")


def own_list(actor: Actor, list_id: UUID) -> InstrumentList:
    """Return a list; `NotFound` if there is none or it is another person's."""
    return visible(own_lists(actor), pk=list_id)


def own_entries(actor: Actor) -> QuerySet[ListEntry]:
    """Return the entries of the actor's lists, newest first, each with its instrument or the one into which
    it was merged (`shown`), and whether the actor may still see it (`is_shown`)."""
    seen = instruments_for(actor).order_by().values("pk")
    is_seen = Q(instrument__in=seen) | Q(instrument__merged_into__in=seen)
    return (
        ListEntry.objects.filter(list__user_id=actor.person)
        .annotate(
            is_shown=Case(When(is_seen, then=Value(True)), default=Value(False), output_field=BooleanField())
        )
        .select_related("list", *(f"{row}__{part}" for row in _ROWS for part in _PARTS))
        .order_by("-created_at", "-id")
    )


def own_entry(actor: Actor, entry_id: UUID) -> ListEntry:
    """Return an entry; `NotFound` if there is none or it is another person's."""
    return visible(own_entries(actor), pk=entry_id)


def load_starred(actor: Actor, instruments: Iterable[Instrument]) -> set[UUID]:
    """Return which of the instruments are among the actor's favourites. It takes one statement, none if
    nobody is signed in."""
    if actor.user_id is None:
        return set()
    return set(_STARRED.rows(user_id=actor.user_id, instruments=[i.pk for i in instruments]))


_STARRED = Prepared(
    lambda user_id, instruments: ListEntry.objects.filter(
        list__user_id=user_id, list__name="", instrument_id__one_of=instruments
    ).values_list("instrument_id", flat=True)
)

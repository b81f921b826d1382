"""Messages about instruments that a saved search has newly found."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import OutboxMessage
from bookings.browsing.models import SavedSearch
from bookings.catalogue.domain.searches import MOST_TOLD
from instruments.register.models import Instrument

_active = row_of(
    SavedSearch.objects.select_related("user").filter(is_paused=False, user__is_active=True), "search"
)


def _load(row: OutboxMessage, now: datetime) -> tuple[SavedSearch, list[Instrument]] | None:
    """Return a saved search and those of its matches that are still on offer; None if either is gone."""
    search: SavedSearch | None = _active(row, now)
    instruments = list(
        Instrument.objects.select_related("organisation", "region")
        .filter(pk__in=row.payload["instruments"], publication=Instrument.Publication.PUBLISHED)
        .order_by("name", "id")
    )
    return (search, instruments) if search and instruments else None


def _matches(matches: tuple[SavedSearch, list[Instrument]], row: OutboxMessage, now: datetime) -> Content:
    search, instruments = matches
    context = {
        "search": search,
        "found": [
            (instrument, settings.SITE_URL + reverse("bookings:instrument", args=[instrument.pk]))
            for instrument in instruments[:MOST_TOLD]
        ],
        "more": max(0, len(instruments) - MOST_TOLD),
    }
    words = {"name": search.name, "instrument": instruments[0]}
    return Content(search.pk, reverse("bookings:searches"), words, context)


KINDS = table(
    Kind(
        "search.matches",
        _("New for “{name}”: {instrument}"),
        topic="search",
        load=_load,
        readers=lambda matches: [matches[0].user],
        content=_matches,
        template="bookings/browsing/mail/matches",
    )
)

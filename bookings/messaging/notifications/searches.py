"""Messages about what a saved search has newly found."""

from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from accounts.letters import Letter, framed
from accounts.models import OutboxMessage, User
from accounts.selectors.messages import readers_of
from bookings.catalogue.domain.searches import MOST_TOLD
from bookings.catalogue.models import SavedSearch
from instruments.models import Instrument


def matches_letters(row: OutboxMessage) -> list[Letter]:
    """To whoever saved it; none where the search is gone or paused, or nothing of what it found
    is still on offer."""
    search = (
        SavedSearch.objects.select_related("user")
        .filter(pk=UUID(row.payload["search"]), is_paused=False, user__is_active=True)
        .first()
    )
    found = list(
        Instrument.objects.select_related("organisation", "region")
        .filter(pk__in=row.payload["instruments"], publication=Instrument.Publication.PUBLISHED)
        .order_by("name", "id")
    )
    if search is None or not found:
        return []
    return [_letter(search, found, person) for person in readers_of([search.user], "search")]


def _letter(search: SavedSearch, found: list[Instrument], person: User) -> Letter:
    """In the reader's language."""
    page = reverse("bookings:searches")
    with translation.override(person.language):
        context = {
            "search": search,
            "found": [
                (i, settings.SITE_URL + reverse("bookings:instrument", args=[i.pk]))
                for i in found[:MOST_TOLD]
            ],
            "more": max(0, len(found) - MOST_TOLD),
            "link": settings.SITE_URL + page,
        }
        name = (person.language.startswith("zh") and found[0].name_zh) or found[0].name
        subject = gettext("New for “{name}”: {instrument}").format(
            name=search.name, instrument=name
        )
        text, html = framed("bookings/messaging/mail/matches", "search", person, context)
        return Letter(
            person=person,
            topic="search",
            kind="search.matches",
            subject=" ".join(subject.split()),
            text=text,
            html=html,
            link=page,
            about=search.pk,
        )

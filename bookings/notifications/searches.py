"""Messages about what a saved search has newly found."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, mailers
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from accounts.models import OutboxMessage
from bookings.domain.searches import MOST_TOLD
from bookings.models import SavedSearch
from instruments.models import Instrument


def matches_mail(row: OutboxMessage, now: datetime) -> str:
    """Tell the person; `skipped` where the search is gone or paused, or nothing of what it found
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
        return "skipped"
    person = search.user
    with translation.override(person.language):
        page = reverse("bookings:searches")
        context = {
            "person": person,
            "search": search,
            "found": [
                (i, settings.SITE_URL + reverse("bookings:instrument", args=[i.pk]))
                for i in found[:MOST_TOLD]
            ],
            "more": max(0, len(found) - MOST_TOLD),
            "link": settings.SITE_URL + page,
        }
        subject = gettext("New for “{name}”: {instrument}").format(
            name=search.name, instrument=found[0].name
        )
        letter = EmailMultiAlternatives(
            subject=" ".join(subject.split()),
            body=render_to_string("bookings/mail/matches.txt", context),
            to=[person.email],
            headers={"Message-ID": f"<{row.pk}.{person.pk}@instrument-commons>"},
        )
        letter.attach_alternative(
            render_to_string("bookings/mail/matches.html", context), "text/html"
        )
    mailers.default.send_messages([letter])
    return "sent"

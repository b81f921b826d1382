"""Messages about harvests: to the managers, when one has given up."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.letters import Letter, framed
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import managers_or_administrators
from accounts.selectors.messages import readers_of
from instruments.models import Fetching, Harvest


def harvest_letters(row: OutboxMessage) -> list[Letter]:
    """Return the letters of an outbox row; none where the harvest is gone or at work again."""
    fetching = (
        Fetching.objects.select_related("harvest__organisation")
        .filter(pk=UUID(row.payload["fetching"]))
        .first()
    )
    if fetching is None or fetching.harvest.state != Harvest.State.PAUSED:
        return []
    people = managers_or_administrators(fetching.harvest.organisation_id)
    return [_letter(fetching, person) for person in readers_of(people, "connection")]


def _letter(fetching: Fetching, person: User) -> Letter:
    harvest = fetching.harvest
    page = reverse("instruments:harvest", kwargs={"harvest_id": harvest.pk})
    with translation.override(person.language), timezone.override(ZoneInfo(person.time_zone)):
        context = {
            "harvest": harvest,
            "at": fetching.at,
            "problem": fetching.problem,
            "link": settings.SITE_URL + page,
        }
        text, html = framed("instruments/mail/harvest", "connection", person, context)
        subject = gettext("Paused: {harvest}").format(harvest=harvest.name)
        return Letter(
            person=person,
            topic="connection",
            kind="harvest.paused",
            subject=" ".join(subject.split()),
            text=text,
            html=html,
            link=page,
            about=harvest.pk,
        )

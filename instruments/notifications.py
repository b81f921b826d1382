"""Messages about harvests: to the managers, when one has given up."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage, mailers
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.domain.erasure import leads_nowhere
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import managers_or_administrators
from instruments.models import Fetching, Harvest


def harvest_mail(row: OutboxMessage) -> str:
    """Send the message of an outbox row; its outcome: `sent`, or `skipped` where the harvest is
    gone or at work again."""
    fetching = (
        Fetching.objects.select_related("harvest__organisation")
        .filter(pk=UUID(row.payload["fetching"]))
        .first()
    )
    if fetching is None or fetching.harvest.state != Harvest.State.PAUSED:
        return "skipped"
    people = managers_or_administrators(fetching.harvest.organisation_id)
    letters = [_letter(row, fetching, p) for p in people if not leads_nowhere(p.email)]
    if letters:
        mailers.default.send_messages(letters)
    return "sent" if letters else "skipped"


def _letter(row: OutboxMessage, fetching: Fetching, person: User) -> EmailMessage:
    harvest = fetching.harvest
    with translation.override(person.language), timezone.override(ZoneInfo(person.time_zone)):
        context = {
            "harvest": harvest,
            "person": person,
            "at": fetching.at,
            "problem": fetching.problem,
            "link": settings.SITE_URL
            + reverse("instruments:harvest", kwargs={"harvest_id": harvest.pk}),
        }
        subject = gettext("Paused: {harvest}").format(harvest=harvest.name)
        return EmailMessage(
            subject=" ".join(subject.split()),
            body=render_to_string("instruments/mail/harvest.txt", context),
            to=[person.email],
            headers={"Message-ID": f"<{row.pk}.{person.pk}@instrument-commons>"},
        )

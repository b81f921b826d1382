"""Messages about webhooks: to those who manage one that the platform has disabled."""

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
from bookings.messaging.models import WebhookDelivery
from bookings.messaging.selectors.webhooks import calls_of

TOPIC = "connection"


def webhook_letters(row: OutboxMessage) -> list[Letter]:
    """The letters of an outbox row; none where the webhook is gone or at work again."""
    delivery = (
        WebhookDelivery.objects.select_related("endpoint__organisation")
        .filter(pk=UUID(row.payload["delivery"]), endpoint__state="disabled")
        .first()
    )
    if delivery is None:
        return []
    people = managers_or_administrators(delivery.endpoint.organisation_id)
    return [_letter(delivery, person) for person in readers_of(people, TOPIC)]


def _letter(delivery: WebhookDelivery, person: User) -> Letter:
    endpoint = delivery.endpoint
    page = reverse("bookings:webhook", kwargs={"endpoint_id": endpoint.pk})
    with translation.override(person.language), timezone.override(ZoneInfo(person.time_zone)):
        context = {
            "endpoint": endpoint,
            "delivery": delivery,
            "call": next(iter(calls_of(delivery)), None),
            "link": settings.SITE_URL + page,
        }
        text, html = framed("bookings/messaging/mail/webhook", TOPIC, person, context)
        return Letter(
            person=person,
            topic=TOPIC,
            kind="hook.disabled",
            subject=gettext("Webhook disabled: {address}").format(address=endpoint.address[:200]),
            text=text,
            html=html,
            link=page,
            about=endpoint.pk,
        )

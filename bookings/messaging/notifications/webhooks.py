"""Messages to the managers of a webhook that the platform has disabled."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import OutboxMessage
from accounts.selectors.memberships import managers_or_administrators
from bookings.messaging.models import WebhookDelivery
from bookings.messaging.selectors.webhooks import calls_of


def _disabled(delivery: WebhookDelivery, row: OutboxMessage, now: datetime) -> Content:
    endpoint, call = delivery.endpoint, next(iter(calls_of(delivery)), None)
    return Content(
        endpoint.pk,
        reverse("bookings:webhook", kwargs={"endpoint_id": endpoint.pk}),
        {"address": endpoint.address[:200]},
        {"endpoint": endpoint, "delivery": delivery, "call": call},
    )


_DISABLED = WebhookDelivery.objects.filter(endpoint__state="disabled")
KINDS = table(
    Kind(
        "hook.disabled",
        _("Webhook disabled: {address}"),
        topic="connection",
        load=row_of(_DISABLED.select_related("endpoint__organisation"), "delivery"),
        readers=lambda delivery: managers_or_administrators(delivery.endpoint.organisation_id),
        content=_disabled,
        template="bookings/messaging/mail/webhook",
    )
)

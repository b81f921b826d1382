"""Jobs, effects and letters of *messaging*."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Kept, Tasks, outcome
from bookings.messaging.models import WebhookDelivery
from bookings.messaging.notifications import reservations, webhooks
from bookings.messaging.selectors.deletions import KEPT_FOR, deletions_past
from bookings.messaging.selectors.events import events_past
from bookings.messaging.services.feeds import calendar_read
from bookings.messaging.services.letters import letter_mail
from bookings.messaging.services.webhooks import events_tell, webhook_deliver

TASKS = Tasks(
    jobs=(
        # One after the other, as harvests.
        Job("read_calendars", "own calendars", _("Own calendars"), 60.0, calendar_read, goes_on=True),
    ),
    effects={
        "letter": letter_mail,
        "webhook": webhook_deliver,
        "instrument": lambda row, now: outcome(events_tell(row, now=now)),
        "event": lambda row, now: outcome(events_tell(row, now=now)),
        "struck": lambda row, now: outcome(events_tell(row, now=now)),
    },
    letters=(reservations.KINDS, webhooks.KINDS),
    keeps=(
        # With the calls of each delivery.
        Kept(
            "webhook-deliveries", _("Webhook deliveries and their responses"), timedelta(days=30), "made",
            lambda before: WebhookDelivery.objects.filter(created_at__lt=before).exclude(state="waiting"),
            least=7,
        ),
        # Behind their deliveries, with which they stay.
        Kept("events", _("Events, as programs read them"), timedelta(days=30), "made", events_past, least=7),
        # As long as `deletions/` says.
        Kept("deletions", _("Deletions, as programs read them"), KEPT_FOR, "made", deletions_past),
    ),
)  # fmt: skip

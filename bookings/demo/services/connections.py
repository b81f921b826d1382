"""Create people's choices about messages and calendars, and a webhook with some past calls. No address in it
is ever called."""

from datetime import datetime, time, timedelta
from uuid import uuid5

from accounts.domain.messages import Choice, Quiet
from accounts.domain.roles import By
from accounts.services.messages import choices_set
from bookings.catalogue.models import BusyTime
from bookings.messaging.domain.webhooks import body_of
from bookings.messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from bookings.messaging.services.feeds import busy_calendar_set, feed_make
from bookings.messaging.services.webhooks import webhook_add
from bookings.world import Places

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Event, hours ago, status of each call.
CALLS = (
    ("reservation.confirmed", 50, (200,)),
    ("reservation.moved", 27, (503, 503, 200)),
    ("charge.made", 5, (200,)),
)


def connections_make(places: Places, now: datetime) -> int:
    """Create the choices about messages and calendars, and the webhook with its calls; return how many things
    were created."""
    researcher = places.people["researcher@demo.test"].actor
    manager = places.people["manager@demo.test"]
    choices_set(
        By(manager.actor, now - 30 * DAY),
        topics={"request": Choice("daily"), "record": Choice("weekly")},
        quiet=Quiet(time(22), time(7)),
    )
    feed_make(By(researcher, now - 20 * DAY), instrument_id=None)
    calendar = busy_calendar_set(
        By(researcher, now - 20 * DAY), address="https://calendar.example/lin/basic.ics"
    )
    calendar.read_at, calendar.due_at = now - HOUR, None
    calendar.save(update_fields=["read_at", "due_at"])
    noon = now.replace(hour=4, minute=0, second=0, microsecond=0)
    BusyTime.objects.bulk_create(
        BusyTime(calendar=calendar, start_at=noon + n * DAY, end_at=noon + n * DAY + HOUR)
        for n in range(1, 21)
        if (noon + n * DAY).weekday() < 5
    )
    assert manager.organisation is not None
    hook = webhook_add(
        By(manager.actor, now - 60 * DAY),
        organisation_id=manager.organisation.pk,
        address="https://lims.example/hooks/instruments",
        events=["reservation.confirmed", "reservation.moved", "charge.made"],
        description="LIMS",
    )
    for event, hours, statuses in CALLS:
        _delivered(hook, event, now - hours * HOUR, statuses)
    WebhookEndpoint.objects.filter(pk=hook.pk).update(
        state="disabled", succeeded_at=now - CALLS[-1][1] * HOUR
    )
    return 4


def _delivered(hook: WebhookEndpoint, event: str, at: datetime, statuses: tuple[int, ...]) -> None:
    about = uuid5(hook.pk, event)
    delivery = WebhookDelivery.objects.create(
        endpoint=hook,
        event=event,
        about=about,
        cause=f"demo:{event}",
        body=body_of(event, at, {"id": str(about)}),
        state="delivered",
        attempts=len(statuses),
        created_at=at,
    )
    WebhookAttempt.objects.bulk_create(
        WebhookAttempt(
            delivery=delivery,
            at=at + number * 5 * timedelta(minutes=1),
            milliseconds=80 + 37 * number,
            status=status,
            answer="" if status == 200 else "upstream is restarting",
        )
        for number, status in enumerate(statuses)
    )

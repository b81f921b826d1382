"""What people of the demonstration have chosen about messages and calendars, a webhook with some
calls behind it, and mails that a server did not take. No address in it is ever called."""

from datetime import datetime, time, timedelta
from uuid import uuid5

from accounts.domain.jobs import LETTERS, MOST_ATTEMPTS
from accounts.domain.messages import Choice, Quiet
from accounts.domain.roles import By
from accounts.models import OutboxMessage
from accounts.models.keys import new_id
from accounts.services.messages import choices_set
from bookings.catalogue.models import BusyTime
from bookings.demo.services.places import Places
from bookings.messaging.domain.webhooks import body_of
from bookings.messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from bookings.messaging.services.feeds import busy_calendar_set, feed_make
from bookings.messaging.services.webhooks import webhook_add

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Event, hours ago, status of each call.
CALLS = (
    ("reservation.confirmed", 50, (200,)),
    ("reservation.moved", 27, (503, 503, 200)),
    ("charge.made", 5, (200,)),
)


def connections_make(places: Places, now: datetime) -> int:
    """How many were made."""
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


REFUSED = "SMTPRecipientsRefused: 550 5.1.1 Mailbox unavailable"


def trouble_make(*, now: datetime) -> int:
    """Two mails to somebody whose address is gone; trying them again finds nothing left to say."""
    began = now - timedelta(hours=30)
    rows = [
        OutboxMessage(
            kind="letter.send",
            lane=LETTERS,
            key=f"letter:{(message := new_id())}",
            payload={"message": str(message)},
            due_at=began,
            created_at=began,
            attempts=MOST_ATTEMPTS,
            tried_at=now - timedelta(hours=3 + n),
            last_error=REFUSED,
            done_at=now - timedelta(hours=3 + n),
            outcome="failed",
        )
        for n in range(2)
    ]
    OutboxMessage.objects.bulk_create(rows)
    return len(rows)

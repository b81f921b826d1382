"""The manifest of *messaging*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import FOR_HOST, GONE, Area, Merges, Personal, Record
from accounts.domain.jobs import CALLS
from accounts.menu import Below
from bookings.messaging.messages import ACTS, REFUSALS
from bookings.messaging.models import CalendarFeed, WebhookEndpoint

AREA = Area(
    "bookings.messaging",
    refusals=REFUSALS,
    below=(
        Below("bookings:mine", "feeds"),
        Below("instruments:manage", "webhook*"),
        Below("accounts:people", "webhook*", where=lambda actor, _: not actor.has("manager")),
    ),
    records=(
        Record(CalendarFeed, "instrument__name", "instrument__name_zh", acts="feed"),
        Record(WebhookEndpoint, "address", acts="webhook"),
    ),
    acts=ACTS,
    personal=(
        Personal(
            "calendar_feeds", CalendarFeed, {"user": GONE},
            "id created_at revoked_at instrument=instrument__name",
        ),
    ),
    official={
        "bookings.WebhookEndpoint.created_by": FOR_HOST,
    },
    merges=(
        Merges(
            "webhooks", WebhookEndpoint, 160, _("Webhooks"),
            closes=lambda rows, now: rows.update(state="disabled"),
        ),
    ),
    lanes={"webhook": CALLS},
)  # fmt: skip

"""Messages to people who asked in vain, about where else they could go."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import OutboxMessage
from bookings.needs.models import Suggestion
from instruments.register.models import Instrument

_active = row_of(
    Suggestion.objects.select_related("user", "instrument").filter(user__is_active=True), "suggestion"
)


def _load(row: OutboxMessage, now: datetime) -> tuple[Suggestion, list[dict[str, Any]]] | None:
    """Return the suggestion, with those of its offers whose instrument is still published and whose start is
    ahead; None if there are none."""
    suggestion: Suggestion | None = _active(row, now)
    if suggestion is None:
        return None
    published = Instrument.objects.select_related("organisation", "region", "facility").filter(
        publication=Instrument.Publication.PUBLISHED
    )
    by_id = published.in_bulk([UUID(each["instrument"]) for each in suggestion.suggested])
    rows = []
    for each in suggestion.suggested:
        instrument = by_id.get(UUID(each["instrument"]))
        start = datetime.fromisoformat(each["start"])
        if instrument is None or start <= now:
            continue
        query = {name: each[name] for name in ("start", "minutes", "organisation", "service_mode")}
        address = reverse("bookings:book", args=[instrument.pk], query=query)
        rows.append(each | {
            "row": instrument, "start_at": start, "address": settings.SITE_URL + address,
        })  # fmt: skip
    return (suggestion, rows) if rows else None


def _told(loaded: tuple[Suggestion, list[dict[str, Any]]], row: OutboxMessage, now: datetime) -> Content:
    suggestion, rows = loaded
    context = {"suggestion": suggestion, "rows": rows, "asked": suggestion.instrument}
    words = {"instrument": rows[0]["row"]}
    latest = max(each["start_at"] for each in rows)
    return Content(
        suggestion.pk, rows[0]["address"].removeprefix(settings.SITE_URL), words, context,
        matters_until=latest, days=[rows[0]["start_at"]],
    )  # fmt: skip


KINDS = table(
    Kind(
        "suggestion.told",
        _("Free elsewhere: {instrument}"),
        topic="suggestion",
        load=_load,
        readers=lambda loaded: [loaded[0].user],
        content=_told,
        template="bookings/needs/mail/suggestion",
    )
)

"""Messages about alarms: to owners about those that await an answer, to coordinators about unanswered
ones."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, table
from accounts.models import Organisation, OutboxMessage, Region
from accounts.selectors.memberships import coordinators_of, holders_of
from bookings.board.domain.alarms import OPEN, RISEN
from bookings.board.models import IdleAlarm

MOST = 20  # named in a message

type Waiting = tuple[Organisation | Region, list[IdleAlarm], int]


def _load(model: Any, name: str, state: str) -> Callable[[OutboxMessage, datetime], Waiting | None]:
    """Return a function that loads what a message is about: the owner or the region, the first of its alarms
    in the state, and how many there are; None if none is left."""

    def load(row: OutboxMessage, now: datetime) -> Waiting | None:
        place = model.objects.filter(pk=UUID(row.payload[name])).first()
        rows = IdleAlarm.objects.filter(**{"state": state, f"instrument__{name}": place})
        number = rows.count()
        shown = rows.select_related("instrument__facility").order_by("-asked_at", "pk")[:MOST]
        return (place, list(shown), number) if place and number else None

    return load


def _content(waiting: Waiting, row: OutboxMessage, now: datetime) -> Content:
    place, alarms, number = waiting
    context = {"alarms": alarms, "more": number - len(alarms)}
    page = reverse("bookings:alarms") + "?waits=alarms"
    return Content(place.pk, page, {"place": place, "number": number}, context)


_kind = partial(Kind, topic="record", content=_content, template="bookings/board/mail/alarms")
KINDS = table(
    _kind(
        "alarm.raised",
        _("Instruments to explain: {place}"),
        _(
            "These instruments are idle, late or not shared. Please say why, and by when this "
            "will be resolved. Alarms not answered within two months go to the region."
        ),
        load=_load(Organisation, "organisation", OPEN),
        readers=lambda waiting: holders_of("manager", waiting[0].pk),
    ),
    _kind(
        "alarm.risen",
        _("Alarms without an answer: {place}"),
        _("The owners of these instruments have not answered in time."),
        load=_load(Region, "region", RISEN),
        readers=lambda waiting: coordinators_of(waiting[0].lineage),
    ),
)

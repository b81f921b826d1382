"""Messages about alarms: to owners about those that await an answer, to coordinators about unanswered
ones."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import NOBODY
from accounts.letters.kinds import Content, Kind, table
from accounts.models import Organisation, OutboxMessage, Region, User
from accounts.selectors.memberships import coordinators_of, holders_of, in_scope, load_actor
from bookings.board.domain.alarms import OPEN, RISEN
from bookings.board.models import IdleAlarm

MOST = 20  # named in a message

type Waiting = tuple[Organisation | Region, list[IdleAlarm], int, User | None]


def _load(model: Any, name: str, state: str) -> Callable[[OutboxMessage, datetime], Waiting | None]:
    """Return a function that loads what a message is about: the owner or the region, the first of its alarms
    in the state, how many there are, and whom alone to tell: somebody who manages a part of the organisation,
    of the alarms there. None if none is left."""

    def load(row: OutboxMessage, now: datetime) -> Waiting | None:
        place = model.objects.filter(pk=UUID(row.payload[name])).first()
        rows = IdleAlarm.objects.filter(**{"state": state, f"instrument__{name}": place})
        person = None
        if "user" in row.payload:
            person = User.objects.filter(pk=UUID(row.payload["user"]), is_active=True).first()
            scope = (load_actor(person) if person else NOBODY).scope_where("manage-instruments")
            if place and place.pk in scope.organisations:  # the message to the whole host tells them
                return None
            rows = rows.filter(in_scope(scope, "instrument__organisation"))
        number = rows.count()
        shown = rows.select_related("instrument__facility").order_by("-asked_at", "pk")[:MOST]
        return (place, list(shown), number, person) if place and number else None

    return load


def _content(waiting: Waiting, row: OutboxMessage, now: datetime) -> Content:
    place, alarms, number, _person = waiting
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
        readers=lambda waiting: [waiting[3]] if waiting[3] else holders_of("manager", waiting[0].pk),
    ),
    _kind(
        "alarm.risen",
        _("Alarms without an answer: {place}"),
        _("The owners of these instruments have not answered in time."),
        load=_load(Region, "region", RISEN),
        readers=lambda waiting: coordinators_of(waiting[0].lineage),
    ),
)

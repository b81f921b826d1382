"""Messages about maintenance that a counter says is due."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import MANAGER
from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import holders_of
from bookings.questions.models import CounterCycle
from instruments.register.models import Instrument

_load = row_of(
    CounterCycle.objects.select_related("counter__meter__instrument__facility").filter(
        ended_at=None, counter__is_active=True
    ),
    "cycle",
)


def _managers(instrument: Instrument) -> list[User]:
    """Return who is told: the page of meters is for managers alone."""
    return list(holders_of(MANAGER, instrument.organisation_id, instrument))


def _content(cycle: CounterCycle, row: OutboxMessage, now: datetime) -> Content:
    counter = cycle.counter
    instrument = counter.meter.instrument
    words = {"instrument": instrument, "counter": counter, "limit": f"{counter.limit.normalize():f}"}
    context = {"instruments": [instrument], "cycle": cycle, "counter": counter}
    page = reverse("bookings:meters", args=[instrument.pk])
    return Content(instrument.pk, page, words, context)


def _kind(name: str, subject: object, lead: object) -> Kind:
    return Kind(
        name,
        subject,
        lead,
        "record",
        load=_load,
        readers=lambda cycle: _managers(cycle.counter.meter.instrument),
        content=_content,
        template="bookings/usage/mail/counter",
    )


KINDS = table(
    _kind(
        "counter.near",
        _("Maintenance soon due: {counter}, {instrument}"),
        _("{counter} is nearly due at {instrument}."),
    ),
    _kind(
        "counter.reached",
        _("Maintenance due: {counter}, {instrument}"),
        _("{counter} is due at {instrument}."),
    ),
)

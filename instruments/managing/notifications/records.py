"""Messages about records of instruments, to the people who can act on them."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import NOBODY
from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import Organisation, OutboxMessage, TrailText, User
from accounts.selectors.memberships import holders_of, in_scope, load_actor
from instruments.managing.selectors.managing import load_standings
from instruments.managing.selectors.quality import stale_records
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH

MOST_LISTED = 30


def _is(publication: str) -> Callable[[Instrument, OutboxMessage, datetime], bool]:
    """Return a condition under which a message is still true: the instrument is in this state of
    publication."""
    return lambda instrument, row, now: instrument.publication == publication


def _step(instrument: Instrument, row: OutboxMessage, now: datetime) -> Content:
    text = TrailText.objects.filter(entry_id=UUID(row.payload["entry"])).first()
    is_asked = row.kind == "record.submitted"
    context = {
        "instruments": [instrument],
        "missing": load_standings([instrument], now)[0].missing if is_asked else (),
        "reason": text.content.get("reason", "") if text else "",
    }
    page = reverse("instruments:instrument-manage", args=[instrument.pk])
    return Content(instrument.pk, page, {"instrument": instrument}, context)


type Stale = tuple[Organisation, QuerySet[Any], int, list[User]]


def _load_stale(row: OutboxMessage, now: datetime) -> Stale | None:
    """Return the host, its stale records, their number, and whom to tell: its managers of all of them or, for
    a row that names somebody who manages a part of it, this person of those there. None if there are none."""
    host = Organisation.objects.get(pk=UUID(row.payload["organisation"]))
    records, people = stale_records(now).filter(organisation=host), holders_of("manager", host.pk)
    if one := row.payload.get("user"):
        people = User.objects.filter(pk=UUID(one), is_active=True)
        actor = load_actor(person) if (person := people.first()) else NOBODY
        scope = actor.scope_where("manage-instruments")
        if host.pk in scope.organisations:  # the message to the whole host tells them
            return None
        records = records.filter(in_scope(scope, "organisation", None))
    return (host, records, total, list(people)) if (total := records.count()) else None


def _stale(stale: Stale, row: OutboxMessage, now: datetime) -> Content:
    host, records, total, _people = stale
    instruments = list(records[:MOST_LISTED])
    context = {"instruments": instruments, "more": max(0, total - MOST_LISTED)}
    page = reverse("instruments:manage") + "?stale=on"
    return Content(instruments[0].pk, page, {"host": host}, context)


_kind = partial(Kind, template="instruments/mail/record")
_step_kind = partial(
    _kind, load=row_of(Instrument.objects.select_related(*WITH, "submitted_by"), "instrument"), content=_step
)
_answer = partial(
    _step_kind,
    topic="decision",
    readers=lambda instrument: [instrument.submitted_by] if instrument.submitted_by else [],
)
KINDS = table(
    _step_kind(
        "record.submitted",
        _("To publish: {instrument}"),
        _("A record was submitted. Review it, then publish it or return it."),
        "request",
        readers=lambda instrument: holders_of("manager", instrument.organisation_id, instrument),
        is_still_true=_is("submitted"),
    ),
    _answer(
        "record.returned",
        _("Returned: {instrument}"),
        _("The record you submitted was returned as a draft: it needs changes first."),
        is_still_true=_is("draft"),
    ),
    _answer(
        "record.published",
        _("Published: {instrument}"),
        _("The record you submitted is in the catalogue now."),
        is_still_true=_is("published"),
    ),
    _kind(
        "record.stale",
        _("Please confirm: records of {host}"),
        _(
            "These records have not been changed or confirmed for a year. Please review them and "
            "correct what is out of date, or confirm each with one click."
        ),
        "record",
        load=_load_stale,
        readers=lambda stale: stale[3],
        content=_stale,
    ),
)

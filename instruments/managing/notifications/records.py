"""Messages about records of instruments, to the people who can act on them."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import Organisation, OutboxMessage, TrailText
from accounts.selectors.memberships import holders_of
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


def _load_stale(row: OutboxMessage, now: datetime) -> tuple[Organisation, QuerySet[Any], int] | None:
    """Return the host, its stale records and their number; None if it has none."""
    host = Organisation.objects.get(pk=UUID(row.payload["organisation"]))
    records = stale_records(now).filter(organisation=host)
    return (host, records, total) if (total := records.count()) else None


def _stale(stale: tuple[Organisation, QuerySet[Any], int], row: OutboxMessage, now: datetime) -> Content:
    host, records, total = stale
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
        readers=lambda instrument: holders_of("manager", instrument.organisation_id),
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
        readers=lambda stale: holders_of("manager", stale[0].pk),
        content=_stale,
    ),
)

"""Messages about records of instruments: to whoever may do something about them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.letters import Letter, framed
from accounts.models import Organisation, OutboxMessage, TrailText, User
from accounts.selectors.memberships import holders_of
from accounts.selectors.messages import readers_of
from instruments.models import Instrument
from instruments.selectors.managing import load_standings
from instruments.selectors.quality import stale_records
from instruments.selectors.registry import WITH

# Subject and first sentence.
KINDS = {
    "submitted": (
        _("To publish: {instrument}"),
        _("A record was submitted. Review it, then publish it or return it."),
    ),
    "returned": (
        _("Returned: {instrument}"),
        _("The record you submitted is a draft again: changes are needed first."),
    ),
    "published": (
        _("Published: {instrument}"),
        _("The record you submitted is in the catalogue now."),
    ),
    "stale": (
        _("Please confirm: records of {host}"),
        _(
            "These records have not been changed or confirmed for a year. Please review them and "
            "correct what is out of date, or confirm each with one click."
        ),
    ),
}
# What an instrument must be for its message to say something true.
STATES = {"submitted": "submitted", "returned": "draft", "published": "published"}
MOST_LISTED = 30


def record_letters(row: OutboxMessage, now: datetime) -> list[Letter]:
    """The letters of an outbox row; none where it no longer says anything true, or nobody is
    there to read it."""
    kind = row.kind.partition(".")[2]
    return _stale_letters(row, now) if kind == "stale" else _step_letters(kind, row, now)


def _step_letters(kind: str, row: OutboxMessage, now: datetime) -> list[Letter]:
    instrument = (
        Instrument.objects.select_related(*WITH, "submitted_by")
        .filter(pk=UUID(row.payload["instrument"]), publication=STATES[kind])
        .first()
    )
    if instrument is None:
        return []
    page = reverse("instruments:instrument-manage", args=[instrument.pk])
    text = TrailText.objects.filter(entry_id=UUID(row.payload["entry"])).first()
    context = {
        "instruments": [instrument],
        "missing": load_standings([instrument], now)[0].missing if kind == "submitted" else (),
        "reason": text.content.get("reason", "") if text else "",
        "link": page,
    }
    people: list[User] = []
    if kind == "submitted":
        people = list(holders_of("manager", instrument.organisation_id))
    elif instrument.submitted_by and instrument.submitted_by.is_active:
        people = [instrument.submitted_by]
    return [_letter(kind, person, context) for person in readers_of(people, _topic(kind))]


def _stale_letters(row: OutboxMessage, now: datetime) -> list[Letter]:
    host = Organisation.objects.get(pk=UUID(row.payload["organisation"]))
    found = stale_records(now).filter(organisation=host)
    total = found.count()
    if not total:
        return []
    context = {
        "instruments": list(found[:MOST_LISTED]),
        "more": max(0, total - MOST_LISTED),
        "host": host,
        "link": reverse("instruments:manage") + "?stale=on",
    }
    people = readers_of(holders_of("manager", host.pk), "record")
    return [_letter("stale", person, context) for person in people]


def _topic(kind: str) -> str:
    """Managers are asked, those who submitted are answered."""
    return {"submitted": "request", "stale": "record"}.get(kind, "decision")


def _letter(kind: str, person: User, context: dict[str, Any]) -> Letter:
    """In the reader's language."""
    with translation.override(person.language):
        first = context["instruments"][0]
        is_chinese = person.language.startswith("zh")
        facts = {
            name: (is_chinese and thing.name_zh) or thing.name
            for name, thing in (("instrument", first), ("host", first.organisation))
        }
        subject, lead = (str(text).format_map(facts) for text in KINDS[kind])
        content = context | {
            "kind": kind,
            "lead": lead,
            "link": settings.SITE_URL + context["link"],
        }
        text, html = framed("bookings/messaging/mail/record", _topic(kind), person, content)
        return Letter(
            person=person,
            topic=_topic(kind),
            kind=f"record.{kind}",
            subject=" ".join(subject.split()),
            text=text,
            html=html,
            link=context["link"],
            about=first.pk,
        )

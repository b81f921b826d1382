"""Messages about courses: places, sessions, and certificates that run out."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.letters import Letter, day_words, framed
from accounts.models import OutboxMessage
from accounts.selectors.messages import readers_of
from bookings.catalogue.selectors.training import bookings_after
from instruments.domain.opening import local_date
from instruments.models import Enrolment, Qualification
from instruments.selectors.qualifications import zone_of
from instruments.selectors.training import SESSION_WITH, is_followed, load_renewal

# Subject and first sentence.
KINDS = {
    "enrolled": (_("You have a place: {course}"), _("You have a place in this session.")),
    "waiting": (
        _("On the waiting list: {course}"),
        _("All places are taken. You will be notified as soon as you have one."),
    ),
    "moved-up": (
        _("You have a place now: {course}"),
        _("Somebody cancelled, and you were next in line: the place is yours."),
    ),
    "withdrawn": (
        _("Your place was cancelled: {course}"),
        _("The organisation that gives the course took you off the list of this session."),
    ),
    "changed": (
        _("Another time or place: {course}"),
        _("This session now takes place as stated below."),
    ),
    "cancelled": (_("Cancelled: {course}"), _("This session does not take place.")),
    "passed": (
        _("Passed: {course}"),
        _("You have passed, and are certified for {thing} from now on."),
    ),
    "expiring": (
        _("Your certificate is about to expire: {thing}"),
        _("Your certificate for {thing} is valid to the end of {until}."),
    ),
}
# What is true only while the place stands.
WHILE = {"enrolled": "enrolled", "waiting": "waiting", "moved-up": "enrolled"}


def training_letters(row: OutboxMessage, now: datetime) -> list[Letter]:
    """To the person; none where it says nothing true any more."""
    kind = row.kind.partition(".")[2]
    return _expiring(row, now) if kind == "expiring" else _of_enrolment(row, kind)


def _of_enrolment(row: OutboxMessage, kind: str) -> list[Letter]:
    with_session = [f"session__{name}" for name in SESSION_WITH]
    found = (
        Enrolment.objects.select_related("user", "qualification", *with_session)
        .filter(pk=UUID(row.payload["enrolment"]))
        .first()
    )
    if found is None or WHILE.get(kind, found.state) != found.state:
        return []
    session = found.session
    if session.cancelled_at is not None and kind != "cancelled":
        return []
    context = {
        "session": session,
        "zone": session.facility.time_zone,
        "reason": session.reason if kind == "cancelled" else "",
        "qualification": found.qualification,
        "link": reverse("instruments:course", args=[session.course_id]),
    }
    return [
        _letter(kind, person, session.course, session.course, context)
        for person in readers_of([found.user], "training")
    ]


def _expiring(row: OutboxMessage, now: datetime) -> list[Letter]:
    found = (
        Qualification.objects.select_related(
            "user", "issuer__region", "instrument__facility", "technique"
        )
        .filter(pk=UUID(row.payload["qualification"]), revoked_at=None, valid_until__isnull=False)
        .first()
    )
    if found is None or is_followed(found):
        return []
    zone = zone_of(found)
    if found.valid_until is None or found.valid_until < local_date(zone, now):
        return []
    context = {
        "offers": load_renewal(found, now),
        "bookings": bookings_after(found, now),
        "site": settings.SITE_URL,
        "until": found.valid_until,
        "link": reverse("instruments:training"),
    }
    return [
        _letter("expiring", person, None, found, context)
        for person in readers_of([found.user], "expiry")
    ]


def _letter(kind: str, person: Any, course: Any, certified: Any, context: dict[str, Any]) -> Letter:
    """In the reader's language; `certified`: a course or a certificate, of a thing."""
    subject, lead = KINDS[kind]
    topic = "expiry" if kind == "expiring" else "training"
    with translation.override(person.language):
        until = context.get("until")
        facts = {
            "course": _named(course, person.language) if course else "",
            "thing": _named(certified.instrument or certified.technique, person.language),
            "until": day_words(until) if until else "",
        }
        content = context | {
            "kind": kind,
            "lead": str(lead).format_map(facts),
            "course_name": facts["course"],
            "link": settings.SITE_URL + context["link"],
        }
        text, html = framed("bookings/messaging/mail/training", topic, person, content)
        session = context.get("session")
        return Letter(
            person=person,
            topic=topic,
            kind=f"training.{kind}",
            subject=" ".join(str(subject).format_map(facts).split()),
            text=text,
            html=html,
            link=context["link"],
            about=certified.pk,
            matters_until=session.start_at if session else None,
        )


def _named(thing: Any, language: str) -> str:
    return str((language.startswith("zh") and thing.name_zh) or thing.name)

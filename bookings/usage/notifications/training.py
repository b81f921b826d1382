"""Messages about courses: places, sessions, and certificates that run out."""

from datetime import datetime
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, in_state, row_of, table
from accounts.models import OutboxMessage, User
from bookings.catalogue.selectors.training import bookings_after
from instruments.reading.domain.clock import local_date
from instruments.training.models import Enrolment, Qualification
from instruments.training.selectors.qualifications import zone_of
from instruments.training.selectors.training import SESSION_WITH, is_followed, load_renewal

TEMPLATE = "bookings/usage/mail/training"
_enrolment = row_of(
    Enrolment.objects.select_related("user", "qualification", *(f"session__{name}" for name in SESSION_WITH)),
    "enrolment",
)
_running_out = row_of(
    Qualification.objects.select_related(
        "user", "issuer__region", "instrument__facility", "technique"
    ).filter(revoked_at=None, valid_until__isnull=False),
    "qualification",
)


def _load_enrolment(row: OutboxMessage, now: datetime) -> Enrolment | None:
    """Return the place in a course; None if its session was cancelled, unless the message is to say so."""
    enrolment: Enrolment | None = _enrolment(row, now)
    if enrolment is None or row.kind == "training.cancelled":
        return enrolment
    return enrolment if enrolment.session.cancelled_at is None else None


def _of_enrolment(enrolment: Enrolment, row: OutboxMessage, now: datetime) -> Content:
    session = enrolment.session
    course = session.course
    return Content(
        course.pk,
        reverse("instruments:course", args=[course.pk]),
        {"course": course, "thing": course.instrument or course.technique},
        {
            "session": session,
            "reason": session.reason if row.kind == "training.cancelled" else "",
            "qualification": enrolment.qualification,
        },
        zone=session.facility.time_zone,
        matters_until=session.start_at,
        days=[session.start_at],
    )


def _load_expiring(row: OutboxMessage, now: datetime) -> Qualification | None:
    """Return the certificate that a message is about; None if another follows it or it has expired."""
    held: Qualification | None = _running_out(row, now)
    if held is None or held.valid_until is None or is_followed(held):
        return None
    return held if held.valid_until >= local_date(zone_of(held), now) else None


def _expiring(held: Qualification, row: OutboxMessage, now: datetime) -> Content:
    return Content(
        held.pk,
        reverse("instruments:training"),
        {"thing": held.instrument or held.technique, "until": held.valid_until},
        {"offers": load_renewal(held, now), "bookings": bookings_after(held, now)},
        days=[held.valid_until] if held.valid_until else [],
    )


def _person(held: Enrolment | Qualification) -> list[User]:
    return [held.user]


_place = partial(
    Kind, topic="training", load=_load_enrolment, readers=_person, content=_of_enrolment, template=TEMPLATE
)
KINDS = table(
    _place(
        "training.enrolled",
        _("You have a place: {course}"),
        _("You have a place in this session."),
        is_still_true=in_state("enrolled"),
    ),
    _place(
        "training.waiting",
        _("On the waiting list: {course}"),
        _("All places are taken. You will be notified as soon as you have one."),
        is_still_true=in_state("waiting"),
    ),
    _place(
        "training.moved-up",
        _("You have a place now: {course}"),
        _("Somebody cancelled, and you were next in line: the place is yours."),
        is_still_true=in_state("enrolled"),
    ),
    _place(
        "training.withdrawn",
        _("Your place was cancelled: {course}"),
        _("The organisation that gives the course has removed you from the list of this session."),
    ),
    _place(
        "training.changed",
        _("New time or place: {course}"),
        _("This session now takes place at the time and place below."),
    ),
    _place("training.cancelled", _("Cancelled: {course}"), _("This session will not take place.")),
    _place(
        "training.passed",
        _("Passed: {course}"),
        _("You have passed, and are certified for {thing} from now on."),
    ),
    Kind(
        "training.expiring",
        _("Your certificate is about to expire: {thing}"),
        _("Your certificate for {thing} is valid to the end of {until}."),
        "expiry",
        load=_load_expiring,
        readers=_person,
        content=_expiring,
        template=TEMPLATE,
    ),
)

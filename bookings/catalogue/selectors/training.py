"""Connect courses with bookings: the courses that give a missing certificate, and the bookings after a
certificate ends."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bookings.availability.domain.availability import UNCERTIFIED
from bookings.record.domain.refusals import CourseOffered, Refusal, SessionOffered
from bookings.record.domain.reservations import OCCUPYING
from bookings.record.models import Reservation
from instruments.reading.domain.clock import day_span
from instruments.register.models import Instrument
from instruments.training.models import Qualification
from instruments.training.selectors.qualifications import is_of_needed, zone_of
from instruments.training.selectors.training import CourseOffer, courses_giving, free_places

MOST_NAMED = 20


def with_courses(refusals: Sequence[Refusal], instrument: Instrument, now: datetime) -> tuple[Refusal, ...]:
    """Return the refusals; one about a certificate that is missing or ends too early lists the host's courses
    that give it. It takes two statements if there is one, otherwise none."""
    if not any(refusal.code in UNCERTIFIED for refusal in refusals):
        return tuple(refusals)
    courses = tuple(_offered(offer) for offer in courses_giving(instrument, now))
    return tuple(
        replace(refusal, courses=courses) if refusal.code in UNCERTIFIED else refusal for refusal in refusals
    )


def _offered(offer: CourseOffer) -> CourseOffered:
    course = offer.course
    return CourseOffered(
        course=course.pk,
        name=course.name,
        name_zh=course.name_zh,
        sessions=tuple(
            SessionOffered(
                session=session.pk,
                start=session.start_at,
                end=session.end_at,
                time_zone=session.facility.time_zone,
                free=free_places(session),
            )
            for session in offer.sessions
        ),
    )


def bookings_after(row: Qualification, now: datetime) -> list[Reservation]:
    """Return the first upcoming bookings that the holder of a certificate has after it ends, to work alone,
    of instruments of the issuer that require it. It takes one statement."""
    if row.valid_until is None:
        return []
    end = day_span(zone_of(row), row.valid_until)[1]
    rows = Reservation.objects.filter(
        user_id=row.user_id,
        state__in=OCCUPYING,
        service_mode="self",
        host_id=row.issuer_id,
        end_at__gt=max(end, now),
        start_at__gt=now,
    ).select_related("instrument__facility", "instrument__policy")
    lacking = [r for r in rows.order_by("start_at", "id") if is_of_needed(row, r.instrument)]
    return lacking[:MOST_NAMED]

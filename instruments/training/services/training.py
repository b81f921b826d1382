"""Create, change and end courses and their sessions."""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation, User
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible
from accounts.selectors.users import members_among
from accounts.services.memberships import checked_reason
from instruments.register.models import Facility, Instrument
from instruments.training.domain.training import CourseTerms, SessionTerms
from instruments.training.models import Course, CourseSession, Enrolment
from instruments.training.selectors.training import SEATED, courses_for, place_of_course, running_out
from instruments.training.services.enrolments import enrolment_settle, lock_seen_session, places_fill
from instruments.vocabulary.models import Technique

# This app does not know bookings: functions that close an instrument for a session, as it is now,
# join here (`joins` of an area); they displace bookings in the way if told so. If one refuses, nothing is
# changed.
Keeper = Callable[[By, CourseSession, bool], None]
keepers: list[Keeper] = []


@transaction.atomic
def course_create(
    by: By,
    *,
    host: Organisation,
    terms: CourseTerms,
    instrument: Instrument | None = None,
    technique: Technique | None = None,
) -> Course:
    """Offer a course that certifies for an instrument of the host, or for a technique.

    `NotPermitted` unless the actor manages the host, or the instrument; `Invalid` if a value is wrong,
    `not-for-course` for another organisation's instrument.
    """
    require(by.actor, "manage-instruments", place_of(host, instrument))
    require_open(host)
    if (instrument is None) == (technique is None):
        raise invalid("instrument", "instrument-or-technique")
    if instrument is not None and instrument.organisation_id != host.pk:
        raise invalid("instrument", "not-for-course")
    terms.check()
    row = Course(organisation=host, instrument=instrument, technique=technique, created_at=by.now)
    before = _prerequisites(row, terms)
    _put_course(row, terms)
    row.save(force_insert=True)
    row.prerequisites.set(before)
    trail.record(by, "course.create", row, after=_course_told(row, before), places=row.organisation.places())
    return row


@transaction.atomic
def course_change(by: By, *, course_id: UUID, terms: CourseTerms) -> Course:
    """Change the terms of a course. What it certifies stays, and certificates already given stay as they are.
    `WrongState` (`course-retired`) if it is retired."""
    row = _locked_course(by, course_id)
    terms.check()
    prerequisites = _prerequisites(row, terms)
    was = _course_told(row, row.prerequisites.all())
    _put_course(row, terms)
    row.version += 1
    row.save()
    row.prerequisites.set(prerequisites)
    told = _course_told(row, prerequisites)
    trail.record(by, "course.change", row, before=was, after=told, places=row.organisation.places())
    return row


@transaction.atomic
def course_retire(by: By, *, course_id: UUID) -> Course:
    """Stop offering a course; its certificates stay. `WrongState` (`sessions-ahead`) if it has upcoming
    sessions, which must be cancelled first."""
    row = _locked_course(by, course_id)
    ahead = row.sessions.filter(cancelled_at=None, end_at__gt=by.now).count()
    if ahead:
        raise WrongState("sessions-ahead", count=ahead)
    row.retired_at = by.now
    row.version += 1
    row.save(update_fields=["retired_at", "version"])
    trail.record(by, "course.retire", row, after={"retired_at": by.now}, places=row.organisation.places())
    return row


@transaction.atomic
def session_create(
    by: By, *, course_id: UUID, facility: Facility, terms: SessionTerms, displace: bool = False
) -> CourseSession:
    """Schedule a session of a course; trainers must be members of the host. The instrument that it occupies
    is closed meanwhile. `Invalid` if a value is wrong, `not-for-course` for another organisation's facility
    or instrument; `WrongState` if bookings are in the way and `displace` does not say that they give way."""
    course = _locked_course(by, course_id)
    if facility.organisation_id != course.organisation_id:
        raise invalid("facility", "not-for-course")
    terms.check(by.now, is_new=True)
    _check_instrument(by, course, terms, is_new=True)
    _check_trainers(course, terms)
    row = CourseSession(course=course, facility=facility, created_at=by.now)
    _put_session(row, terms)
    row.save(force_insert=True)
    row.trainers.set(User.objects.filter(pk__in=terms.trainers))
    told = _session_told(row, terms.trainers)
    trail.record(by, "course-session.create", row, after=told, places=course.organisation.places())
    _keep(by, row, displace)
    return row


@transaction.atomic
def session_change(
    by: By, *, session_id: UUID, terms: SessionTerms, facility: Facility | None = None, displace: bool = False
) -> CourseSession:
    """Change time, place, instrument or number of places of a session that has not begun; the instrument is
    closed at the new time instead. People who have a place or wait are told by mail of another time or place;
    if there are more places, people who wait get them. `Invalid` (`fewer-than-enrolled`) if more places are
    taken; `WrongState` if bookings are in the way and `displace` does not say that they give way."""
    row = lock_seen_session(by, session_id)
    host = row.course.organisation
    require(by.actor, "manage-instruments", place_of_course(row.course))
    _check_ahead(by, row)
    if facility is not None and facility.organisation_id != host.pk:
        raise invalid("facility", "not-for-course")
    terms.check(by.now, is_new=row.start_at != terms.start)
    is_new = (row.instrument_id, row.start_at, row.end_at) != (terms.instrument, terms.start, terms.end)
    _check_instrument(by, row.course, terms, is_new=is_new)
    _check_trainers(row.course, terms)
    taken = row.enrolments.filter(state__in=SEATED).count()
    if terms.places < taken:
        raise invalid("places", "fewer-than-enrolled", taken=taken)
    was = _session_told(row, row.trainers.values_list("pk", flat=True))
    seen = row.start_at, row.end_at, row.location, row.facility_id
    row.facility = facility or row.facility
    _put_session(row, terms)
    row.version += 1
    row.save()
    row.trainers.set(User.objects.filter(pk__in=terms.trainers))
    told = _session_told(row, terms.trainers)
    trail.record(by, "course-session.change", row, before=was, after=told, places=host.places())
    _keep(by, row, displace)
    if seen != (row.start_at, row.end_at, row.location, row.facility_id):
        _tell(row, "changed", by.now)
    places_fill(by, session=row)
    return row


@transaction.atomic
def session_cancel(by: By, *, session_id: UUID, reason: str) -> CourseSession:
    """Cancel a session that has not begun. Everybody who has a place or waits is told the reason by mail. Its
    instrument is free again."""
    row = lock_seen_session(by, session_id)
    host = row.course.organisation
    require(by.actor, "manage-instruments", place_of_course(row.course))
    _check_ahead(by, row)
    reason = checked_reason(reason, is_owed=True)
    row.cancelled_at, row.reason = by.now, reason
    row.version += 1
    row.save(update_fields=["cancelled_at", "reason", "version"])
    after = {"cancelled_at": by.now}
    trail.record(by, "course-session.cancel", row, after=after, reason=reason, places=host.places())
    _keep(by, row)
    for place in row.enrolments.filter(state__in=["enrolled", "waiting"], price__isnull=False).order_by("pk"):
        place.session = row
        enrolment_settle(by, place, place.state)
    _tell(row, "cancelled", by.now)
    return row


def _keep(by: By, row: CourseSession, displace: bool = False) -> None:
    for keep in keepers:
        keep(By(by.actor, by.now), row, displace)


@transaction.atomic
def certificates_remind(*, now: datetime) -> int:
    """Send reminders to holders of certificates that end soon, one mail per certificate and step even if
    called again; return how many were due."""
    due = running_out(now)
    enqueue(
        [
            Effect(
                "training.expiring",
                f"training.expiring.{row.pk}.{step}",
                {"qualification": str(row.pk), "user": str(row.user_id), "days": step},
            )
            for row, step in due
        ],
        now=now,
    )
    return len(due)


def _locked_course(by: By, course_id: UUID) -> Course:
    rows = courses_for(by.actor).select_for_update(of=("self",), no_key=True)
    row = visible(rows.prefetch_related(None), pk=course_id)
    require(by.actor, "manage-instruments", place_of_course(row))
    by.require_version(row.version)
    if row.retired_at is not None:
        raise WrongState("course-retired")
    return row


def _check_ahead(by: By, row: CourseSession) -> None:
    by.require_version(row.version)
    if row.cancelled_at is not None:
        raise WrongState("session-cancelled")
    if row.start_at <= by.now:
        raise WrongState("session-begun")


def _prerequisites(row: Course, terms: CourseTerms) -> list[Course]:
    ids = set(terms.prerequisites)
    if row.pk in ids:
        raise invalid("prerequisites", "not-itself")
    rows = list(Course.objects.filter(pk__in=ids, organisation=row.organisation))
    if len(rows) != len(ids):
        raise invalid("prerequisites", "unknown-value")
    return rows


def _check_trainers(course: Course, terms: SessionTerms) -> None:
    if len(members_among(terms.trainers, course.organisation_id)) != len(set(terms.trainers)):
        raise invalid("trainers", "not-of-the-host")


def _check_instrument(by: By, course: Course, terms: SessionTerms, *, is_new: bool) -> None:
    """Raise `Invalid` unless the instrument is one of the host, and `NotPermitted` unless the actor manages
    it, if it is to be closed for a time for which the session does not close it yet (`is_new`)."""
    if not terms.instrument:
        return
    mine = Instrument.objects.filter(organisation_id=course.organisation_id, merged_into=None)
    instrument = mine.filter(pk=terms.instrument).first()
    if instrument is None:
        raise invalid("instrument", "not-for-course")
    if is_new:
        require(by.actor, "manage-instruments", place_of(course.organisation, instrument))


def _put_course(row: Course, terms: CourseTerms) -> None:
    row.name, row.name_zh = terms.name.strip(), terms.name_zh.strip()
    row.description = terms.description.strip()
    row.description_zh = terms.description_zh.strip()
    row.months, row.places = terms.months, terms.places


def _put_session(row: CourseSession, terms: SessionTerms) -> None:
    row.start_at, row.end_at, row.deadline_at = terms.start, terms.end, terms.deadline
    row.places, row.location = terms.places, terms.location.strip()
    row.instrument_id = terms.instrument


def _tell(row: CourseSession, kind: str, now: datetime) -> None:
    """Tell everybody who has a place in a course session or waits for one."""
    told = row.enrolments.filter(state__in=[Enrolment.State.ENROLLED, Enrolment.State.WAITING])
    enqueue(
        [
            Effect(
                f"training.{kind}",
                f"training.{kind}.{enrolment.pk}.{row.version}",
                {"enrolment": str(enrolment.pk), "user": str(enrolment.user_id)},
            )
            for enrolment in told
        ],
        now=now,
    )


def _course_told(row: Course, prerequisites: Iterable[Course]) -> dict[str, object]:
    return {
        "name": row.name,
        "instrument": row.instrument_id,
        "technique": row.technique.code if row.technique else None,
        "months": row.months,
        "places": row.places,
        "prerequisites": sorted(str(course.pk) for course in prerequisites),
    }


def _session_told(row: CourseSession, trainers: Iterable[UUID]) -> dict[str, object]:
    return {
        "course": row.course_id,
        "facility": row.facility_id,
        "start": row.start_at,
        "end": row.end_at,
        "deadline": row.deadline_at,
        "places": row.places,
        "instrument": row.instrument_id,
        "trainers": sorted(map(str, trainers)),
    }

"""Give places in course sessions, take them back, pass them on to people in line, and record results."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import trail
from accounts.domain.errors import NotPermitted, Refused, WrongState, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import User
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from accounts.services.jobs import work_through
from instruments.reading.domain.clock import local_date
from instruments.training.domain.training import RESULTS, last_day, moving_up
from instruments.training.models import CourseSession, Enrolment
from instruments.training.selectors import training
from instruments.training.services.qualifications import qualification_put


@transaction.atomic
def enrolment_make(by: By, *, user: User, session_id: UUID, waits: bool = False) -> Enrolment:
    """Enrol the actor in a session until its deadline, or, as a manager of the host, somebody else until its
    end. `waits`: if no place is free, join the end of the line.

    `NotPermitted` for others, and (`join-first`) for members of no organisation; `WrongState`:
    `session-cancelled`, `session-begun`, `enrolment-closed`, `gives-it` for its trainers, `already-enrolled`,
    `prerequisite-missing`, `session-full`.
    """
    session = lock_seen_session(by, session_id)
    host = session.course.organisation
    manages = by.actor.may("manage-instruments", place_of(host))
    if by.actor.person != user.pk:
        require(by.actor, "manage-instruments", place_of(host))
    elif not by.actor.organisations:
        raise NotPermitted("join-first")
    _check_open(session, by.now, manages=manages and by.actor.person != user.pk)
    if session.trainers.filter(pk=user.pk).exists():
        raise WrongState("gives-it")
    standing = session.enrolments.exclude(state=Enrolment.State.WITHDRAWN)
    if standing.filter(user=user).exists():
        raise WrongState("already-enrolled")
    missing = training.lacks(
        user.pk, session.course, local_date(training.session_zone(session), session.start_at)
    )
    if missing is not None:
        raise WrongState("prerequisite-missing", course=missing.name)
    # People in line go first, even if one of them is about to get a free place.
    is_full = standing.filter(state__in=[*training.SEATED, "waiting"]).count() >= session.places
    if is_full and not waits:
        raise WrongState("session-full", places=session.places)
    row = Enrolment.objects.create(
        session=session,
        user=user,
        state=Enrolment.State.WAITING if is_full else Enrolment.State.ENROLLED,
        asked_at=by.now,
        asked_by_id=by.actor.person,
        changed_at=by.now,
    )
    trail.record(by, "enrolment.make", row, after={"state": row.state, "user": user.pk})
    _tell(row, row.state, by.now)
    return row


class EnrolmentsRefused(WrongState):
    """Some of several people cannot be enrolled; `refused` says who and why."""

    code = "people-not-enrolled"

    def __init__(self, refused: Sequence[tuple[User, Refused]]) -> None:
        self.refused = tuple(refused)
        super().__init__(people=", ".join(str(user) for user, _ in refused))


@transaction.atomic
def enrolments_make(by: By, *, users: Sequence[User], session_id: UUID) -> list[Enrolment]:
    """Enrol several people in a session in their order, all or nobody, the last in line if no place is free.
    Raise the refusal of `enrolment_make` for one person, `EnrolmentsRefused` if there are several."""
    rows: list[Enrolment] = []
    refused: list[tuple[User, Refused]] = []
    for user in users:
        try:
            rows.append(enrolment_make(by, user=user, session_id=session_id, waits=True))
        except WrongState as error:
            if len(users) == 1:
                raise
            refused.append((user, error))
    if refused:
        raise EnrolmentsRefused(refused)
    return rows


@transaction.atomic
def enrolment_withdraw(by: By, *, enrolment_id: UUID) -> Enrolment:
    """Give up a place, or leave the line, before the session begins; the first person in line gets the place
    and is told by mail. For the person and the host's managers."""
    row, session = _locked(enrolment_id, training.enrolments_for(by.actor))
    if by.actor.person != row.user_id:
        require(by.actor, "manage-instruments", place_of(session.course.organisation))
    if session.start_at <= by.now:
        raise WrongState("session-begun")
    if row.state not in (Enrolment.State.ENROLLED, Enrolment.State.WAITING):
        raise WrongState(state=row.state, wanted="withdrawn")
    _withdraw(by, row, session)
    return row


@transaction.atomic
def enrolment_result(by: By, *, enrolment_id: UUID, result: str) -> Enrolment:
    """Record a result once the session has begun: `passed`, `failed` or `absent`. A person who passed is
    certified from that day on for as long as the course says.

    For the session's trainers and the host's managers, but nobody records their own (`own-qualification`).
    `WrongState` for a person who had no place, or passed already: a wrong certificate is revoked instead.
    """
    row, session = _locked(enrolment_id, training.enrolments_for(by.actor))
    course = session.course
    if not training.leads(by.actor, session):
        require(by.actor, "manage-instruments", place_of(course.organisation))
    if result not in RESULTS:
        raise invalid("result", "unknown-value")
    if by.actor.person == row.user_id:
        raise WrongState("own-qualification")
    if session.cancelled_at is not None:
        raise WrongState("session-cancelled")
    if by.now < session.start_at:
        raise WrongState("session-not-begun")
    if row.state not in training.SEATED or row.state == Enrolment.State.PASSED:
        raise WrongState(state=row.state, wanted=result)
    if result == "passed":
        first = local_date(training.session_zone(session), by.now)
        row.qualification = qualification_put(
            by,
            user=row.user,
            issuer=course.organisation,
            instrument=course.instrument,
            technique=course.technique,
            valid_from=first,
            valid_until=last_day(first, course.months),
            note=course.name,
        )
    was = row.state
    row.state, row.changed_at = Enrolment.State(result), by.now
    row.save(update_fields=["state", "changed_at", "qualification"])
    after = {"state": row.state, "qualification": row.qualification_id}
    trail.record(by, "enrolment.result", row, before={"state": was}, after=after)
    if result == "passed":
        _tell(row, "passed", by.now)
    return row


def enrolments_drop(by: By, *, user: User) -> int:
    """Give up all upcoming places of a person who leaves for good, in the caller's transaction; return their
    number."""
    ahead = Enrolment.objects.filter(
        user=user, state__in=["enrolled", "waiting"], session__start_at__gt=by.now
    )
    pks = list(ahead.order_by("session_id").values_list("pk", flat=True))
    for pk in pks:
        row, session = _locked(pk, Enrolment.objects.all())
        _withdraw(by, row, session)
    return len(pks)


def places_fill(by: By, *, session: CourseSession) -> list[Enrolment]:
    """Give the free places of a session to the people who are next in line, tell them, and return their
    enrolments. The caller's transaction has locked the session."""
    if session.cancelled_at is not None or session.start_at <= by.now:
        return []
    free = session.places - session.enrolments.filter(state__in=training.SEATED).count()
    line = session.enrolments.filter(state="waiting", user__is_active=True).select_related(
        "session__course__organisation__region"
    )
    rows = moving_up(line, free)
    for row in rows:
        row.state, row.changed_at = Enrolment.State.ENROLLED, by.now
        row.save(update_fields=["state", "changed_at"])
        after = {"state": row.state}
        trail.record(by, "enrolment.move-up", row, before={"state": "waiting"}, after=after)
        _tell(row, "moved-up", by.now)
    return rows


def enrolments_end(*, now: datetime) -> int:
    """Withdraw enrolments that still wait when their session is over; return their number."""
    over = Enrolment.objects.filter(state=Enrolment.State.WAITING, session__end_at__lte=now)
    return work_through(job="end enrolments", due=over, act=lambda pk: _end(pk, now), now=now)


def _end(enrolment_id: UUID, now: datetime) -> int:
    row, session = _locked(enrolment_id, Enrolment.objects.all())
    if row.state != Enrolment.State.WAITING or session.end_at > now:
        return 0
    row.state, row.changed_at = Enrolment.State.WITHDRAWN, now
    row.save(update_fields=["state", "changed_at"])
    before, after = {"state": "waiting"}, {"state": row.state}
    trail.record(By(PLATFORM, now), "enrolment.withdraw", row, before=before, after=after)
    return 1


def lock_seen_session(by: By, session_id: UUID) -> CourseSession:
    """Lock a session, as its places are given one at a time. `NotFound` also if the actor may not see its
    course."""
    return lock_session(session_id, Q(course_id__in=training.courses_for(by.actor).order_by().values("pk")))


def lock_session(session_id: UUID, *conditions: Q) -> CourseSession:
    """Lock a session that meets the conditions; `NotFound` if there is none."""
    rows = CourseSession.objects.select_for_update(of=("self",), no_key=True).select_related(
        *training.SESSION_WITH
    )
    return visible(rows, *conditions, pk=session_id)


def _locked(enrolment_id: UUID, seen: QuerySet[Enrolment]) -> tuple[Enrolment, CourseSession]:
    """Return one of the enrolments in `seen`, and its session, locked."""
    session = lock_session(visible(seen, pk=enrolment_id).session_id)
    row = Enrolment.objects.select_related("user").get(pk=enrolment_id)
    row.session = session
    return row, session


def _check_open(session: CourseSession, now: datetime, *, manages: bool) -> None:
    if session.cancelled_at is not None:
        raise WrongState("session-cancelled")
    if (session.end_at if manages else session.start_at) <= now:
        raise WrongState("session-begun")
    if session.deadline_at <= now and not manages:
        raise WrongState("enrolment-closed")


def _withdraw(by: By, row: Enrolment, session: CourseSession) -> None:
    was = row.state
    row.state, row.changed_at = Enrolment.State.WITHDRAWN, by.now
    row.save(update_fields=["state", "changed_at"])
    trail.record(by, "enrolment.withdraw", row, before={"state": was}, after={"state": row.state})
    if by.actor.user_id != row.user_id:
        _tell(row, "withdrawn", by.now)
    places_fill(by, session=session)


def _tell(row: Enrolment, kind: str, now: datetime) -> None:
    payload = {"enrolment": str(row.pk), "user": str(row.user_id)}
    enqueue([Effect(f"training.{kind}", f"training.{kind}.{row.pk}", payload)], now=now)

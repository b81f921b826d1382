"""Course sessions that occupy an instrument, which is closed as long as they last."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.domain.roles import PLATFORM, By
from accounts.selectors.memberships import place_of
from accounts.services.jobs import work_through
from bookings.availability.models import Closure
from bookings.availability.selectors.cuts import InTheWay
from bookings.usage.services.closures import Outage, closure_create, closure_delete
from instruments.register.locks import lock_instruments
from instruments.training.models import CourseSession
from instruments.training.services.enrolments import lock_session


def training_keep(by: By, session: CourseSession, displace: bool = False) -> None:
    """Close the instrument for the time that a session occupies it, instead of an earlier closure for that
    session; remove the closure if the session is called off or does not occupy it. Raise `InTheWay` with the
    bookings in that time, unless they are to give way to it (`displace`). The closure has the id of the
    session. Call this in the transaction of the change, under the session's lock."""
    wanted = None if session.cancelled_at else session.instrument_id
    standing = Closure.objects.filter(pk=session.pk).first()
    if wanted is None and standing is None:
        return
    ids = {wanted, standing.instrument_id if standing else None} - {None}
    locked = {row.pk: row for row in lock_instruments(pk for pk in ids if pk)}
    if standing is not None:
        is_same = (standing.instrument_id, standing.start_at, standing.end_at) == (
            wanted, session.start_at, session.end_at,
        )  # fmt: skip
        if is_same:
            return
        closed = locked[standing.instrument_id]
        may = by.actor.may("manage-instruments", place_of(closed.organisation, closed))
        # Who manages the course may free the instrument that it took, also one that they do not manage.
        closure_delete(by if may else By(PLATFORM, by.now), closure_id=standing.pk, with_session=True)
    if wanted is not None:
        outage = Outage("training", session.start_at, session.end_at, reason=session.course.name)
        closure_create(by, instrument_id=wanted, outage=outage, displace=displace, pk=session.pk)


def trainings_close(*, now: datetime) -> int:
    """Close instruments for upcoming course sessions that have no closure, because they were entered before
    this was done. A session that overlaps bookings waits until these are gone. Return how many closures were
    made."""
    closed = Closure.objects.filter(pk=OuterRef("pk"))
    due = CourseSession.objects.filter(
        ~Exists(closed), instrument__isnull=False, cancelled_at=None, start_at__gt=now
    )
    return work_through(job="close for course sessions", due=due, act=lambda pk: _close(pk, now), now=now)


def _close(session_id: UUID, now: datetime) -> int:
    session = lock_session(session_id)
    try:
        with transaction.atomic():
            training_keep(By(PLATFORM, now), session)
    except InTheWay:
        return 0
    return 1

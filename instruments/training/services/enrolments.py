"""Give places in course sessions, take them back, pass them on to people in line, and record results."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import trail
from accounts.domain.errors import NotPermitted, Refused, WrongState, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation, User
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import acts_for, is_member, place_of
from accounts.selectors.organisations import payer_for
from accounts.selectors.rows import visible
from accounts.services.jobs import work_through
from accounts.services.memberships import checked_reason, lock_user
from instruments.reading.domain.clock import local_date
from instruments.register.selectors.blocks import block_at, numbers_of
from instruments.training.domain.training import INSTEAD, RESULTS, last_day, moving_up
from instruments.training.models import CourseSession, Enrolment, Qualification
from instruments.training.selectors import training
from instruments.training.selectors.fees import PlacePrice, payers_for, places_priced
from instruments.training.services.qualifications import qualification_put, qualification_revoke

# This app does not know money: functions that charge a place with a price once it was attended, or take the
# charge back, or release what is reserved for it, join here. They are called with the state that the place
# had before.
Settler = Callable[[By, Enrolment, str], None]
settlers: list[Settler] = []
# The shares of the payer's sources, by code in percent; None: the default of the person.
Funding = Sequence[tuple[str, Decimal]] | None
# Functions that reserve what a place with a price will cost.
Funder = Callable[[By, Enrolment, Funding], None]
funders: list[Funder] = []


@transaction.atomic
def enrolment_make(
    by: By,
    *,
    user: User,
    session_id: UUID,
    waits: bool = False,
    organisation: str | None = None,
    funding: Funding = None,
) -> Enrolment:
    """Enrol the actor in a session until its deadline, or, as a manager of the host, somebody else until its
    end. `waits`: if no place is free, join the end of the line. `organisation`: the code of the payer, if
    places have a price, which is the one of this moment: one of the actor's own, by default their only one;
    for somebody else the host, if the actor manages it as a whole, unless the actor may book for that person
    at the cost of another. `funding`: the payer's sources in which the price is reserved.

    `NotPermitted` for others, and (`join-first`) for members of no organisation; `Invalid` for another payer;
    `WrongState`: `session-cancelled`, `session-begun`, `enrolment-closed`, `gives-it` for its trainers,
    `already-enrolled`, `prerequisite-missing`, `session-full`, `place-not-priced` for a payer of whose price
    group the rate card says nothing, `blocked` if the host blocks the person or the payer.
    """
    session = lock_seen_session(by, session_id)
    manages = by.actor.may("manage-instruments", training.place_of_course(session.course))
    if by.actor.person != user.pk:
        require(by.actor, "manage-instruments", training.place_of_course(session.course))
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
    price = _price(by, user, session, organisation)
    if price is not None:
        _lock_member(by, user, price.organisation, session.course.organisation)
    if not manages:
        _check_block(by, user, session, price.organisation if price else None)
    row = Enrolment.objects.create(
        session=session,
        user=user,
        state=Enrolment.State.WAITING if is_full else Enrolment.State.ENROLLED,
        asked_at=by.now,
        asked_by_id=by.actor.person,
        changed_at=by.now,
        organisation=price.organisation if price else None,
        price=price.stored if price else None,
    )
    after = {"state": row.state, "user": user.pk}
    if price and price.result:
        after |= {"payer": price.organisation.code}
        after |= {name: price.result[name] for name in ("currency", "payable")}
    trail.record(by, "enrolment.make", row, after=after)
    if price is not None:
        for fund in funders:
            fund(by, row, funding)
    _tell(row, row.state, by.now)
    return row


def _price(by: By, user: User, session: CourseSession, named: str | None) -> PlacePrice | None:
    """Return the price of a place for whoever pays for it; None if places cost nothing."""
    host = session.course.organisation
    if by.actor.person == user.pk:
        if session.pk not in places_priced([session], ()):
            return None
        payer = payer_for(by.actor, named)
        if payer is None:
            raise NotPermitted("join-first")
        if not by.actor.may("book-for-members", place_of(payer)):
            require(by.actor, "book", place_of(payer))
    elif named:
        payers = {each.code: each for each in payers_for(by.actor, user, host)}
        if named not in payers:
            raise invalid("organisation", "not-their-payer")
        payer = payers[named]
    else:
        payer = host
    price = next(iter(places_priced([session], [payer]).get(session.pk, ())), None)
    if price is not None and price.result is None:
        raise WrongState("place-not-priced", organisation=payer.name)
    if by.actor.person != user.pk and payer.pk == host.pk and price is not None and price.payable:
        # Who manages the instrument of the course alone spends no money of its host.
        require(by.actor, "manage-instruments", place_of(host))
    return price


def _lock_member(by: By, user: User, payer: Organisation, host: Organisation) -> None:
    """Lock the person, and check that they are still a member of the organisation that pays: somebody may
    have left it since the rights of this request were read. The host's managers give its places to anybody.
    """
    lock_user(user.pk)
    if (payer != host or by.actor.person == user.pk) and not is_member(user, payer):
        raise NotPermitted("join-first")


def _check_block(by: By, user: User, session: CourseSession, payer: Organisation | None) -> None:
    payer_id = payer.pk if payer else None
    sites = training.sites_of(session)
    block = block_at(session.course.organisation_id, sites, user.pk, payer_id, by.now)
    if block is not None:
        raise WrongState("blocked", **numbers_of(block, by.actor))


class EnrolmentsRefused(WrongState):
    """Some of several people cannot be enrolled; `refused` says who and why."""

    code = "people-not-enrolled"

    def __init__(self, refused: Sequence[tuple[User, Refused]]) -> None:
        self.refused = tuple(refused)
        super().__init__(people=", ".join(str(user) for user, _ in refused))


@transaction.atomic
def enrolments_make(
    by: By,
    *,
    users: Sequence[User],
    session_id: UUID,
    organisation: str | None = None,
    funding: Funding = None,
) -> list[Enrolment]:
    """Enrol several people in a session in their order, all or nobody, the last in line if no place is free.
    Raise the refusal of `enrolment_make` for one person, `EnrolmentsRefused` if there are several."""
    if len(users) > 1:  # in one order, whatever theirs is; sessions are locked before people
        lock_seen_session(by, session_id)
        for pk in sorted({user.pk for user in users}):
            lock_user(pk)
    rows: list[Enrolment] = []
    refused: list[tuple[User, Refused]] = []
    for user in users:
        try:
            row = enrolment_make(
                by, user=user, session_id=session_id, waits=True, organisation=organisation, funding=funding
            )
            rows.append(row)
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
        require(by.actor, "manage-instruments", training.place_of_course(session.course))
    if session.start_at <= by.now:
        raise WrongState("session-begun")
    if row.state not in (Enrolment.State.ENROLLED, Enrolment.State.WAITING):
        raise WrongState(state=row.state, wanted="withdrawn")
    _withdraw(by, row, session)
    return row


@transaction.atomic
def enrolment_result(by: By, *, enrolment_id: UUID, result: str) -> Enrolment:
    """Record a result once the session has begun: `passed`, `failed` or `absent`. A person who passed is
    certified from that day on for as long as the course says. A place with a price is charged once it was
    attended, and the charge is taken back if the person turns out to have been absent while it is open.

    For the session's trainers and the host's managers, but nobody records their own (`own-qualification`).
    `WrongState` for a person who had no place, or passed already (`enrolment_undo`).
    """
    row, session = _locked(enrolment_id, training.enrolments_for(by.actor))
    course = session.course
    if not training.leads(by.actor, session):
        require(by.actor, "manage-instruments", training.place_of_course(course))
    if result not in RESULTS:
        raise invalid("result", "unknown-value")
    if acts_for(by.actor, row.user_id):
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
    enrolment_settle(by, row, was)
    if result == "passed":
        _tell(row, "passed", by.now, of=row.qualification_id)
    return row


@transaction.atomic
def enrolment_undo(by: By, *, enrolment_id: UUID, result: str, reason: str) -> Enrolment:
    """Correct a result that should not have been `passed` to `failed` or `absent`, with a reason: the
    certificate is revoked, the person is told, and a charge is reversed as `enrolment_result` does.

    For the host's managers, but nobody corrects their own (`own-qualification`). `WrongState` for another
    result; `Invalid` without a reason.
    """
    row, session = _locked(enrolment_id, training.enrolments_for(by.actor))
    require(by.actor, "manage-instruments", training.place_of_course(session.course))
    if result not in INSTEAD:
        raise invalid("result", "unknown-value")
    if acts_for(by.actor, row.user_id):
        raise WrongState("own-qualification")
    if row.state != Enrolment.State.PASSED:
        raise WrongState(state=row.state, wanted=result)
    reason = checked_reason(reason, is_owed=True)
    given = row.qualification_id
    if given is not None and not Qualification.objects.filter(pk=given, revoked_at__isnull=False).exists():
        qualification_revoke(By(by.actor, by.now), qualification_id=given, reason=reason)
    was, row.state = row.state, Enrolment.State(result)
    row.changed_at, row.qualification = by.now, None
    row.save(update_fields=["state", "changed_at", "qualification"])
    before = {"state": was, "qualification": given}
    trail.record(by, "enrolment.undo", row, before=before, after={"state": row.state}, reason=reason)
    enrolment_settle(by, row, was)
    _tell(row, "undone", by.now, of=given, reason=reason)
    return row


def enrolments_drop(by: By, *, user: User, payer: Organisation | None = None) -> int:
    """Give up all upcoming places of a person who leaves for good, or those that `payer` would pay for, who
    is told then; return their number. Call this in a transaction, before any instrument is locked."""
    ahead = training.places_ahead(user.pk, by.now)
    kind = "withdrawn"
    if payer is not None:
        ahead, kind = ahead.filter(organisation=payer), "payer-left"
    dropped = 0
    for pk in list(ahead.order_by("session_id").values_list("pk", flat=True)):
        row, session = _locked(pk, Enrolment.objects.all())
        if row.state in ("enrolled", "waiting"):
            _withdraw(by, row, session, kind)
            dropped += 1
    return dropped


def places_fill(by: By, *, session: CourseSession) -> list[Enrolment]:
    """Give the free places of a session to the people who are next in line and whom, or whose payer, the host
    does not block, tell them, and return their enrolments. The caller's transaction has locked the session.
    """
    if session.cancelled_at is not None or session.start_at <= by.now:
        return []
    free = session.places - session.enrolments.filter(state__in=training.SEATED).count()
    line = session.enrolments.filter(state="waiting", user__is_active=True).select_related(
        "session__course__organisation__region"
    )
    host, sites = session.course.organisation_id, training.sites_of(session)
    rows: list[Enrolment] = []
    for row in moving_up(line, len(line)):
        if len(rows) >= free:
            break
        if block_at(host, sites, row.user_id, row.organisation_id, by.now):
            continue  # stays in line, in case the block is lifted
        rows.append(row)
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
    enrolment_settle(By(PLATFORM, now), row, "waiting")
    return 1


def enrolment_settle(by: By, row: Enrolment, was: str) -> None:
    """Have the money of a place with a price follow its state, or its cancelled session. The caller's
    transaction holds the lock of the session, which is loaded."""
    if row.price is not None:
        for settler in settlers:
            settler(by, row, was)


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


def _withdraw(by: By, row: Enrolment, session: CourseSession, kind: str = "withdrawn") -> None:
    was = row.state
    row.state, row.changed_at = Enrolment.State.WITHDRAWN, by.now
    row.save(update_fields=["state", "changed_at"])
    trail.record(by, "enrolment.withdraw", row, before={"state": was}, after={"state": row.state})
    enrolment_settle(by, row, was)
    if by.actor.user_id != row.user_id or kind != "withdrawn":
        _tell(row, kind, by.now)
    places_fill(by, session=session)


def _tell(row: Enrolment, kind: str, now: datetime, *, of: UUID | None = None, reason: str = "") -> None:
    """Tell the person; `of`: the certificate that it is about, as each one is told of."""
    payload = {"enrolment": str(row.pk), "user": str(row.user_id)}
    if reason:
        payload["reason"] = reason
    about = f"{row.pk}.{of}" if of else str(row.pk)
    enqueue([Effect(f"training.{kind}", f"training.{kind}.{about}", payload)], now=now)

"""What really happens: checking in and out, and what becomes of those who do neither."""

from collections.abc import Mapping
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from accounts.domain.errors import NotFound, WrongState, invalid
from accounts.domain.roles import PLATFORM, Actor, By
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.jobs import held_back
from accounts.selectors.memberships import place_of
from accounts.services.jobs import work_through
from bookings.availability.models import Closure, Occupancy
from bookings.availability.selectors.availability import FOREVER, live, to_period, to_range
from bookings.catalogue.selectors.units import units_of
from bookings.questions.domain.questions import AFTER, BEFORE
from bookings.questions.models import AnswerFile
from bookings.questions.services.questions import (
    answer_file_check,
    answer_file_store,
    answers_keep,
    answers_owe,
    answers_take,
)
from bookings.record.domain import reservations as rules
from bookings.record.domain.periods import Period, coming
from bookings.record.domain.ratings import check_mark
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.locks import claim_reservation, lock_reservation
from bookings.record.models import Reservation, UsageSession
from bookings.reserving.selectors.placing import require_qualified
from bookings.reserving.services.house_rules import house_rules_require
from bookings.reserving.services.occupancy import (
    charge_due,
    hours_dirty,
    lapse,
    message,
    reservation_move_to,
    reservation_touch,
    slot_freed,
)
from bookings.usage.selectors.sessions import ended
from instruments.models import Instrument
from instruments.services.attachments import files_put


@transaction.atomic
def reservation_check_in(
    by: By,
    *,
    reservation_id: UUID,
    house_rules: int | None = None,
    answers: Mapping[str, Any] | None = None,
    questions_version: int | None = None,
) -> UsageSession:
    """Begin using the instrument: from 15 minutes before the start, if the unit is free until
    then or another is for the whole booking, to the end. Whoever was left checked in on the unit
    is checked out. The person has accepted the house rules in force, or does so by naming their
    version, unless samples are sent in; what must be answered before use is, or by `answers`."""
    instrument, reservation = reservation_to_use(by, reservation_id)
    if reservation.state != "confirmed":
        raise WrongState(state=reservation.state, wanted="in_use")
    span = rules.check_in_span(Period(reservation.start_at, reservation.end_at))
    if by.now < span.start:
        raise WrongState("too-early", opens=span.start.isoformat())
    if by.now >= span.end:
        raise WrongState("too-late")
    require_qualified(
        instrument,
        reservation.user_id,
        Period(reservation.start_at, reservation.end_at),
        reservation.service_mode,
    )
    if reservation.service_mode != Instrument.ServiceMode.ENTRUSTED:
        house_rules_require(by, instrument, reservation.user_id, house_rules, newest=True)
    answers_take(
        by,
        instrument=instrument,
        reservation=reservation,
        moment=BEFORE,
        answers=answers,
        version=questions_version,
    )
    if by.now < reservation.start_at:
        lapse(instrument=instrument, now=by.now)
        _take_from_now(by, instrument, reservation)
    _close_left_open(instrument, reservation.unit, by.now)
    session = UsageSession.objects.create(
        reservation=reservation,
        instrument=instrument,
        unit=reservation.unit,
        checked_in_at=by.now,
        service_mode=reservation.service_mode,
    )
    reservation_move_to(by, reservation=reservation, state="in_use")
    return session


def _take_from_now(by: By, instrument: Instrument, reservation: Reservation) -> None:
    """Widen the occupancy so that it begins now, on another unit where its own is not free yet.
    `still-in-use`, with the moment from which a unit is free, where none is. Under the
    instrument's lock."""
    mine = Occupancy.objects.get(reservation=reservation)
    blocked = to_period(mine.span)
    if by.now >= blocked.start:
        return
    wider = Period(by.now, blocked.end)
    others = Occupancy.objects.filter(
        live(by.now), instrument=instrument, span__overlap=to_range(wider)
    ).exclude(pk=mine.pk)
    taken: dict[int, datetime] = {}
    for row in others:
        taken[row.unit] = max(to_period(row.span).end, taken.get(row.unit, by.now))
    # Nobody is sent to a unit where somebody is still at work after their time.
    left_open = UsageSession.objects.filter(instrument=instrument, checked_out_at=None)
    for other in left_open.exclude(unit=reservation.unit).values_list("unit", flat=True):
        taken.setdefault(other, FOREVER)
    pool = (reservation.unit, *range(1, units_of(instrument) + 1))
    unit = next((each for each in pool if each not in taken), None)
    if unit is None:
        free_at = min(taken[each] for each in pool)
        zone = instrument.facility.time_zone
        at = {"time": f"{free_at.astimezone(ZoneInfo(zone)):%H:%M}", "zone": zone}
        nearest = Period(free_at, reservation.end_at)
        raise RulesRefuse([Refusal("still-in-use", at, nearest=nearest)])
    mine.span, mine.unit = to_range(wider), unit
    mine.save(update_fields=["span", "unit"])
    if unit != reservation.unit:
        reservation_touch(
            by,
            reservation=reservation,
            action="reservation.reseat",
            changes={"unit": unit},
            recorded={"unit": unit},
        )


def _close_left_open(instrument: Instrument, unit: int, now: datetime) -> None:
    """A session nobody ended on the unit is ended, at its reserved end at the latest."""
    for session in UsageSession.objects.filter(
        instrument=instrument, unit=unit, checked_out_at=None
    ):
        _, reservation = lock_reservation(session.reservation_id)
        end = min(now, max(reservation.end_at, session.checked_in_at))
        session_finish(
            By(PLATFORM, now), session, instrument, reservation, check_out=end, assumed=True
        )


@transaction.atomic
def reservation_check_out(
    by: By,
    *,
    reservation_id: UUID,
    samples: int | None = None,
    rating: int | None = None,
    remarks: str = "",
    answers: Mapping[str, Any] | None = None,
    questions_version: int | None = None,
    skip_reason: str = "",
) -> UsageSession:
    """Stop using the instrument. What is left of the slot is free at once. What must be answered
    after use is, by `answers`; for somebody else the host may leave it out and say why. A rating is
    its person's alone to give."""
    instrument, reservation = reservation_to_use(by, reservation_id)
    if reservation.state != "in_use":
        raise WrongState(state=reservation.state, wanted="completed")
    check_mark("rating", rating)
    if rating is not None and by.actor.user_id != reservation.user_id:
        raise invalid("rating", "rated-for-another")
    session = UsageSession.objects.get(reservation=reservation)
    session.samples, session.rating, session.remarks = samples, rating, remarks.strip()
    answers_take(
        by,
        instrument=instrument,
        reservation=reservation,
        moment=AFTER,
        answers=answers,
        skip_reason=skip_reason,
        version=questions_version,
    )
    session_finish(by, session, instrument, reservation, check_out=by.now, assumed=False)
    if rating is not None:
        poor_rating_tell(by, reservation, rating)
    return session


def poor_rating_tell(by: By, reservation: Reservation, rating: int) -> None:
    """Tell the owner of a poor rating, of each session once: its key has no version."""
    if rating <= rules.POOR_RATING:
        key = f"mail.poor-rating:{reservation.pk}"
        payload = {"reservation": str(reservation.pk)}
        enqueue([Effect(kind="mail.poor-rating", key=key, payload=payload)], now=by.now)


@transaction.atomic
def reservation_answer(
    by: By,
    *,
    reservation_id: UUID,
    moment: str,
    answers: Mapping[str, Any],
    skip_reason: str = "",
    questions_version: int | None = None,
) -> Reservation:
    """Answer what is asked before a booking that is to come, or what was left open after it: for
    the person, or the host's managers, who may leave it out and say why."""
    instrument, reservation = reservation_to_use(by, reservation_id)
    answers_keep(
        by,
        instrument=instrument,
        reservation=reservation,
        moment=moment,
        answers=answers,
        skip_reason=skip_reason,
        version=questions_version,
    )
    return reservation


def reservation_answer_file(
    by: By, *, reservation_id: UUID, moment: str, key: str, name: str, content: bytes
) -> AnswerFile:
    """Upload a file for a question of a booking, for whoever may answer it; the answers name it by
    its id. It is worked on while nobody waits for a lock."""

    def locked() -> dict[str, Any]:
        instrument, reservation = reservation_to_use(by, reservation_id)
        return {"instrument": instrument, "reservation": reservation, "moment": moment, "key": key}

    with transaction.atomic():  # no file is put for what is refused
        answer_file_check(**locked())
    with files_put(AnswerFile, [(name, content)]) as (file,), transaction.atomic():
        return answer_file_store(by, file=file, **locked())


def session_finish(
    by: By,
    session: UsageSession,
    instrument: Instrument,
    reservation: Reservation,
    *,
    check_out: datetime,
    assumed: bool,
) -> None:
    """End a session: its slot is cut to what was used, its charge and hours follow, and questions
    that nobody answered are owed. Call it under the instrument's lock."""
    answers_owe(instrument, reservation, by.now)
    closed_from = (
        Closure.objects.filter(
            Q(units=[]) | Q(units__contains=[session.unit]),
            instrument_id=session.instrument_id,
            start_at__gt=session.checked_in_at,
            start_at__lt=check_out,
        )
        .order_by("start_at")
        .values_list("start_at", flat=True)
        .first()
    )
    # Nobody uses, or pays for, an instrument that was closed under their hands.
    check_out = min(check_out, closed_from or check_out)
    if closed_from is not None and closed_from < reservation.end_at:
        session.cut_at = min(closed_from, session.cut_at or closed_from)
    session.checked_out_at = max(check_out, session.checked_in_at)
    session.is_assumed = assumed
    session.save()
    mine = Occupancy.objects.filter(reservation=reservation).first()
    freed = None
    if mine is not None:
        taken = to_period(mine.span)
        left = rules.used_span(
            blocked=taken,
            check_in=session.checked_in_at,
            check_out=session.checked_out_at,
            teardown_minutes=reservation.teardown_minutes,
        )
        mine.span = to_range(left)
        mine.save(update_fields=["span"])
        freed = coming(left.end, taken.end, by.now)
    reservation_move_to(by, reservation=reservation, state="completed")
    effects = [
        message("completed", reservation),
        charge_due(reservation),
        hours_dirty(reservation, session.checked_in_at, session.checked_out_at),
    ]
    if freed is not None:
        effects.append(slot_freed(reservation, freed))
    enqueue(effects, now=by.now)


def reservation_to_use(by: By, reservation_id: UUID) -> tuple[Instrument, Reservation]:
    """Lock a booking for the person who made it, or the host's manager."""
    instrument, reservation = lock_reservation(reservation_id)
    require_user(by.actor, reservation)
    by.require_version(reservation.version)
    return instrument, reservation


def require_user(actor: Actor, reservation: Reservation) -> None:
    """Require the booker, or the host's manager; `NotFound` for whoever may not even see it."""
    if actor.user_id in {reservation.user_id, reservation.made_by_id}:
        return
    place = place_of(reservation.host)
    may_read = actor.may("read-bookings", place) or actor.may(
        "read-bookings", place_of(reservation.organisation)
    )
    if not may_read:
        raise NotFound
    require(actor, "manage-instruments", place)


def overruns_tell(*, now: datetime) -> int:
    """Tell whoever is still at an instrument past their end, and whoever follows on the unit
    within the hour; each once. How many overran into somebody's time."""
    follows = Reservation.objects.filter(
        instrument_id=OuterRef("instrument_id"),
        unit=OuterRef("unit"),
        state__in=["requested", "confirmed"],
        start_at__gte=OuterRef("end_at"),
        start_at__lt=now + rules.FOLLOWS_WITHIN,
    ).order_by("start_at", "id")
    late = Reservation.objects.filter(
        state="in_use", end_at__lte=now, end_at__gt=now - rules.SESSION_LEFT_OPEN
    ).annotate(following=Subquery(follows.values("pk")[:1]))
    told = 0
    for some in batched(late.filter(following__isnull=False).order_by("end_at", "id"), 500):
        with transaction.atomic():
            enqueue([effect for row in some for effect in _overrun(row, row.following)], now=now)
        told += len(some)
    return told


def _overrun(reservation: Reservation, following: UUID) -> list[Effect]:
    return [
        message("overrun", reservation),
        Effect(
            kind="mail.overrun-next",
            key=f"mail.overrun-next:{following}:{reservation.pk}",
            payload={"reservation": str(following)},
        ),
    ]


def usage_settle(*, now: datetime, most: int = 500) -> int:
    """End what nobody ended: no-shows, bookings past their end, open sessions; how many.

    Asks what is due and not yet done: running it late or twice comes to the same.
    """
    job = "complete reservations"
    due = ended(now, most, but=held_back(job, now))
    return work_through(job=job, due=due, act=lambda pk: _settle(pk, now), now=now)


def _settle(reservation_id: UUID, now: datetime) -> int:
    claim_reservation(reservation_id)
    instrument, reservation = lock_reservation(reservation_id)
    if reservation.state == "in_use" and reservation.end_at + rules.SESSION_LEFT_OPEN <= now:
        session = UsageSession.objects.get(reservation=reservation)
        end = max(reservation.end_at, session.checked_in_at)
        session_finish(
            By(PLATFORM, now), session, instrument, reservation, check_out=end, assumed=True
        )
        return 1
    return int(confirmed_settle(reservation, now=now))


def confirmed_settle(reservation: Reservation, *, now: datetime) -> bool:
    """End a confirmed booking that was missed, or is over; whether it was. Call it under the
    instrument's lock."""
    state = rules.settled_state(
        reservation.start_at, reservation.end_at, reservation.check_in_minutes, now
    )
    if reservation.state != "confirmed" or state is None:
        return False
    reservation_move_to(By(PLATFORM, now), reservation=reservation, state=state)
    effects = [charge_due(reservation)]
    if state == "no_show":
        Occupancy.objects.filter(reservation=reservation).delete()
        effects.append(message("no-show", reservation))
        freed = coming(reservation.start_at, reservation.end_at, now)
        if freed is not None:
            effects.append(slot_freed(reservation, freed))
    effects.append(hours_dirty(reservation, reservation.start_at, reservation.end_at))
    enqueue(effects, now=now)
    return True

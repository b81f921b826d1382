"""Check people in and out, and settle bookings whose people do neither."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import batched
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from accounts.domain.errors import NotFound, NotPermitted, WrongState, WrongVersion, invalid
from accounts.domain.roles import PLATFORM, Actor, By
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.jobs import held_back
from accounts.selectors.memberships import acts_for, place_of
from accounts.services.jobs import work_through
from bookings.availability.models import Closure, Occupancy
from bookings.availability.selectors.availability import FOREVER, live, to_period, to_range
from bookings.catalogue.selectors.units import units_of
from bookings.pricing.domain.fees import check_added
from bookings.pricing.selectors.charges import load_quoted
from bookings.questions.domain.questions import AFTER, BEFORE
from bookings.questions.models import AnswerFile
from bookings.questions.services import questions
from bookings.record.domain import reservations as rules
from bookings.record.domain.periods import Period, coming
from bookings.record.domain.ratings import check_mark
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.locks import claim_reservation, lock_reservation
from bookings.record.models import Reservation, UsageSession
from bookings.reserving.selectors.placing import require_qualified
from bookings.reserving.services import occupancy
from bookings.reserving.services.house_rules import house_rules_require
from bookings.usage.selectors.sessions import ended
from instruments.attachments.services.attachments import files_put
from instruments.house_rules.selectors.house_rules import load_house_rules
from instruments.house_rules.services.house_rules import acceptance_record
from instruments.register.models import Instrument


@transaction.atomic
def reservation_check_in(
    by: By,
    *,
    reservation_id: UUID,
    house_rules: int | None = None,
    house_rules_means: str = "",
    answers: Mapping[str, Any] | None = None,
    questions_version: int | None = None,
) -> UsageSession:
    """Begin using the instrument, from 15 minutes before the start (if the unit, or another one for the whole
    booking, is free) until the end. Anybody left checked in on the unit is checked out. The person must have
    accepted the house rules in force, or accepts them now by their version, unless samples are sent in; a
    person who is checked in by somebody else is told to accept them, unless a manager of the host records by
    which `house_rules_means` they accepted that version. Required questions before use must be
    answered, possibly by `answers`, and those at booking before that, if they are still owed."""
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
    open_rules = None
    if reservation.service_mode != Instrument.ServiceMode.ENTRUSTED:
        _require_recording(by, reservation, house_rules_means)
        open_rules = house_rules_require(
            by, instrument, reservation.user_id, house_rules, newest=True, means=house_rules_means
        )
        if house_rules_means:
            enqueue([occupancy.message("house-rules-recorded", reservation)], now=by.now)
    questions.answers_require(instrument, reservation)
    questions.answers_take(
        by,
        instrument=instrument,
        reservation=reservation,
        moment=BEFORE,
        answers=answers,
        version=questions_version,
    )
    if by.now < reservation.start_at:
        occupancy.lapse(instrument=instrument, now=by.now)
        _take_from_now(by, instrument, reservation)
    _close_left_open(instrument, reservation.unit, by.now)
    session = UsageSession.objects.create(
        reservation=reservation,
        instrument=instrument,
        unit=reservation.unit,
        checked_in_at=by.now,
        service_mode=reservation.service_mode,
    )
    recorded = {"house_rules_open": open_rules} if open_rules else None
    about = {"reservation": str(reservation.pk)}
    effects = [Effect("event.started", f"event.started:{reservation.pk}", about)]
    if open_rules:
        effects.append(occupancy.message("house-rules-open", reservation))
    occupancy.reservation_move_to(
        by, reservation=reservation, state="in_use", recorded=recorded, effects=effects
    )
    return session


def _require_recording(by: By, reservation: Reservation, means: str) -> None:
    """Require that the actor may record that the person of a booking accepted the house rules: a manager of
    the host may, but not for themselves. Nothing is required without `means`."""
    if means:
        require(by.actor, "operate-instruments", place_of(reservation.host, reservation.instrument))
        if acts_for(by.actor, reservation.user_id):
            raise NotPermitted("accept-yourself")


@transaction.atomic
def house_rules_record(by: By, *, reservation_id: UUID, version: int, means: str) -> Reservation:
    """Record, as a manager of the host, that the person of a booking that is confirmed or in use has accepted
    a version of the house rules on paper or when it was read out. Raise `NotFound` if there are no rules,
    `WrongVersion` if another version is in force."""
    instrument, reservation = reservation_to_use(by, reservation_id)
    _require_recording(by, reservation, means or "-")
    if reservation.state not in {"confirmed", "in_use"}:
        raise WrongState(state=reservation.state, wanted="in_use")
    rules = load_house_rules(instrument, reservation.user_id)
    if rules is None:
        raise NotFound
    if rules.version != version:
        raise WrongVersion(version=rules.version)
    acceptance_record(by, rules, user_id=reservation.user_id, means=means)
    enqueue([occupancy.message("house-rules-recorded", reservation)], now=by.now)
    return reservation


def _take_from_now(by: By, instrument: Instrument, reservation: Reservation) -> None:
    """Widen the occupancy to begin now, on another unit if its own is not free yet. Raise `RulesRefuse`
    (`still-in-use`), with the moment from which a unit is free, if none is. Call this under the instrument's
    lock."""
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
    # Nobody is sent to a unit where somebody is still working after their time.
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
        occupancy.reservation_touch(
            by,
            reservation=reservation,
            action="reservation.reseat",
            changes={"unit": unit},
            recorded={"unit": unit},
        )


def _close_left_open(instrument: Instrument, unit: int, now: datetime) -> None:
    """End sessions on the unit that nobody ended, at their reserved end at the latest."""
    for session in UsageSession.objects.filter(instrument=instrument, unit=unit, checked_out_at=None):
        _, reservation = lock_reservation(session.reservation_id)
        end = min(now, max(reservation.end_at, session.checked_in_at))
        session_finish(By(PLATFORM, now), session, instrument, reservation, check_out=end, assumed=True)


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
    options: Mapping[str, Decimal] | None = None,
) -> UsageSession:
    """Stop using the instrument; the rest of the slot is free at once. Required questions after use must be
    answered, possibly by `answers`; for somebody else the host may skip them with a reason. Only the
    booking's person can give a rating; only the host's managers add `options` that were used."""
    instrument, reservation = reservation_to_use(by, reservation_id)
    if reservation.state != "in_use":
        raise WrongState(state=reservation.state, wanted="completed")
    check_mark("rating", rating)
    if rating is not None and by.actor.user_id != reservation.user_id:
        raise invalid("rating", "rated-for-another")
    session = UsageSession.objects.get(reservation=reservation)
    session.samples, session.rating, session.remarks = samples, rating, remarks.strip()
    session.added = options_take(by, reservation, session, options or {})
    questions.answers_take(
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


def options_take(
    by: By, reservation: Reservation, session: UsageSession, options: Mapping[str, Decimal]
) -> dict[str, str]:
    """Return the options that the host adds at check-out as they are stored; those of quantity 0 are left
    out. Raise `Invalid` if the booking's rate card does not add them or they are too many for the session,
    `NotPermitted` for other people."""
    if not any(options.values()):
        return {}
    require(by.actor, "operate-instruments", place_of(reservation.host, reservation.instrument))
    check_added(replace(load_quoted(reservation.pk), added=options), (session.checked_in_at, by.now))
    return {code: f"{number:f}" for code, number in options.items() if number}


def poor_rating_tell(by: By, reservation: Reservation, rating: int) -> None:
    """Tell the host of a poor rating, only once for each session, since the effect's key has no version."""
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
    """Answer the questions before an upcoming booking, or those left open after one, as the person, or as the
    host's managers, who may skip them with a reason."""
    instrument, reservation = reservation_to_use(by, reservation_id)
    questions.answers_keep(
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
    """Upload a file that answers a question of a booking, for whoever may answer it; answers refer to it by
    its id. The file is processed without holding a lock."""

    def locked() -> dict[str, Any]:
        instrument, reservation = reservation_to_use(by, reservation_id)
        return {"instrument": instrument, "reservation": reservation, "moment": moment, "key": key}

    with transaction.atomic():  # no file is stored for an answer that is refused
        questions.answer_file_check(**locked())
    with files_put(AnswerFile, [(name, content)]) as (file,), transaction.atomic():
        return questions.answer_file_store(by, file=file, **locked())


def session_finish(
    by: By,
    session: UsageSession,
    instrument: Instrument,
    reservation: Reservation,
    *,
    check_out: datetime,
    assumed: bool,
) -> None:
    """End a session: its slot is cut to what was used, charge and hours are computed, and unanswered
    questions become owed. Call this under the instrument's lock."""
    questions.answers_owe(instrument, reservation, by.now)
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
    # Nobody uses, or pays for, an instrument after it was closed.
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
    occupancy.reservation_move_to(by, reservation=reservation, state="completed")
    effects = [
        occupancy.message("completed", reservation),
        occupancy.charge_due(reservation),
        occupancy.hours_dirty(reservation, session.checked_in_at, session.checked_out_at),
    ]
    if freed is not None:
        effects.append(occupancy.slot_freed(reservation, freed))
    enqueue(effects, now=by.now)


def reservation_to_use(by: By, reservation_id: UUID) -> tuple[Instrument, Reservation]:
    """Lock a booking for its person, for whoever made it, or for who operates the instrument."""
    instrument, reservation = lock_reservation(reservation_id)
    reservation.instrument = instrument
    require_user(by.actor, reservation)
    by.require_version(reservation.version)
    return instrument, reservation


def require_user(actor: Actor, reservation: Reservation) -> None:
    """Require that the actor is the booking's person, made it, or operates the instrument for the host; raise
    `NotFound` for people who may not even see it."""
    if actor.user_id in {reservation.user_id, reservation.made_by_id}:
        return
    place = place_of(reservation.host, reservation.instrument)
    if actor.may("operate-instruments", place):
        return
    may_read = actor.may("read-bookings", place) or actor.may(
        "read-bookings", place_of(reservation.organisation)
    )
    if not may_read:
        raise NotFound
    require(actor, "operate-instruments", place)


def overruns_tell(*, now: datetime) -> int:
    """Tell people still at an instrument after their end if somebody follows on the unit within the hour, and
    those who follow, once each. Return how many overran into somebody's time."""
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
        occupancy.message("overrun", reservation),
        Effect(
            kind="mail.overrun-next",
            key=f"mail.overrun-next:{following}:{reservation.pk}",
            payload={"reservation": str(following)},
        ),
    ]


def usage_settle(*, now: datetime, most: int = 500) -> int:
    """End what nobody ended: no-shows, bookings past their end, open sessions; return how many.

    It asks what is due and not yet done, so running it late or twice gives the same result.
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
        session_finish(By(PLATFORM, now), session, instrument, reservation, check_out=end, assumed=True)
        return 1
    return int(confirmed_settle(reservation, now=now))


def confirmed_settle(reservation: Reservation, *, now: datetime) -> bool:
    """End a confirmed booking that was missed or is over; return whether it was. Call this under the
    instrument's lock."""
    state = rules.settled_state(reservation.start_at, reservation.end_at, reservation.check_in_minutes, now)
    if reservation.state != "confirmed" or state is None:
        return False
    occupancy.reservation_move_to(By(PLATFORM, now), reservation=reservation, state=state)
    effects = [occupancy.charge_due(reservation)]
    if state == "no_show":
        Occupancy.objects.filter(reservation=reservation).delete()
        effects.append(occupancy.message("no-show", reservation))
        freed = coming(reservation.start_at, reservation.end_at, now)
        if freed is not None:
            effects.append(occupancy.slot_freed(reservation, freed))
    else:
        effects.append(occupancy.ended(reservation))
    effects.append(occupancy.hours_dirty(reservation, reservation.start_at, reservation.end_at))
    enqueue(effects, now=now)
    return True

"""Guarantee hours of an instrument to an organisation (docs/availability.md, "Guaranteed hours")."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from accounts import trail
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import FieldProblem, Invalid, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.notifications import Effect, enqueue
from accounts.selectors.rows import visible
from bookings.availability.models import KeptHours
from bookings.availability.selectors.availability import load_promises
from bookings.availability.selectors.kept_hours import kept_for, kept_rows, value_of
from instruments.policy.models import BookingPolicy
from instruments.rates.selectors.ratecards import load_card_in_force
from instruments.reading.domain.clock import local_date
from instruments.register.locks import lock_instrument, lock_managed
from instruments.register.models import Instrument

LONGEST = timedelta(days=731)
MOST_MINUTES, MOST_RELEASED, MOST_PRICE = 60 * 20_000, 60 * 24 * 90, Decimal(10) ** 9
AHEAD = timedelta(days=14)  # of the last hours' release, when the holder is told what is left


@transaction.atomic
def kept_hours_grant(
    by: By,
    *,
    instrument: Instrument,
    holder: Organisation,
    minutes: int,
    starts_at: datetime,
    ends_at: datetime,
    price: Decimal | None,
    released_minutes: int,
    reason: str,
) -> KeptHours:
    """Guarantee `minutes` of [starts_at, ends_at) to a holder; only the managers of the host may. See
    `kept_hours_put`."""
    lock_managed(by, instrument.pk)
    return kept_hours_put(
        by,
        instrument=instrument,
        holder=holder,
        minutes=minutes,
        starts_at=starts_at,
        ends_at=ends_at,
        price=price,
        released_minutes=released_minutes,
        reason=reason,
    )


def kept_hours_put(
    by: By,
    *,
    instrument: Instrument,
    holder: Organisation,
    minutes: int,
    starts_at: datetime,
    ends_at: datetime,
    price: Decimal | None,
    released_minutes: int,
    reason: str,
) -> KeptHours:
    """Guarantee hours to a holder; the caller has begun a transaction and has the host's consent. `price` is
    per hour, in the currency of the rate card of the first day; None: the rate card applies.

    Raise `Invalid` (`minutes`, `more-than-fits` with the minutes that would fit), `WrongState`
    (`kept-already` if the holder has such hours at that time; `no-policy`).
    """
    instrument = lock_instrument(instrument.pk)
    if not hasattr(instrument, "policy"):
        raise WrongState("no-policy")
    _check(minutes, starts_at, ends_at, price, released_minutes, reason, by.now)
    if holder.closed_at is not None:
        raise invalid("holder", "organisation-closed")
    standing = KeptHours.objects.filter(
        instrument=instrument, organisation=holder, ended_at=None, start_at__lt=ends_at, end_at__gt=starts_at
    )
    if standing.exists():
        raise WrongState("kept-already")
    currency = ""
    if price is not None:
        day = local_date(instrument.facility.zone, max(starts_at, by.now))
        card = load_card_in_force(instrument.pk, day)
        if card is None or not card.values.is_hourly:
            raise invalid("price", "no-rate-by-the-hour")
        currency = card.values.currency
        if price.quantize(Decimal(1).scaleb(-MINOR_DIGITS[currency])) != price:
            raise invalid("price", "too-many-decimals", decimals=MINOR_DIGITS[currency])
    row = KeptHours.objects.create(
        instrument=instrument,
        organisation=holder,
        minutes=minutes,
        start_at=starts_at,
        end_at=ends_at,
        price=price,
        currency=currency,
        released_minutes=released_minutes,
        reason=reason.strip(),
        granted_by_id=by.actor.person,
        granted_at=by.now,
    )
    _settle(instrument)
    _require_room(by, instrument, row)
    trail.record(by, "kept-hours.grant", row, after=_facts(row), reason=row.reason)
    last = max(by.now, ends_at - timedelta(minutes=released_minutes) - AHEAD)
    enqueue(
        [
            Effect("kept-hours.granted", f"kept-hours.granted:{row.pk}", {"kept": str(row.pk)}),
            Effect("kept-hours.left", f"kept-hours.left:{row.pk}", {"kept": str(row.pk)}, last),
        ],
        now=by.now,
    )
    return row


@transaction.atomic
def kept_hours_change(by: By, *, kept_id: UUID, minutes: int, reason: str) -> KeptHours:
    """Change the number of guaranteed minutes, to no fewer than were used; only the managers of the host may.
    Raise `Invalid`, `WrongState` (`kept-ended`), `WrongVersion`."""
    instrument, row = _locked(by, kept_id)
    _require_minutes(minutes)
    _require_reason(reason)
    before = _facts(row)
    used = value_of(kept_rows(by.now).get(pk=row.pk)).burnt
    if minutes < used:
        raise invalid("minutes", "too-small", least=used)
    more = minutes > row.minutes
    row.minutes = minutes
    row.version += 1
    row.save(update_fields=["minutes", "version"])
    if more:
        _require_room(by, instrument, row)
    trail.record(by, "kept-hours.change", row, before=before, after=_facts(row), reason=reason.strip())
    key = f"kept-hours.changed:{row.pk}:{row.version}"
    enqueue([Effect("kept-hours.changed", key, {"kept": str(row.pk)})], now=by.now)
    return row


@transaction.atomic
def kept_hours_end(by: By, *, kept_id: UUID, reason: str) -> KeptHours:
    """End guaranteed hours; what is booked stays as it is. Only the managers of the host may. Raise
    `WrongState` (`kept-ended`), `WrongVersion`."""
    instrument, row = _locked(by, kept_id)
    _require_reason(reason)
    return _end(by, instrument, row, reason)


def kept_hours_stop(by: By, *, kept_id: UUID, reason: str) -> None:
    """End guaranteed hours unless they have ended; the caller has begun a transaction and has the host's
    consent. The instrument is locked."""
    row = KeptHours.objects.select_related("instrument", "organisation").get(pk=kept_id)
    instrument = lock_instrument(row.instrument_id)
    row.refresh_from_db(fields=["ended_at", "minutes", "version"])
    if row.ended_at is None:
        _end(by, instrument, row, reason)


def _end(by: By, instrument: Instrument, row: KeptHours, reason: str) -> KeptHours:
    row.ended_at = by.now
    row.version += 1
    row.save(update_fields=["ended_at", "version"])
    _settle(instrument)
    trail.record(by, "kept-hours.end", row, after={"ended_at": by.now}, reason=reason.strip())
    key = f"kept-hours.ended:{row.pk}:{row.version}"
    enqueue([Effect("kept-hours.ended", key, {"kept": str(row.pk)})], now=by.now)
    return row


def _locked(by: By, kept_id: UUID) -> tuple[Instrument, KeptHours]:
    instrument = lock_managed(by, visible(kept_for(by.actor, by.now), pk=kept_id).instrument_id)
    row = KeptHours.objects.select_related("instrument", "organisation").get(pk=kept_id)
    by.require_version(row.version)
    if row.ended_at is not None or row.end_at <= by.now:
        raise WrongState("kept-ended")
    return instrument, row


def _require_room(by: By, instrument: Instrument, row: KeptHours) -> None:
    """Raise `Invalid` unless all that is left of the hours fits beside what is guaranteed to others."""
    promises = load_promises([instrument], by.now).get(instrument.pk)
    kept = next((k for k in promises.kept if k.id == row.pk), None) if promises else None
    if promises is None or kept is None:
        return
    room = promises.room_for(kept, by.now) + kept.burnt
    if row.minutes > room:
        raise invalid("minutes", "more-than-fits", most=room, hours=f"{room / 60:.2f}")


def _settle(instrument: Instrument) -> None:
    """Store on an instrument's policy until when any hours are guaranteed; if none are, bookings need not
    look for them."""
    rows = KeptHours.objects.filter(instrument=instrument, ended_at=None)
    until = rows.aggregate(until=Max("end_at"))["until"]
    instrument.policy.kept_until = until
    BookingPolicy.objects.filter(instrument=instrument).update(kept_until=until)


def _facts(row: KeptHours) -> dict[str, object]:
    return {
        "instrument": row.instrument_id,
        "organisation": row.organisation_id,
        "minutes": row.minutes,
        "start": row.start_at,
        "end": row.end_at,
        "price": row.price,
        "currency": row.currency,
        "released_minutes": row.released_minutes,
    }


def _require_minutes(minutes: int) -> None:
    if not 1 <= minutes <= MOST_MINUTES:
        raise invalid("minutes", "out-of-range", least=1, most=MOST_MINUTES)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise invalid("reason", "required")
    if len(reason.strip()) > 500:
        raise invalid("reason", "too-long", most=500)


def _check(
    minutes: int,
    starts_at: datetime,
    ends_at: datetime,
    price: Decimal | None,
    released_minutes: int,
    reason: str,
    now: datetime,
) -> None:
    _require_minutes(minutes)
    _require_reason(reason)
    problems = []
    for name, moment in (("start", starts_at), ("end", ends_at)):
        if moment.second or moment.microsecond:
            problems.append(FieldProblem(name, "whole-minutes"))
    if ends_at <= starts_at:
        problems.append(FieldProblem("end", "not-after-start"))
    elif ends_at <= now:
        problems.append(FieldProblem("end", "in-the-past"))
    elif ends_at - max(starts_at, now) > LONGEST or starts_at < now - LONGEST:
        problems.append(FieldProblem("end", "span-too-long", {"days": LONGEST.days}))
    if not 0 <= released_minutes <= MOST_RELEASED:
        numbers: dict[str, str | int] = {"least": 0, "most": MOST_RELEASED}
        problems.append(FieldProblem("released_minutes", "out-of-range", numbers))
    if price is not None and not (price.is_finite() and 0 <= price < MOST_PRICE):
        problems.append(FieldProblem("price", "too-large", {"most": f"{MOST_PRICE:f}"}))
    if problems:
        raise Invalid(problems)

"""Promises of hosts: their answers, and the guaranteed hours that a promise becomes."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.notifications import Effect, enqueue
from accounts.selectors.rows import visible
from bookings.availability.models import KeptHours
from bookings.availability.services.kept_hours import kept_hours_put, kept_hours_stop
from bookings.reviews.domain import reviews as rules
from bookings.reviews.locks import lock_case
from bookings.reviews.models import HostPledge, PurchaseCase
from bookings.reviews.selectors.cases import pledges_asked, today_of
from instruments.rates.selectors.ratecards import load_card_in_force

MOST_HOURS = 8784 * 100  # hours of a year, with a hundred units
MOST_YEARS = 3
LARGEST = Decimal(10) ** 9
MOST_REASON = 500  # characters of the reason for guaranteed hours
RELEASED_MINUTES = 48 * 60  # this long before they begin, promised hours that are not booked are released


@dataclass(frozen=True)
class PledgeAnswer:
    """A host's answer: hours a year from a day on, for a number of years, at a price an hour in the currency
    of the rate card (None: as usual); or the reason why it declines."""

    answer: str
    hours: int | None = None
    price: Decimal | None = None
    currency: str = ""
    from_date: date | None = None
    years: int = 1
    reason: str = ""
    note: str = ""


@transaction.atomic
def pledge_answer(by: By, *, pledge_id: UUID, answer: PledgeAnswer) -> HostPledge:
    """Pledge hours of an instrument that the actor manages, or decline. The answer can be replaced until the
    case is decided. `WrongState` (`case-not-so-far`), `Invalid`."""
    pledge = visible(pledges_asked(by.actor), pk=pledge_id)
    case = lock_case(pledge.case_id)
    pledge.refresh_from_db()
    by.require_version(pledge.version)
    if case.state not in ("hosts_asked", "under_review") or pledge.kept_hours_id:
        raise WrongState("case-not-so-far", state=case.state)
    _check(answer, pledge, by.now)
    is_promise = answer.answer == rules.PROMISE
    pledge.answer = answer.answer
    pledge.hours = answer.hours if is_promise else None
    pledge.price = answer.price if is_promise else None
    pledge.currency = answer.currency if is_promise and answer.price is not None else ""
    pledge.from_date = answer.from_date if is_promise else None
    pledge.years = answer.years if is_promise else 1
    pledge.reason = "" if is_promise else answer.reason
    pledge.note = answer.note.strip()
    pledge.answered_at, pledge.answered_by_id = by.now, by.actor.person
    pledge.version += 1
    pledge.save()
    trail.record(
        by,
        "host-pledge.answer",
        pledge,
        after={
            "answer": pledge.answer,
            "hours": pledge.hours,
            "price": pledge.price,
            "currency": pledge.currency,
            "from_date": pledge.from_date,
            "years": pledge.years,
            "reason": pledge.reason,
        },
    )
    enqueue(
        [Effect("review.answered", f"{pledge.pk}:{pledge.version}", {"pledge": str(pledge.pk)})], now=by.now
    )
    return pledge


def promises_keep(by: By, *, case: PurchaseCase, reason: str) -> date:
    """Turn every promise into guaranteed hours of the applicant, for each of its years from its day on, and
    return the first of these days. The instruments are locked. Raises `WrongState` (`no-promise`) if there
    are none."""
    pledges = list(
        HostPledge.objects.select_related("instrument__facility", "host__region")
        .filter(case=case, answer=rules.PROMISE)
        .order_by("instrument_id")
    )
    if not pledges:
        raise WrongState("no-promise")
    for pledge in pledges:
        begins = max(pledge.from_date or date.min, today_of(case.organisation, by.now))
        first, *later = (
            _kept(by, case, pledge, rules.months_after(begins, 12 * n), reason) for n in range(pledge.years)
        )
        pledge.kept_hours = first
        pledge.later_hours.set(later)
        pledge.from_date = begins
        pledge.version += 1
        pledge.save(update_fields=["kept_hours", "from_date", "version"])
        trail.record(
            by,
            "host-pledge.keep",
            pledge,
            after={"kept_hours": [row.pk for row in (first, *later)], "from_date": begins},
        )
    return min(pledge.from_date for pledge in pledges if pledge.from_date)


def promises_end(by: By, *, case: PurchaseCase, reason: str) -> None:
    """End the guaranteed hours of an earlier decision on the case, which is decided again. Bookings of those
    hours stay."""
    for pledge in HostPledge.objects.filter(case=case).exclude(kept_hours=None):
        later = pledge.later_hours.values_list("pk", flat=True)
        for kept_id in filter(None, (pledge.kept_hours_id, *later)):
            kept_hours_stop(by, kept_id=kept_id, reason=reason[:MOST_REASON])
        pledge.kept_hours = None
        pledge.later_hours.clear()
        pledge.version += 1
        pledge.save(update_fields=["kept_hours", "version"])


def _kept(by: By, case: PurchaseCase, pledge: HostPledge, begins: date, reason: str) -> KeptHours:
    """Create the guaranteed hours of a promise for the applicant: twelve months of them."""
    now = by.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return kept_hours_put(
        by,
        instrument=pledge.instrument,
        holder=case.organisation,
        minutes=60 * (pledge.hours or 0),
        starts_at=max(_midnight(pledge, begins), now),
        ends_at=_midnight(pledge, rules.months_after(begins, 12)),
        price=pledge.price,
        released_minutes=RELEASED_MINUTES,
        reason=reason[:MOST_REASON],
    )


def _check(answer: PledgeAnswer, pledge: HostPledge, now: datetime) -> None:
    if answer.answer not in HostPledge.Answer.values:
        raise invalid("answer", "unknown-value")
    if answer.answer == rules.DENIAL:
        if answer.reason not in HostPledge.Reason.values:
            raise invalid("reason", "required")
        return
    if answer.hours is None or answer.hours <= 0:
        raise invalid("hours", "required")
    if answer.hours > MOST_HOURS:
        raise invalid("hours", "too-large", most=MOST_HOURS)
    if not 1 <= answer.years <= MOST_YEARS:
        raise invalid("years", "out-of-range", least=1, most=MOST_YEARS)
    if answer.from_date is None:
        raise invalid("from_date", "required")
    today = today_of(pledge.host, now)
    if not today <= answer.from_date <= rules.months_after(today, 24):
        raise invalid("from_date", "not-within-two-years")
    if answer.price is None:
        return
    if not 0 <= answer.price < LARGEST:
        raise invalid("price", "too-large", most=f"{LARGEST:f}")
    card = load_card_in_force(pledge.instrument_id, answer.from_date)
    if card is None or not card.values.is_hourly:
        raise invalid("price", "no-rate-card")
    if answer.currency != card.values.currency:
        raise invalid("currency", "other-currency", currency=card.values.currency)


def _midnight(pledge: HostPledge, day: date) -> datetime:
    """Return the instant at which a day begins where the instrument of a pledge is."""
    zone = ZoneInfo(pledge.instrument.facility.time_zone)
    return datetime.combine(day, time(), zone)

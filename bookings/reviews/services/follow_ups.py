"""Follow up decided cases, twelve and twenty-four months later."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from accounts import trail
from accounts.domain.roles import PLATFORM, By
from accounts.notifications import Effect, enqueue
from accounts.services.jobs import work_through
from bookings.hours.models import InstrumentDay, InstrumentDayUse
from bookings.reviews.domain import reviews as rules
from bookings.reviews.locks import lock_case
from bookings.reviews.models import CaseFollowUp, CaseStep, PurchaseCase

ROLLED_UP = timedelta(days=2)  # after a day, when its hours are rolled up everywhere


def cases_follow_up(now: datetime, *, most: int = 200) -> int:
    """Follow up every case whose twelve or twenty-four months are over; return how many."""
    return work_through(
        job="follow up purchases", due=_due(now), act=lambda pk: _follow_up(pk, now), now=now, most=most
    )


def _due(now: datetime) -> QuerySet[PurchaseCase]:
    day = (now - ROLLED_UP).date()
    return PurchaseCase.objects.filter(follow_up_on__lte=day).order_by("follow_up_on", "id")


def _follow_up(case_id: UUID, now: datetime) -> int:
    """Store for a case how much was used of what was pledged, and of the purchased instrument."""
    case = lock_case(case_id)
    if case.follow_up_on is None or not _due(now).filter(pk=case_id).exists():
        return 0
    by = By(PLATFORM, now)
    done = case.follow_ups.count()
    months, until = rules.FOLLOW_UPS[done], case.follow_up_on
    since = rules.months_before(until, 12)
    pledged, used = _pledged(case, since, until, done + 1)
    row = CaseFollowUp.objects.create(
        case=case,
        months=months,
        made_at=now,
        pledged_minutes=pledged,
        used_minutes=used,
        own_minutes=_own(case, since, until),
        is_avoided=case.state == "share_instead" and rules.is_avoided(pledged, used),
    )
    is_last = months == rules.FOLLOW_UPS[-1]
    case.follow_up_on = None if is_last else rules.months_after(until, 12)
    if is_last:
        case.state = rules.act("follow_up", case.state)
        CaseStep.objects.create(case=case, state=case.state, at=now)
    case.changed_at = now
    case.version += 1
    case.save(update_fields=["follow_up_on", "state", "changed_at", "version"])
    trail.record(
        by,
        "purchase-case.follow-up",
        case,
        after={
            "months": months,
            "pledged_minutes": pledged,
            "used_minutes": used,
            "own_minutes": row.own_minutes,
            "is_avoided": row.is_avoided,
            "state": case.state,
        },
    )
    payload = {"case": str(case.pk), "months": months}
    enqueue([Effect("review.followed-up", f"{case.pk}:{months}", payload)], now=now)
    return 1


def _pledged(case: PurchaseCase, since: date, until: date, year: int) -> tuple[int, int]:
    """Return the minutes that were bindingly promised for the days [since, until), the first or second year,
    and how many of them the applicant used; on each instrument at most what was promised."""
    pledged = used = 0
    for pledge in case.pledges.exclude(kept_hours=None).filter(years__gte=year):
        minutes = 60 * (pledge.hours or 0)
        use = InstrumentDayUse.objects.filter(
            Q(date__gte=since, date__lt=until),
            instrument_id=pledge.instrument_id,
            organisation_id=case.organisation_id,
        ).aggregate(minutes=Sum("minutes", default=0))["minutes"]
        pledged += minutes
        used += min(minutes, use)
    return pledged, used


def _own(case: PurchaseCase, since: date, until: date) -> int:
    """Return the minutes used by anybody on the instrument that was purchased after a case."""
    if case.instrument_id is None:
        return 0
    days = InstrumentDay.objects.filter(instrument_id=case.instrument_id, date__gte=since, date__lt=until)
    minutes: int = days.aggregate(minutes=Sum("productive_minutes", default=0))["minutes"]
    return minutes

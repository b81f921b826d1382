"""Purchase cases, as far as each person may see them, and the schemes they can be made by."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from accounts.models import Organisation, Region
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from bookings.pricing.selectors.exchange_rates import load_worths
from bookings.reviews.domain import reviews as rules
from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase, ReviewScheme
from instruments.adapters.holiday_calendars import public_holidays
from instruments.domain.opening import local_date


def cases() -> QuerySet[PurchaseCase]:
    """All, the newest first."""
    return (
        PurchaseCase.objects.select_related("organisation__region", "user", "scheme")
        .prefetch_related("techniques")
        .order_by("-created_at", "-id")
    )


def cases_for(actor: Actor) -> QuerySet[PurchaseCase]:
    """One's own, those of organisations whose manager one is; once they are submitted, also those
    of the regions that one coordinates or audits; for administrators all of these."""
    own = Q(user=actor.user_id) if actor.user_id else Q(pk=None)
    own |= Q(organisation_id__in=actor.organisations_where("manage-instruments"))
    above = [*actor.regions_where("coordinate"), *actor.regions_where("read-trail")]
    seen = Q(organisation__region__lineage__overlap=above)
    if actor.has("administrator"):
        seen = Q()
    return cases().filter(own | (Q(submitted_at__isnull=False) & seen))


def case_by_id(actor: Actor, case_id: UUID) -> PurchaseCase:
    """One of them, or one that the actor is asked about as an expert; `NotFound` else."""
    return visible(cases(), _seen(actor), pk=case_id)


def case_shown(actor: Actor, case_id: UUID) -> PurchaseCase:
    """One of them, or one for which an instrument that the actor manages is asked about; `NotFound`
    else. Of the latter they read neither price, comparison nor opinions."""
    hosts = actor.organisations_where("manage-instruments")
    asked = HostPledge.objects.filter(host_id__in=hosts).values("case")
    return visible(cases(), _seen(actor) | Q(pk__in=asked), pk=case_id)


def _seen(actor: Actor) -> Q:
    asked = CaseExpert.objects.filter(user=actor.user_id).values("case")
    return Q(pk__in=cases_for(actor).order_by().values("pk")) | Q(pk__in=asked)


def own_case(actor: Actor, case_id: UUID) -> PurchaseCase:
    """One that the actor may change: their own, and those of organisations whose manager they are;
    `NotFound` else."""
    managed = actor.organisations_where("manage-instruments")
    return visible(cases(), Q(user_id=actor.person) | Q(organisation_id__in=managed), pk=case_id)


def coordinated_case(actor: Actor, case_id: UUID) -> PurchaseCase:
    """One of a region that the actor coordinates; `NotFound` else."""
    above = list(actor.regions_where("coordinate"))
    rows = cases().filter(submitted_at__isnull=False, organisation__region__lineage__overlap=above)
    return visible(rows, pk=case_id)


def cases_to_decide(actor: Actor) -> QuerySet[PurchaseCase]:
    """Those that wait for the actor as a coordinator, but for those of their own organisation."""
    above = list(actor.regions_where("coordinate"))
    return (
        cases()
        .filter(
            state__in=("submitted", "hosts_asked", "under_review"),
            organisation__region__lineage__overlap=above,
        )
        .exclude(organisation_id__in=actor.own_organisations)
    )


def pledges_to_answer(actor: Actor) -> QuerySet[HostPledge]:
    """What hosts whose manager the actor is have not answered, the oldest first."""
    return pledges_asked(actor).filter(answer="", case__state__in=("hosts_asked", "under_review"))


def pledges_asked(actor: Actor) -> QuerySet[HostPledge]:
    """What hosts whose manager the actor is were asked, the oldest first."""
    return (
        HostPledge.objects.select_related(
            "instrument__facility", "host__region", "case__organisation__region"
        )
        .filter(host_id__in=actor.organisations_where("manage-instruments"))
        .order_by("asked_at", "id")
    )


def opinions_to_give(actor: Actor) -> QuerySet[CaseExpert]:
    """What the actor is asked as an expert and has not answered."""
    return opinions_asked(actor).filter(
        given_at=None, barred="", case__state__in=("submitted", "hosts_asked", "under_review")
    )


def opinions_asked(actor: Actor) -> QuerySet[CaseExpert]:
    """What the actor was ever asked as an expert, the newest first."""
    return (
        CaseExpert.objects.select_related("case__organisation__region", "user")
        .filter(user=actor.user_id)
        .order_by("-asked_at", "-id")
    )


def decides(actor: Actor, case: PurchaseCase) -> bool:
    """Whether the actor coordinates the region of a case and has no part in it."""
    return (
        actor.may("coordinate", place_of(case.organisation))
        and case.organisation_id not in actor.own_organisations
        and case.user_id != actor.user_id
    )


def newest_schemes() -> QuerySet[ReviewScheme]:
    """The newest version of each scheme."""
    newest = ReviewScheme.objects.order_by("code", "-version").distinct("code")
    return ReviewScheme.objects.filter(pk__in=newest.values("pk"))


def schemes_for(organisation: Organisation, day: date) -> list[ReviewScheme]:
    """The newest version of each scheme of an organisation's region, or of one above it, by
    code."""
    codes = Region.objects.filter(pk__in=organisation.region.lineage).values_list("code", flat=True)
    rows = newest_schemes().filter(regions__overlap=list(codes)).order_by("code")
    return [row for row in rows if row.valid_from is None or row.valid_from <= day]


def price_in(
    organisation: Organisation, amount: Decimal, currency: str, wanted: str, day: date
) -> Decimal | None:
    """An amount in another currency, by the newest rates of an organisation; None without one."""
    worth = load_worths(organisation, wanted, day).get(currency)
    return None if worth is None else amount * worth


def today_of(organisation: Organisation, now: datetime) -> date:
    """The day in the region of an organisation."""
    return local_date(ZoneInfo(organisation.region.time_zone), now)


def thresholds_of(scheme: ReviewScheme) -> rules.Thresholds:
    """From where on an instrument is full by a scheme; what it does not state is as usual."""
    return rules.Thresholds(
        scheme.full_hours or rules.FULL_HOURS,
        rules.FULL_PERCENT if scheme.full_percent is None else scheme.full_percent,
    )


def due_day(case: PurchaseCase, state: str, day: date) -> date | None:
    """When a step that begins on a day is to be over: the working days of the scheme, or the usual
    ones; None where the step has no such number."""
    days = case.scheme.days.get(state) or rules.DAYS.get(state)
    return None if days is None else working_day(case.organisation.region, day, days)


def appeal_until(case: PurchaseCase) -> date | None:
    """The last day on which the applicant may appeal against the decision; None before it."""
    if case.decided_at is None:
        return None
    day = today_of(case.organisation, case.decided_at)
    days = case.scheme.appeal_days or rules.APPEAL_DAYS
    return working_day(case.organisation.region, day, days)


def working_day(region: Region, day: date, days: int) -> date:
    """The last of so many working days of a region after a day."""
    years = range(day.year, (day + timedelta(days=2 * days + 30)).year + 1)
    return rules.working_day_after(day, days, public_holidays(region.holiday_calendar, years))


def grounds_of(scheme: ReviewScheme) -> Collection[str]:
    """The codes by which a decision may be grounded: those of the scheme and those that the figures
    give."""
    return {*rules.GROUNDS, *(ground["code"] for ground in scheme.grounds)}


def experts_needed(scheme: ReviewScheme) -> int:
    """How many opinions a decision needs."""
    return rules.EXPERTS if scheme.experts is None else scheme.experts

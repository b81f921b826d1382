"""Purchase cases, as far as each person may see them, and the schemes by which they can be made."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor, Place
from accounts.models import Organisation, Region
from accounts.permissions import require
from accounts.selectors.memberships import in_scope, place_of
from accounts.selectors.rows import visible
from bookings.pricing.selectors.exchange_rates import load_worths
from bookings.record.selectors.lists import CHOICE, Column, Filter, Listing, amount_of
from bookings.reviews.domain import reviews as rules
from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase, ReviewScheme
from instruments.opening.adapters.holiday_calendars import public_holidays
from instruments.reading.domain.clock import local_date


def cases() -> QuerySet[PurchaseCase]:
    """Return all cases, the newest first."""
    return (
        PurchaseCase.objects.select_related("organisation__region", "user", "scheme")
        .prefetch_related("techniques")
        .order_by("-created_at", "-id")
    )


def cases_for(actor: Actor) -> QuerySet[PurchaseCase]:
    """Return the actor's cases and those of organisations they manage; once submitted, also those of regions
    they coordinate or audit; for administrators all of these."""
    own = Q(user=actor.user_id) if actor.user_id else Q(pk=None)
    own |= Q(organisation_id__in=actor.organisations_where("manage-instruments"))
    above = [*actor.regions_where("coordinate"), *actor.regions_where("read-trail")]
    seen = Q(organisation__region__lineage__overlap=above)
    if actor.has("administrator"):
        seen = Q()
    return cases().filter(own | (Q(submitted_at__isnull=False) & seen))


def experts_met(actor: Actor) -> QuerySet[CaseExpert]:
    """Return the experts who were asked about cases that the actor sees, each with the person as `user`."""
    return CaseExpert.objects.filter(case__in=cases_for(actor).order_by().values("pk"))


def case_by_id(actor: Actor, case_id: UUID) -> PurchaseCase:
    """Return a case that the actor may see, or about which they are asked as an expert; raise `NotFound`
    otherwise."""
    return visible(cases(), _seen(actor), pk=case_id)


def case_shown(actor: Actor, case_id: UUID) -> PurchaseCase:
    """Return a case that the actor may see, or one that asks about an instrument they manage; raise
    `NotFound` otherwise. In the latter they may read neither price, comparison nor opinions."""
    managed = in_scope(actor.scope_where("manage-instruments"), "host_id")
    asked = HostPledge.objects.filter(managed).values("case")
    return visible(cases(), _seen(actor) | Q(pk__in=asked), pk=case_id)


def _seen(actor: Actor) -> Q:
    asked = CaseExpert.objects.filter(user=actor.user_id).values("case")
    return Q(pk__in=cases_for(actor).order_by().values("pk")) | Q(pk__in=asked)


def own_case(actor: Actor, case_id: UUID) -> PurchaseCase:
    """Return a case that the actor may change: their own, or one of an organisation that they manage. Raise
    `NotFound` otherwise."""
    managed = actor.organisations_where("manage-instruments")
    return visible(cases(), Q(user_id=actor.person) | Q(organisation_id__in=managed), pk=case_id)


def coordinated_case(actor: Actor, case_id: UUID) -> PurchaseCase:
    """Return a case of a region that the actor coordinates; raise `NotFound` otherwise."""
    above = list(actor.regions_where("coordinate"))
    rows = cases().filter(submitted_at__isnull=False, organisation__region__lineage__overlap=above)
    return visible(rows, pk=case_id)


def cases_to_decide(actor: Actor) -> QuerySet[PurchaseCase]:
    """Return cases that wait for the actor as a coordinator, except those of their own organisation."""
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
    """Return the unanswered requests for instruments that the actor manages, the oldest first."""
    return pledges_asked(actor).filter(answer="", case__state__in=("hosts_asked", "under_review"))


def pledges_asked(actor: Actor) -> QuerySet[HostPledge]:
    """Return all requests for instruments that the actor manages, the oldest first."""
    return (
        HostPledge.objects.select_related(
            "instrument__facility", "host__region", "case__organisation__region"
        )
        .filter(in_scope(actor.scope_where("manage-instruments"), "host_id"))
        .order_by("asked_at", "id")
    )


def opinions_to_give(actor: Actor) -> QuerySet[CaseExpert]:
    """Return the opinions that the actor is asked for and has not given."""
    return opinions_asked(actor).filter(
        given_at=None, barred="", case__state__in=("submitted", "hosts_asked", "under_review")
    )


def opinions_asked(actor: Actor) -> QuerySet[CaseExpert]:
    """Return all opinions that the actor was ever asked for, the newest first."""
    return (
        CaseExpert.objects.select_related("case__organisation__region", "user")
        .filter(user=actor.user_id)
        .order_by("-asked_at", "-id")
    )


def decides(actor: Actor, case: PurchaseCase) -> bool:
    """Say whether the actor coordinates the region of a case and has no part in it."""
    return (
        actor.may("coordinate", place_of(case.organisation))
        and case.organisation_id not in actor.own_organisations
        and case.user_id != actor.user_id
    )


def offers(actor: Actor, case: PurchaseCase, act: str) -> bool:
    """Say whether the state of a case allows an act, and the actor is one of those who may do it."""
    is_author = case.user_id == actor.user_id
    is_manager = actor.may("manage-instruments", place_of(case.organisation))
    whose = {"ask_hosts": decides(actor, case), "review": decides(actor, case)}
    whose |= {"withdraw": is_manager or is_author, "check": is_manager and not is_author}
    return case.state in rules.ACTS[act][0] and whose.get(act, is_manager)


def newest_schemes() -> QuerySet[ReviewScheme]:
    """Return the newest version of each scheme."""
    newest = ReviewScheme.objects.order_by("code", "-version").distinct("code")
    return ReviewScheme.objects.filter(pk__in=newest.values("pk"))


def all_schemes(actor: Actor) -> QuerySet[ReviewScheme]:
    """Return all versions of all schemes by code, the newest first. Only administrators may read them."""
    require(actor, "administer", Place(None))
    return ReviewScheme.objects.order_by("code", "-version")


def schemes_for(organisation: Organisation, day: date) -> list[ReviewScheme]:
    """Return the newest version of each scheme of an organisation's region, or of one above it, by code."""
    codes = Region.objects.filter(pk__in=organisation.region.lineage).values_list("code", flat=True)
    rows = newest_schemes().filter(regions__overlap=list(codes)).order_by("code")
    return [row for row in rows if row.valid_from is None or row.valid_from <= day]


def price_in(
    organisation: Organisation, amount: Decimal, currency: str, wanted: str, day: date
) -> Decimal | None:
    """Return an amount in another currency, by the newest rates of an organisation; None without a rate."""
    worth = load_worths(organisation, wanted, day).get(currency)
    return None if worth is None else amount * worth


def today_of(organisation: Organisation, now: datetime) -> date:
    """Return the local day in the region of an organisation."""
    return local_date(ZoneInfo(organisation.region.time_zone), now)


def thresholds_of(scheme: ReviewScheme) -> rules.Thresholds:
    """Return the limits from which an instrument is full by a scheme, with the usual ones for those it does
    not state."""
    return rules.Thresholds(
        scheme.full_hours or rules.FULL_HOURS,
        rules.FULL_PERCENT if scheme.full_percent is None else scheme.full_percent,
    )


def due_day(case: PurchaseCase, state: str, day: date) -> date | None:
    """Return the day on which a step that begins on a day should be over: after the working days of the
    scheme, or the usual ones; None if the step has no such number."""
    days = case.scheme.days.get(state) or rules.DAYS.get(state)
    return None if days is None else working_day(case.organisation.region, day, days)


def appeal_until(case: PurchaseCase) -> date | None:
    """Return the last day on which the applicant may appeal against the decision on a case; None before there
    is one."""
    if case.decided_at is None:
        return None
    day = today_of(case.organisation, case.decided_at)
    days = case.scheme.appeal_days or rules.APPEAL_DAYS
    return working_day(case.organisation.region, day, days)


def working_day(region: Region, day: date, days: int) -> date:
    """Return the working day of a region that is some working days after a day."""
    years = range(day.year, (day + timedelta(days=2 * days + 30)).year + 1)
    return rules.working_day_after(day, days, public_holidays(region.holiday_calendar, years))


def experts_needed(scheme: ReviewScheme) -> int:
    """Return how many opinions of experts a decision needs by a scheme."""
    return rules.EXPERTS if scheme.experts is None else scheme.experts


CASES = Listing(
    "purchase-cases",
    cases_for,
    (
        Column("case", "pk"),
        Column("name", "name", _("What to buy"), "name"),
        Column("applicant", "organisation.code", _("Applicant"), "organisation__name"),
        Column("region", "organisation.region.code"),
        Column("state", "state", _("State"), "state"),
        Column("price", amount_of("price"), _("Price")),
        Column("currency", "currency"),
        Column("hours", "hours"),
        Column("due", "due_on", _("Due"), "due_on"),
        Column("made", "created_at", sort="created_at"),
    ),
    waits={
        "reviews": lambda actor, now: cases_to_decide(actor),
        "decide": lambda actor, now: cases_to_decide(actor),
    },
    waits_help="Only cases that you have to handle as a coordinator.",
    words=("name", "organisation__name", "organisation__name_zh"),
    q_help="Part of the name of the case or of the applicant.",
    day="created_at",
    filters=(Filter("state", "state", CHOICE, _("State"), choices=PurchaseCase.State.choices),),
)

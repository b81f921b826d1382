"""The evidence of a purchase case: every instrument of its class in scope, and the figures computed from
them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import asin, cos, radians, sin, sqrt
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from accounts.domain.errors import invalid
from accounts.models import Organisation, Region
from bookings.catalogue.models import UnmetDemand
from bookings.catalogue.selectors.catalogue import load_cards
from bookings.hours.domain.norms import USUAL_SCHEME, norm_minutes
from bookings.hours.selectors.norms import load_norms
from bookings.hours.selectors.sums import instrument_sums, load_kept, load_offered
from bookings.plans.models import WaitingWish
from bookings.pricing.selectors.agreements import load_agreements
from bookings.pricing.selectors.exchange_rates import load_worths
from bookings.pricing.selectors.fees import PriceRequest, load_backing, price_of, terms_on
from bookings.record.domain.money import format_amount
from bookings.record.domain.periods import Period
from bookings.record.models import Reservation
from bookings.reviews.domain import reviews as rules
from bookings.reviews.models import HostPledge, PurchaseCase
from bookings.reviews.selectors.cases import cases, thresholds_of, today_of
from instruments.capabilities.selectors.capabilities import load_capabilities
from instruments.policy.selectors.policies import load_policy
from instruments.register.models import Facility, Instrument
from instruments.register.selectors.registry import WITH
from instruments.search.domain.search import key
from instruments.search.models import SearchEntry
from instruments.vocabulary.domain.parameters import FAILS, MEETS, UNKNOWN, Requirement, fit

MOST_COMPARED = 2000
YEAR = 12  # months over which hours are compared
_TOOK_PLACE = ("confirmed", "in_use", "completed", "no_show")


@dataclass(frozen=True)
class Evidence:
    """Evidence for deciding a case: the frozen rows with the hosts' answers, the figures, and the wait in
    hours. shared: the price of an hour by which the break-even is computed."""

    rows: Sequence[Mapping[str, Any]]
    pledges: Mapping[str, HostPledge]
    contradicted: frozenset[str]
    figures: rules.Figures
    wait: Fraction | None
    quote: Decimal | None
    excluding: Mapping[str, int]
    unmet: Mapping[str, int]
    spare: Mapping[str, Fraction]


def load_comparison(case: PurchaseCase, now: datetime) -> dict[str, Any]:
    """Return the evidence of a case as it is now, as plain JSON: minutes as whole numbers, amounts as texts.
    Some twenty statements. Raises `Invalid` (`class-too-large`) for more instruments than `MOST_COMPARED`."""
    today = today_of(case.organisation, now)
    since = rules.months_before(today, YEAR)
    codes = [technique.code for technique in case.techniques.all()]
    regions = _regions(case, today)
    instruments = list(_in_scope(case, codes, regions)[: MOST_COMPARED + 1])
    if len(instruments) > MOST_COMPARED:
        raise invalid("techniques", "class-too-large", most=MOST_COMPARED)
    ids = [instrument.pk for instrument in instruments]
    hours, norm = _hours(ids, since, today), _norm(ids, since, today)
    prices = _prices(case, instruments, now)
    stated = load_capabilities(ids)
    queues = dict(
        WaitingWish.objects.filter(instrument__in=ids, state="waiting")
        .values_list("instrument_id")
        .annotate(Count("pk"))
    )
    here = _coordinates(case.organisation)
    requirements = requirements_of(case)
    rows = []
    for instrument in instruments:
        fits = {r.parameter: fit(r, stated[instrument.pk]) for r in requirements}
        effective, opened = hours.get(instrument.pk, (0, 0))
        rows.append(
            {
                "instrument": str(instrument.pk),
                "name": instrument.name,
                "name_zh": instrument.name_zh,
                "host": str(instrument.organisation_id),
                "host_name": instrument.organisation.name,
                "host_name_zh": instrument.organisation.name_zh,
                "region": instrument.region.code,
                "model": _model(instrument),
                "fit": _worst(fits.values()),
                "fails": sorted(name for name, value in fits.items() if value == FAILS),
                "unknown": sorted(name for name, value in fits.items() if value == UNKNOWN),
                "effective_minutes": effective,
                "open_minutes": opened,
                "norm_minutes": norm.get(instrument.pk, 0),
                "queue": queues.get(instrument.pk, 0),
                "quote": prices.get(instrument.pk),
                "kilometres": _kilometres(here, instrument.facility),
                "record_days": max((now - _stated_at(instrument)).days, 0),
                "acquired": instrument.acquisition_date and str(instrument.acquisition_date),
            }
        )
    return {
        "at": now.isoformat(timespec="seconds"),
        "since": str(since),
        "until": str(today),
        "scheme": {"code": case.scheme.code, "version": case.scheme.version},
        "look": case.scheme.look or "agreed",
        "techniques": sorted(codes),
        "currency": case.currency,
        "requirements": case.requirements,
        "hours": case.hours,
        "instruments": rows,
        "waits": _waits(ids, now),
        "unmet": _unmet(case, ids, regions, since, today),
        "split": is_split(case, today),
    }


def evidence_of(case: PurchaseCase) -> Evidence | None:
    """Load the evidence of a case from its frozen comparison and the answers of hosts; None before it is
    submitted. Two statements."""
    comparison = getattr(case, "comparison", None)
    if comparison is None:
        return None
    content = comparison.content
    full = thresholds_of(case.scheme)
    pledges = {str(pledge.instrument_id): pledge for pledge in case.pledges.all()}
    compared = [_compared(row, pledges.get(row["instrument"])) for row in content["instruments"]]
    quotes = [
        Decimal(row["quote"])
        for row in content["instruments"]
        if row["fit"] == MEETS and row["quote"] is not None
    ]
    quote = min(quotes, default=None)
    unmet = content["unmet"]
    figures = rules.figures(
        compared,
        needed=content["hours"],
        costs=costs_of(case),
        currency=case.currency,
        quote=quote,
        full=full,
        unmet_hours=Fraction(sum(unmet[name] for name in ("refused", "searched", "waited")), 60),
        split=content["split"],
    )
    spare = {row.key: rules.spare_hours(row, full) for row in compared}
    reasons = {key: pledge.reason for key, pledge in pledges.items()}
    return Evidence(
        rows=content["instruments"],
        pledges=pledges,
        contradicted=frozenset(
            row.key for row in compared if rules.is_contradicted(row, reasons.get(row.key, ""), full)
        ),
        figures=figures,
        wait=rules.expected_wait(
            content["waits"], {row.key: spare[row.key] for row in compared if row.fit == MEETS}
        ),
        quote=quote,
        excluding=rules.excluding(compared),
        unmet=unmet,
        spare=spare,
    )


def costs_of(case: PurchaseCase) -> rules.Costs:
    """Return the costs that the purchase of a case would have."""
    return rules.Costs(
        case.price, case.years, case.upkeep_percent, case.staff, case.space, case.marginal, case.travel
    )


def requirements_of(case: PurchaseCase) -> list[Requirement]:
    """Return what a case requires of an instrument."""

    def side(value: str | None) -> Decimal | None:
        return None if value is None else Decimal(value)

    return [Requirement(row["parameter"], side(row["low"]), side(row["high"])) for row in case.requirements]


def is_split(case: PurchaseCase, today: date) -> bool:
    """Say whether the applicant has another case of the class within twelve months that is not withdrawn or
    refused."""
    others = (
        cases()
        .filter(organisation_id=case.organisation_id)
        .exclude(pk=case.pk)
        .exclude(state__in=("draft", "withdrawn", "refused", "share_instead"))
    )
    return rules.is_split(
        today,
        frozenset(technique.code for technique in case.techniques.all()),
        [
            (
                today_of(case.organisation, other.submitted_at or other.created_at),
                frozenset(technique.code for technique in other.techniques.all()),
            )
            for other in others
        ],
    )


def cases_to_pool(case: PurchaseCase, now: datetime) -> list[PurchaseCase]:
    """Return open cases of the class in the same area whose hours, together with those of this one, fill one
    instrument. Its open hours are assumed to be the average of the fitting instruments; without any, no case
    is returned."""
    comparison = getattr(case, "comparison", None)
    if comparison is None:
        return []
    opened = [r["open_minutes"] for r in comparison.content["instruments"] if r["fit"] == MEETS]
    if not sum(opened):
        return []
    mean = Fraction(sum(opened), 60 * len(opened))
    reach = _regions(case, today_of(case.organisation, now))
    others = (
        cases()
        .filter(
            state__in=("submitted", "hosts_asked", "under_review"),
            techniques__in=case.techniques.all(),
            organisation__region__lineage__overlap=reach,
        )
        .exclude(organisation_id=case.organisation_id)
        .distinct()
    )
    return [other for other in others if rules.fills_one(case.hours, other.hours, mean)]


def _compared(row: Mapping[str, Any], pledge: HostPledge | None) -> rules.Compared:
    return rules.Compared(
        key=row["instrument"],
        effective=Fraction(row["effective_minutes"], 60),
        opened=Fraction(row["open_minutes"], 60),
        fit=row["fit"],
        model=row["model"],
        fails=tuple(row["fails"]),
        answer=pledge.answer if pledge else "",
        promised=Fraction(pledge.hours or 0) if pledge else Fraction(0),
    )


def _worst(fits: Iterable[str]) -> str:
    fits = set(fits)
    return next((each for each in (FAILS, UNKNOWN) if each in fits), MEETS)


def _regions(case: PurchaseCase, today: date) -> list[UUID]:
    """Return the regions in which the case's scheme compares instruments; by default the applicant's own, and
    those with which it has an agreement in force."""
    lineage = case.organisation.region.lineage
    match case.scheme.look:
        case "applicant" | "city":
            return [case.organisation.region_id]
        case "region":
            return [lineage[-2] if len(lineage) > 1 else lineage[0]]  # below the country
    agreed = load_agreements(case.organisation.region_id)
    return [
        case.organisation.region_id,
        *(
            region
            for region, agreements in agreed.items()
            if any(agreement.is_in_force(today) for agreement in agreements)
        ),
    ]


def _in_scope(case: PurchaseCase, codes: Sequence[str], regions: Sequence[UUID]) -> QuerySet[Instrument]:
    """Return published instruments of the class, or of a narrower one, in the area that the scheme covers."""
    filed = SearchEntry.objects.filter(
        is_published=True, keys__overlap=[key("technique", code) for code in codes]
    )
    rows = Instrument.objects.select_related(*WITH).filter(
        pk__in=filed.values("pk"), publication=Instrument.Publication.PUBLISHED
    )
    if case.scheme.look == "applicant":
        rows = rows.filter(organisation_id=case.organisation_id)
    within = Region.objects.filter(lineage__overlap=regions)
    return rows.filter(region__in=within.values("pk")).order_by("name", "pk")


def _hours(ids: Sequence[UUID], since: date, until: date) -> dict[UUID, tuple[int, int]]:
    """Return effective and open minutes of each instrument on the local days [since, until), for all its
    units. Two statements."""
    if not ids:
        return {}
    instruments = Instrument.objects.filter(pk__in=ids)
    rows = instrument_sums(instruments, since, until, ["instrument"], load_kept(since, until))
    hours: dict[UUID, tuple[int, int]] = {}
    for row in rows:
        opened, effective = int(row[6]), int(row[7])
        before = hours.get(row[1], (0, 0))
        hours[row[1]] = (before[0] + effective, before[1] + opened)
    return hours


def _norm(ids: Sequence[UUID], since: date, until: date) -> dict[UUID, int]:
    """Return the norm hours of what each instrument offered on the days [since, until), in minutes. Two
    statements."""
    norms = load_norms(USUAL_SCHEME)
    offered = load_offered(Instrument.objects.filter(pk__in=ids), since, until, ["instrument"])
    return {key[0]: norm_minutes(spans, norms) for key, spans in offered.items()}


def _prices(case: PurchaseCase, instruments: Sequence[Instrument], now: datetime) -> dict[UUID, str]:
    """Return the price of an hour for the applicant from the next hour on, for the usual length, in the
    currency of the case; instruments without a price for it, or an exchange rate, are left out."""
    cards = load_cards([instrument.pk for instrument in instruments])
    backing = load_backing(case.organisation)
    worths = load_worths(case.organisation, case.currency, today_of(case.organisation, now))
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    prices = {}
    for instrument in instruments:
        policy = load_policy(instrument.policy) if hasattr(instrument, "policy") else None
        minutes = policy.usual_minutes if policy else 60
        asked = PriceRequest(Period(start, start + timedelta(minutes=minutes)), "")
        terms = terms_on(instrument, backing, cards.get(instrument.pk, []), start)
        quote = price_of(instrument, terms, asked)
        if quote is None or quote.currency not in worths:
            continue
        hourly = quote.payable * worths[quote.currency] * 60 / minutes
        prices[instrument.pk] = format_amount(hourly, case.currency)
    return prices


def _waits(ids: Sequence[UUID], now: datetime) -> list[list[Any]]:
    """Return how long in advance bookings of the last twelve months were requested: rows of instrument, whole
    minutes, and number of bookings."""
    counts: dict[tuple[str, int], int] = {}
    rows = Reservation.objects.filter(
        instrument__in=ids, state__in=_TOOK_PLACE, start_at__gte=now - timedelta(days=365), start_at__lt=now
    ).values_list("instrument_id", "requested_at", "start_at")
    for pk, asked, start in rows.iterator():
        waited = (str(pk), max(int((start - asked).total_seconds() // 60), 0))
        counts[waited] = counts.get(waited, 0) + 1
    return [[pk, minutes, number] for (pk, minutes), number in sorted(counts.items())]


def _unmet(
    case: PurchaseCase, ids: Sequence[UUID], regions: Sequence[UUID], since: date, until: date
) -> dict[str, int]:
    """Return the minutes of unmet demand for the class: refused by these instruments, searched for in these
    regions, waited for in vain (entries that expired or were withdrawn); and how many organisations wanted
    them."""
    within = Region.objects.filter(lineage__overlap=regions).values("pk")
    demand = UnmetDemand.objects.filter(
        Q(instrument__in=ids) | Q(technique__in=case.techniques.all(), region__in=within),
        on_date__gte=since,
        on_date__lt=until,
        code="",
    )
    refused = Sum("minutes", filter=Q(kind="refused"), default=0)
    searched = Sum("minutes", filter=Q(kind="search"), default=0)
    sums = demand.aggregate(refused=refused, searched=searched)
    wishes = WaitingWish.objects.filter(
        instrument__in=ids,
        state__in=("expired", "withdrawn"),
        ended_at__date__gte=since,
        ended_at__date__lt=until,
    )
    wanted = {
        *demand.values_list("organisation_id", flat=True),
        *wishes.values_list("organisation_id", flat=True),
    }
    waited = wishes.aggregate(minutes=Sum("minutes", default=0))["minutes"]
    return {**sums, "waited": waited, "organisations": len(wanted - {None})}


def _coordinates(organisation: Organisation) -> tuple[float, float] | None:
    """Return the coordinates of the first facility of an organisation that has any; None without one."""
    row = (
        Facility.objects.filter(organisation=organisation, latitude__isnull=False, longitude__isnull=False)
        .order_by("name", "pk")
        .first()
    )
    if row is None or row.latitude is None or row.longitude is None:
        return None
    return float(row.latitude), float(row.longitude)


def _kilometres(here: tuple[float, float] | None, facility: Facility) -> int | None:
    """Return the distance as the crow flies, in whole kilometres; None if either place is unknown."""
    if here is None or facility.latitude is None or facility.longitude is None:
        return None
    one, other = map(radians, (here[0], float(facility.latitude)))
    across = radians(float(facility.longitude) - here[1])
    half = sin((other - one) / 2) ** 2 + cos(one) * cos(other) * sin(across / 2) ** 2
    return round(2 * 6371 * asin(sqrt(half)))


def _model(instrument: Instrument) -> str:
    makers = [str(maker.get("name", "")) for maker in instrument.manufacturers]
    return " ".join([*makers, instrument.model]).strip() if instrument.model else ""


def _stated_at(instrument: Instrument) -> datetime:
    """Return when somebody last confirmed or changed an instrument's record."""
    return instrument.confirmed_at or instrument.updated_at

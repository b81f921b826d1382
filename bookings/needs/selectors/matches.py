"""The instruments that meet a need, with their time and price for its payer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db.models import QuerySet, Sum

from accounts.models import Organisation, Region
from bookings.catalogue.selectors.askers import works_alone
from bookings.catalogue.selectors.catalogue import Offer, load_offers
from bookings.catalogue.selectors.catalogue_candidates import candidates
from bookings.catalogue.selectors.catalogue_sieve import Sieve
from bookings.catalogue.selectors.needs import load_needed
from bookings.needs.domain.matching import (
    SAME,
    WEIGHTS,
    Candidate,
    Match,
    match,
    nearest,
    trusted,
    working_days,
)
from bookings.needs.models import HostRecord, Need
from bookings.needs.selectors.needs import load_chosen, load_requirements
from bookings.pricing.selectors.agreements import load_recognised
from bookings.pricing.selectors.exchange_rates import load_worths
from bookings.pricing.selectors.fees import Backing, load_backing
from bookings.record.domain.periods import Period
from instruments.capabilities.selectors.capabilities import failing, load_capabilities
from instruments.policy.selectors.policies import load_policy
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH
from instruments.search.domain.search import Criteria, key
from instruments.search.models import SearchEntry
from instruments.training.selectors.qualifications import load_qualified
from instruments.vocabulary.domain.needs import BROAD, NeedTerm
from instruments.vocabulary.domain.parameters import Requirement, fit
from instruments.vocabulary.domain.techniques import Term, above
from instruments.vocabulary.selectors.needs import load_vocabulary

MOST = 50
SOON, NEAR = 15, 10  # of these, those that are free first, and those of the payer's region
FEW = 5  # below this number, instruments of neighbouring techniques are considered too
SOON_DAYS = 4
_COUNTS = ("bookings", "cancelled", "requests", "unanswered")
_MEAN = "needs.trust"  # cache key of the mean of all hosts
_ROOT = "PaNET00"  # the root, which contains everything and distinguishes nothing


@dataclass(frozen=True)
class Wanted:
    """A need as matching uses it. techniques: codes, the best first; requirements: none may fail; modes,
    regions: empty for any; budget: in `currency`; without: instruments to leave out; terms: what the
    techniques are to find out, as far as it is known; near: codes of techniques that are near it."""

    techniques: tuple[str, ...]
    earliest: datetime
    latest: datetime
    minutes: int
    payer: Organisation
    person: UUID
    requirements: tuple[Requirement, ...] = ()
    modes: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    quantity: int | None = None
    budget: Decimal | None = None
    currency: str = ""
    weights: Mapping[str, float] | None = None
    without: frozenset[UUID] = frozenset()
    terms: tuple[NeedTerm, ...] = ()
    near: tuple[str, ...] = ()


@dataclass(frozen=True)
class JudgedInstrument:
    """An instrument and how it meets a need. mode: the service mode; payable: in the currency of the payer;
    gate: why it is no match, otherwise `match` is set; technique: its own that is nearest to the `needed`
    one, which answers `term`; None if none is near, or if the technique itself was asked for."""

    instrument: Instrument
    offer: Offer
    mode: str
    fits: tuple[tuple[Requirement, str], ...]
    payable: Decimal | None
    match: Match | None = None
    gate: str = ""
    technique: Term | None = None
    needed: Term | None = None
    term: NeedTerm | None = None

    @property
    def is_near(self) -> bool:
        """Say whether it is a match whose technique is only near the right one."""
        return self.match is not None and self.match.candidate.nearness < SAME


def wanted_of(need: Need) -> Wanted:
    """Return a need as matching uses it, with the techniques by which the catalogue's search would answer
    it. One statement, as `load_needed`."""
    terms, requirements = load_chosen(need.terms), load_requirements(need)
    reading = load_needed(need.text, need.terms, requirements)
    exact = tuple(one.technique for one in reading.criteria.answers if not one.is_broader)
    return Wanted(
        techniques=exact,
        near=reading.near,
        earliest=need.earliest,
        latest=need.latest,
        minutes=need.minutes,
        payer=need.organisation,
        person=need.user_id,
        requirements=requirements,
        modes=tuple(need.modes),
        regions=tuple(need.regions.all()),
        quantity=need.quantity,
        budget=need.budget,
        currency=need.currency,
        weights=need.weights or None,
        terms=tuple(terms),
    )


def load_matches(
    question: Wanted, now: datetime, *, most: int = MOST, starts: int = 1
) -> list[JudgedInstrument]:
    """Return the matches, the best first, and after them near misses with the gate they fail; each with up to
    `starts` first starts.

    It considers the cheapest instruments with room in the window, beside them the first that are free and
    those of the payer's own region; if these are few, also instruments of neighbouring techniques.
    """
    means = _means(question, now)
    chosen = _chosen(question, means, now, most)
    return answers(question, chosen, now, means=means, starts=starts)


@dataclass(frozen=True)
class Means:
    """The payer's means: agreements and grants, and what one unit of each currency is worth in that of the
    need."""

    backing: Backing
    worths: Mapping[str, Decimal]


def _means(question: Wanted, now: datetime) -> Means:
    region = question.payer.region
    today = local_date(ZoneInfo(region.time_zone), now)
    worths = load_worths(question.payer, question.currency or region.currency, today)
    return Means(load_backing(question.payer), worths)


def load_answer(question: Wanted, instrument: Instrument, now: datetime) -> JudgedInstrument:
    """Return how one instrument meets a need, or which gate it fails."""
    instrument = Instrument.objects.select_related(*WITH).get(pk=instrument.pk)
    return answers(question, [instrument], now)[0]


def answers(
    question: Wanted,
    instruments: Sequence[Instrument],
    now: datetime,
    *,
    means: Means | None = None,
    starts: int = 1,
) -> list[JudgedInstrument]:
    """Return how instruments (facility, schedule, policy loaded) meet a need, the best first."""
    means = means or _means(question, now)
    modes, uncertified = _modes(question, instruments)
    offers: dict[UUID, Offer] = {}
    for mode in sorted(set(modes.values())):
        offers |= load_offers(
            [i for i in instruments if modes[i.pk] == mode],
            question.payer,
            now,
            backing=means.backing,
            user_id=question.person,
            mode=mode or None,
            span=Period(max(question.earliest, now), max(question.latest, now)),
            minutes=question.minutes,
            quantity=question.quantity,
            most=starts,
        )
    stated = load_capabilities([i.pk for i in instruments]) if question.requirements else {}
    trust = load_trust({i.organisation_id for i in instruments})
    techniques = _techniques(instruments)
    by_instrument: dict[UUID, JudgedInstrument] = {}
    for instrument in instruments:
        offer = offers[instrument.pk]
        payable = None
        if offer.quote is not None and offer.currency in means.worths:
            payable = offer.quote.payable * means.worths[offer.currency]
        by_instrument[instrument.pk] = JudgedInstrument(
            instrument,
            offer,
            modes[instrument.pk],
            tuple((each, fit(each, stated.get(instrument.pk, ()))) for each in question.requirements),
            payable,
        )
    lineages, parents = _lineages(question.techniques, techniques)
    near = {
        pk: nearest(techniques.get(pk, ()), question.techniques, lineages, parents, question.near)
        for pk in by_instrument
    }
    known = load_vocabulary()
    for pk, found in near.items():
        term = next((each for each in question.terms if found.needed in each.techniques), None)
        by_instrument[pk] = replace(
            by_instrument[pk],
            technique=known.terms.get(found.offered),
            needed=known.terms.get(found.needed),
            term=None if term is None or term.is_named else term,
        )
    given = [
        Candidate(
            key=pk,
            nearness=near[pk].nearness,
            fits=tuple(fits for _, fits in answer.fits),
            days=_days(answer, question),
            start=next(iter(answer.offer.starts), None),
            payable=answer.payable,
            effort=_effort(answer, question),
            trust=trust[answer.instrument.organisation_id],
            gates=frozenset(_gates(answer, question, pk in uncertified)),
        )
        for pk, answer in by_instrument.items()
    ]
    result = match(given, budget=question.budget, weights=question.weights or WEIGHTS)
    return [
        *(replace(by_instrument[m.candidate.key], match=m) for m in result.matches),
        *(replace(by_instrument[pk], gate=code) for pk, code in result.shut_out.items()),
    ]


def load_trust(hosts: Iterable[UUID]) -> dict[UUID, float]:
    """Return how reliably each host keeps bookings and answers requests. One statement, and one an hour for
    the mean."""
    mean = cache.get(_MEAN)
    if mean is None:
        sums = HostRecord.objects.aggregate(*map(Sum, _COUNTS))
        mean = _kept(1.0, *(number or 0 for number in sums.values()))
        cache.set(_MEAN, mean, 3600)
    rows = HostRecord.objects.filter(organisation__in=hosts).values_list("organisation_id", *_COUNTS)
    known = {host: _kept(mean, *numbers) for host, *numbers in rows}
    return {host: known.get(host, mean) for host in hosts}


def _kept(mean: float, bookings: int, cancelled: int, requests: int, unanswered: int) -> float:
    number = bookings + requests
    return trusted(number - cancelled - unanswered, number, mean)


def _chosen(question: Wanted, means: Means, now: datetime, most: int) -> list[Instrument]:
    """Return the instruments for which time and price are worth computing, at most `most`."""
    start = max(question.earliest, now)
    if question.latest <= start or not question.techniques:
        return []
    window = Period(start, question.latest)
    soon = Period(start, min(question.latest, start + timedelta(days=SOON_DAYS)))
    rows = _entries(question, question.techniques)
    chosen: dict[UUID, Instrument] = {}

    def take(rows: QuerySet[SearchEntry], within: Period, number: int) -> None:
        sieve = Sieve(
            now=now,
            within=within,
            backing=means.backing,
            minutes=question.minutes,
            worths=means.worths,
            max_payable=question.budget,
            mode=question.modes[0] if len(question.modes) == 1 else "",
        )
        free = candidates(Criteria(sort="price"), sieve, after=None, most=number, rows=rows)
        chosen.update((i.pk, i) for i in free[: most - len(chosen)] if i.pk not in chosen)

    take(rows, window, most - SOON - NEAR)
    if len(chosen) == most - SOON - NEAR:  # there are more
        take(rows, soon, SOON)
        take(rows.filter(region_id=question.payer.region_id), window, NEAR)
    elif len(chosen) < FEW:
        wider = {*question.near, *(code for one in question.techniques for code in _parents(one))}
        take(_entries(question, tuple(sorted(wider))), window, FEW)
        # Near misses are worth knowing, too.
        near = Instrument.objects.select_related(*WITH).filter(
            pk__in=_entries(
                replace(question, regions=(), modes=(), requirements=()), question.techniques
            ).values("pk"),
            publication=Instrument.Publication.PUBLISHED,
        )
        chosen.update((i.pk, i) for i in near.order_by("name", "pk")[:FEW] if i.pk not in question.without)
    return list(chosen.values())


def _entries(question: Wanted, techniques: Sequence[str]) -> QuerySet[SearchEntry]:
    """Return published instruments of some techniques, or narrower ones, that pass those gates which the
    search index can decide."""
    rows = SearchEntry.objects.filter(
        is_published=True, keys__overlap=[key("technique", code) for code in techniques]
    )
    if question.modes:
        rows = rows.filter(keys__overlap=[key("service_mode", mode) for mode in question.modes])
    if question.regions:
        rows = rows.filter(keys__overlap=[key("region", r.code) for r in question.regions])
    if question.without:
        rows = rows.exclude(pk__in=question.without)
    for requirement in question.requirements:
        rows = rows.exclude(pk__in=failing(requirement))
    return rows


def _modes(question: Wanted, instruments: Sequence[Instrument]) -> tuple[dict[UUID, str], frozenset[UUID]]:
    """Return the service mode for each instrument: the first that is wanted and offered and for which the
    person needs no missing certificate, else the first wanted and offered, or empty; and the instruments on
    which every such mode needs a certificate that the person lacks."""
    alone = [i for i in instruments if works_alone(i, "self") and "self" in i.service_modes]
    qualified = load_qualified(question.person, alone, load_recognised)
    lacking = {pk for pk, spans in qualified.items() if not spans}
    modes: dict[UUID, str] = {}
    uncertified = set()
    for instrument in instruments:
        ways = [m for m in question.modes or instrument.service_modes if m in instrument.service_modes]
        able = [m for m in ways if not (m == "self" and instrument.pk in lacking)]
        if ways and not able:
            uncertified.add(instrument.pk)
        modes[instrument.pk] = next(iter(able or ways), "")
    return modes, frozenset(uncertified)


def _gates(answer: JudgedInstrument, question: Wanted, is_uncertified: bool) -> Iterable[str]:
    instrument = answer.instrument
    if question.regions and not {r.pk for r in question.regions} & set(instrument.region.lineage):
        yield "region"
    if question.modes and not set(question.modes) & set(instrument.service_modes):
        yield "mode"
    if is_uncertified:
        yield "certificate"
    if answer.offer.rate is None:
        yield "price"
    if hasattr(instrument, "policy") and not load_policy(instrument.policy).allows(question.minutes):
        yield "length"


def _days(answer: JudgedInstrument, question: Wanted) -> int | None:
    if not answer.offer.starts:
        return None
    zone = answer.instrument.facility.zone
    return working_days(local_date(zone, question.earliest), local_date(zone, answer.offer.starts[0]))


def _effort(answer: JudgedInstrument, question: Wanted) -> str:
    """Say how far the person has to go for an instrument: `city`, `region`, `travel`, or `sent` if only
    samples go. Regions that share something below the country are near; cities lie below regions."""
    here, there = question.payer.region, answer.instrument.region
    shared = len(set(here.lineage) & set(there.lineage))
    if here.pk == there.pk:
        return "city" if shared > 2 else "region"
    if shared > 1:
        return "region"
    return "sent" if answer.mode in ("entrusted", "remote") else "travel"


def _techniques(instruments: Sequence[Instrument]) -> dict[UUID, list[str]]:
    codes: dict[UUID, list[str]] = {}
    links = Instrument.techniques.through.objects.filter(instrument_id__in=[i.pk for i in instruments])
    for pk, code in links.values_list("instrument_id", "technique__code"):
        codes.setdefault(pk, []).append(code)
    return codes


def _lineages(
    needed: Iterable[str], techniques: Mapping[UUID, Iterable[str]]
) -> tuple[dict[str, frozenset[str]], dict[str, list[str]]]:
    """Return, for every technique in question, all techniques above it without the root, which holds
    everything; and those directly above, as `_parents` does."""
    parents = load_vocabulary().parents
    codes = {*needed, *(code for each in techniques.values() for code in each)}
    return (
        {code: frozenset(b for b in above(code, parents) if not b.startswith(_ROOT)) for code in codes},
        {code: _parents(code) for code in codes},
    )


def _parents(code: str) -> list[str]:
    """Return the techniques directly above one, without those so broad that what is below them has little in
    common."""
    known = load_vocabulary()
    above = known.parents.get(code, ())
    return [b for b in above if not b.startswith(_ROOT) and known.families.get(b, 0) < BROAD]

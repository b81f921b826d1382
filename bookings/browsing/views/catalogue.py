"""The page of the catalogue."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.domain.roles import Actor, By
from accounts.models import Organisation
from accounts.permissions import actor_of
from accounts.replica import from_replica
from accounts.selectors.memberships import place_of
from bookings.browsing.forms.catalogue import CatalogueForm
from bookings.browsing.selectors.lists import load_starred
from bookings.browsing.views import narrowing as narrowing_views
from bookings.browsing.views.comparing import chosen_of
from bookings.catalogue.selectors import catalogue as catalogue_selectors
from bookings.catalogue.selectors import needs
from bookings.catalogue.selectors.catalogue_candidates import candidates
from bookings.catalogue.selectors.catalogue_priced import Priced, affordable, load_priced
from bookings.catalogue.selectors.catalogue_sieve import Sieve, of_today
from bookings.catalogue.selectors.holds import own_held
from bookings.catalogue.services.demand import demand_searched
from bookings.catalogue.views.events import form_of
from bookings.catalogue.views.payers import may_book_for, payer_of
from bookings.pricing.selectors.fees import load_backing
from bookings.record.domain.periods import Period
from instruments.attachments.selectors.attachments import load_pictures
from instruments.managing.selectors.quality import load_qualities
from instruments.register.models import Instrument
from instruments.register.selectors.blocks import load_blocks
from instruments.search.domain.search import Criteria
from instruments.search.selectors.search import (
    Facets,
    Specifications,
    entries,
    facets,
    load_specifications,
    page,
)
from instruments.vocabulary.selectors.needs import load_vocabulary

PAGE = 18
SORTED = 3 * PAGE  # so many at once are in the order of what each card says is paid
MOST_FREE = 60


@dataclass(frozen=True)
class Search:
    """A search by a reader. meant: the criteria actually searched, which differ if no instrument has the
    words; meanings: those of the text, if they had to be loaded; own: the reader's holds, which do not make
    their times count as taken."""

    actor: Actor
    payer: Organisation | None
    now: datetime
    criteria: Criteria
    reading: needs.Interpretation
    counts: Facets
    sieve: Sieve
    own: list[UUID]

    @property
    def meant(self) -> Criteria:
        return self.reading.criteria


@dataclass(frozen=True)
class Results:
    """The instruments of a page with the offer of each; `total`: their number on all pages; `is_reordered`:
    what is further down may cost less, though the order is by price."""

    rows: list[tuple[Instrument, catalogue_selectors.Offer]] = field(default_factory=list)
    near: list[tuple[Instrument, catalogue_selectors.Offer, needs.ReasonShown]] = field(default_factory=list)
    total: int = 0
    page: Page[int] | None = None
    is_reordered: bool = False

    @property
    def instruments(self) -> list[Instrument]:
        return [row for row, _ in self.rows] + [row for row, _, _ in self.near]


@from_replica
def catalogue(request: HttpRequest) -> HttpResponse:
    if address := narrowing_views.with_specs(request):
        return redirect(address)
    now, actor = timezone.now(), actor_of(request.user)
    payer, payers = payer_of(actor, request.GET.get("organisation"))
    form = CatalogueForm(request.GET, payer=payer)
    form.is_valid()
    held = own_held(actor, now)
    search = _search(form, actor, payer, now, [hold.pk for holds in held.values() for hold in holds])
    priced = load_priced(entries(search.meant), search.sieve) if search.criteria.wants_price else None
    if form.errors:
        # The search could not be parsed: showing everything would look like its result.
        results = Results()
    elif search.criteria.wants_time or search.criteria.max_payable is not None:
        results = _free(search)
    else:
        results = _page(search, request, priced)
    listed = results.instruments
    shown = {row.pk: offer for row, offer in results.rows} | {row.pk: o for row, o, _ in results.near}
    worths = search.sieve.worths
    context = {
        "form": form,
        "currency": form.cleaned_data.get("currency", ""),
        "payer": payer,
        "payers": payers,
        "nothing_yet": not search.counts.total and not request.GET,
        "may_book": payer is not None and may_book_for(actor, payer),
        "may_describe": payer is not None and actor.may("book", place_of(payer)),
        **_narrowed(search, request),
        "results": results.rows,
        "near": results.near,
        "reasons": {row.pk: needs.load_reason(row, search.reading) for row, _ in results.rows},
        "page": results.page,
        "total": results.total,
        "uncompared": priced and priced.uncompared,
        "own_amounts": catalogue_selectors.load_own_amounts(shown, payer, now, worths),
        "is_reordered": results.is_reordered,
        "sorted_at_once": MOST_FREE if results.page is None else SORTED,
        **({} if form.errors else _understood(search, request, results)),
        "held": {
            pk: [
                (hold, form_of(pk, Period(hold.start_at, hold.end_at), hold.organisation.code))
                for hold in holds
            ]
            for pk, holds in held.items()
        },
        "site": listed[0].facility if listed else None,
        **chosen_of(request),
        "starred": load_starred(actor, listed),
        "blocked": load_blocks(actor, listed, payer.pk if payer else None, now),
        "pictures": load_pictures(listed),
        "marks": {pk: quality.mark for pk, quality in load_qualities(listed, now).items()},
    }
    return render(request, "bookings/browsing/catalogue.html", context)


def _search(
    form: CatalogueForm, actor: Actor, payer: Organisation | None, now: datetime, own: list[UUID]
) -> Search:
    criteria = form.criteria()
    reading = needs.load_reading(criteria)
    counts = facets(reading.criteria, nearest=PAGE)
    sieve = of_today(
        load_backing(payer),
        criteria.max_price,
        catalogue_selectors.load_limit(criteria, payer, now),
        now,
        wished=criteria.minutes or 60,
        mode=criteria.service_mode,
    )
    return Search(actor, payer, now, criteria, reading, counts, sieve, own)


def _free(search: Search) -> Results:
    """Return all instruments, on one page, that are free at the time searched for or cost no more than its
    limit. A search that finds nothing is recorded as unmet demand."""
    offered = catalogue_selectors.free_between(
        search.actor,
        search.meant,
        search.payer,
        search.now,
        after=None,
        size=MOST_FREE,
        backing=search.sieve.backing,
        worths=search.sieve.worths,
        without=search.own,
    )
    if not offered and search.payer is not None:
        demand_searched(By(search.actor, search.now), organisation=search.payer, criteria=search.criteria)
    total = len(offered)
    shown, is_reordered = _sorted(search, offered, is_all=total < MOST_FREE)
    return Results(shown, total=total, is_reordered=is_reordered)


def _sorted(
    search: Search, rows: list[tuple[Instrument, catalogue_selectors.Offer]], *, is_all: bool
) -> tuple[list[tuple[Instrument, catalogue_selectors.Offer]], bool]:
    """Return instruments in the order of the price on their cards, if that is asked for, and whether others
    that follow may cost less."""
    if search.criteria.sort != "price":
        return rows, False
    worths = search.sieve.worths
    is_reordered = catalogue_selectors.is_reordered((offer for _, offer in rows), worths)
    return catalogue_selectors.by_amount(rows, worths), is_reordered and not is_all


def _page(search: Search, request: HttpRequest, priced: Priced | None) -> Results:
    """Return one page of all matching instruments, each with its next free time and its price."""
    criteria, sieve = search.criteria, search.sieve
    counts: Facets | None = search.counts
    fitting, total = entries(search.meant), search.counts.total
    if criteria.max_price is not None and priced:
        fitting, total, counts = affordable(fitting, sieve), priced.total, None
    place = Paginator(range(total), PAGE).get_page(request.GET.get("page"))
    first = max(0, place.start_index() - 1)
    skipped = first
    if criteria.sort == "price":
        skipped -= first % SORTED
        shown = candidates(search.meant, sieve, after=None, most=SORTED, skip=skipped)
    else:
        shown = page(search.meant, fitting, first, PAGE, counts)
    is_last = not (place.has_next() or criteria.wants_price) and (criteria.text or criteria.term)
    near = needs.load_near(search.reading) if is_last else []
    is_for_all = request.GET.get("minutes") or criteria.sort == "price"
    offers = catalogue_selectors.load_offers(
        [*shown, *(row for row, _ in near)],
        search.payer,
        search.now,
        backing=sieve.backing,
        user_id=search.actor.user_id,
        mode=criteria.service_mode or None,
        minutes=criteria.minutes if is_for_all else None,
        without=search.own,
    )
    rows, is_reordered = _sorted(search, [(row, offers[row.pk]) for row in shown], is_all=total <= SORTED)
    return Results(
        rows[first - skipped :][:PAGE],
        [(instrument, offers[instrument.pk], reason) for instrument, reason in near],
        total,
        place,
        is_reordered,
    )


def _narrowed(search: Search, request: HttpRequest) -> dict[str, Any]:
    """Return context about the criteria: those that are set, and links that would narrow the search or undo a
    part of it."""
    criteria, meant = search.criteria, search.meant
    narrowing, read = (
        narrowing_views.facets_shown(criteria, search.counts),
        narrowing_views.read_in(request, criteria.text),
    )
    is_specified = read or criteria.technique or criteria.term or request.GET.get("spec")
    specifications = load_specifications(meant) if is_specified else Specifications()
    return {
        "criteria": criteria,
        "meant": meant,
        "without": ",".join(criteria.without),
        "undo": {name: narrowing_views.address_without(request, [name]) for name in ("term", "without")},
        "narrowing": narrowing,
        "chips": narrowing_views.chips_of(request, criteria, narrowing),
        "specifications": narrowing_views.spec_fields(request, specifications),
        "read": read,
        "unstated": (specifications.unstated, narrowing_views.address_without(request, ["spec"])),
        "chosen_term": load_vocabulary().term(criteria.term) if criteria.term else None,
    }


def _understood(search: Search, request: HttpRequest, results: Results) -> dict[str, Any]:
    """Return context with the possible meanings of the text and, if nothing was found, other searches to
    try."""
    criteria, reading = search.criteria, search.reading
    # A name needs no telling what it may mean.
    is_name = criteria.text and reading.is_answered and needs.is_name(criteria.text)
    terms = () if is_name and not criteria.without else reading.terms
    actor = search.actor
    shown: dict[str, Any] = {
        "reading": reading,
        "reads_plans": bool(actor.regions_where("read-hours") or actor.organisations_where("read-hours")),
        "meanings": narrowing_views.choices_of(request, terms if criteria.text else (), criteria.without),
    }
    if not results.total:
        is_typed = reading.is_unknown and criteria.text
        shown["ways"] = narrowing_views.ways_out(request, search.meant)
        shown["similar"] = needs.load_similar_words(criteria.text) if is_typed else []
    return shown

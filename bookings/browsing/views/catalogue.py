"""The catalogue and an instrument's page."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from accounts.domain.errors import Invalid, NotFound
from accounts.domain.roles import By
from accounts.letters.words import named
from accounts.permissions import actor_of
from accounts.replica import from_replica
from accounts.selectors.memberships import place_of
from bookings.browsing.forms.catalogue import CatalogueForm
from bookings.browsing.selectors.lists import load_starred
from bookings.browsing.selectors.ratings import load_rating
from bookings.browsing.views.comparing import chosen_of
from bookings.catalogue.selectors.catalogue import (
    free_between,
    is_reordered,
    load_limit,
    load_offers,
    load_own_amounts,
)
from bookings.catalogue.selectors.catalogue_candidates import (
    affordable,
    candidates,
    load_priced,
    of_today,
)
from bookings.catalogue.selectors.holds import own_held
from bookings.catalogue.selectors.needs import (
    Meaning,
    is_need,
    load_meanings,
    load_similar_words,
    load_ways_out,
    load_widened,
)
from bookings.catalogue.services.demand import demand_searched
from bookings.catalogue.views.choosing import choice_of, next_free, rate_of
from bookings.catalogue.views.events import form_of
from bookings.catalogue.views.payers import may_book_for, payer_of, standing_of
from bookings.catalogue.views.weeks import week_of
from bookings.pricing.selectors.agreements import load_recognised, recognised_regions
from bookings.pricing.selectors.fees import load_backing, load_terms
from bookings.record.domain.periods import Period
from instruments.domain.capabilities import (
    requirements_in,
    requirements_of,
    spec_in,
    spec_of,
    spec_parts,
)
from instruments.domain.opening import local_date, parse_hours
from instruments.domain.ratecards import PRICE_GROUPS
from instruments.domain.search import Criteria
from instruments.domain.techniques import tree
from instruments.messages import PRICE_GROUP_LABELS, required_text
from instruments.models import Instrument
from instruments.selectors.attachments import attachments_of, load_pictures
from instruments.selectors.capabilities import capabilities_of, load_unstated
from instruments.selectors.duplicates import successor_of
from instruments.selectors.needs import load_parameters, load_vocabulary
from instruments.selectors.qualifications import load_qualifying
from instruments.selectors.quality import load_qualities
from instruments.selectors.registry import PUBLIC, instrument_by_id, instrument_to_book
from instruments.selectors.search import (
    Facets,
    Specifications,
    entries,
    facets,
    load_specifications,
    page,
)
from instruments.selectors.training import courses_giving
from instruments.views.linked_data import linked_data, page_address

PAGE = 18


@from_replica
def catalogue(request: HttpRequest) -> HttpResponse:
    if address := _with_specs(request):
        return redirect(address)
    now, actor = timezone.now(), actor_of(request.user)
    payer, payers = payer_of(actor, request.GET.get("organisation"))
    form = CatalogueForm(request.GET, payer=payer)
    form.is_valid()
    criteria = form.criteria()
    without = form.cleaned_data.get("without", ())
    counts, meant, meanings = facets(criteria, nearest=PAGE), criteria, None
    if not counts.total:
        meanings = load_meanings(criteria, without)
        if (meant := load_widened(criteria, meanings)) != criteria:
            counts = facets(meant, nearest=PAGE)
    narrowing = _narrowing(criteria, counts)
    read = _read(request, criteria.text)
    is_specified = read or criteria.technique or criteria.term or request.GET.get("spec")
    specifications = load_specifications(meant) if is_specified else Specifications()
    context: dict[str, Any] = {
        "form": form,
        "criteria": criteria,
        "currency": form.cleaned_data.get("currency", ""),
        "meant": meant,
        "without": ",".join(without),
        "undo": {name: _without(request, [name]) for name in ("term", "without")},
        "narrowing": narrowing,
        "chips": _chips(request, criteria, narrowing),
        "specifications": _fields(request, specifications),
        "read": read,
        "unstated": (specifications.unstated, _without(request, ["spec"])),
        "payer": payer,
        "payers": payers,
        "chosen_term": load_vocabulary().term(criteria.term) if criteria.term else None,
        "first_term": load_vocabulary().term(meant.term) if meant.words else None,
        "nothing_yet": not counts.total and not request.GET,
        "may_book": payer is not None and may_book_for(actor, payer),
        "may_describe": payer is not None and actor.may("book", place_of(payer)),
    }
    backing = load_backing(payer)
    sieve = of_today(
        backing,
        criteria.max_price,
        load_limit(criteria, payer, now),
        now,
        wished=criteria.minutes or 60,
        mode=criteria.service_mode,
    )
    if criteria.wants_price:
        priced = load_priced(entries(meant), sieve)
        context["uncompared"] = priced.uncompared
    held = own_held(actor, now)
    own = [hold.pk for holds in held.values() for hold in holds]
    if form.errors:
        # What was asked could not be read: showing everything would look like an answer.
        context |= {"results": [], "total": 0}
    elif criteria.wants_time or criteria.max_payable is not None:
        offered = free_between(
            actor,
            meant,
            payer,
            now,
            after=None,
            size=60,
            backing=backing,
            worths=sieve.worths,
            without=own,
        )
        if not offered and payer is not None:
            demand_searched(By(actor, now), organisation=payer, criteria=criteria)
        context |= {"results": offered, "total": len(offered)}
    else:
        is_for_all = request.GET.get("minutes") or criteria.sort == "price"
        minutes = criteria.minutes if is_for_all else None
        fitting, total = entries(meant), counts.total
        if criteria.max_price is not None:
            fitting = affordable(fitting, sieve)
            total = priced.total
        place = Paginator(range(total), PAGE).get_page(request.GET.get("page"))
        first = max(0, place.start_index() - 1)
        if criteria.sort == "price":
            shown = candidates(meant, sieve, after=None, most=PAGE, skip=first)
        else:
            counted = counts if criteria.max_price is None else None
            shown = page(meant, fitting, first, PAGE, counted)
        offers = load_offers(
            shown,
            payer,
            now,
            backing=backing,
            user_id=actor.user_id,
            mode=criteria.service_mode or None,
            minutes=minutes,
            without=own,
        )
        results = [(instrument, offers[instrument.pk]) for instrument in shown]
        context |= {"results": results, "page": place, "total": total}
    listed = [instrument for instrument, _ in context["results"]]
    shown_offers = {instrument.pk: offer for instrument, offer in context["results"]}
    context["own_amounts"] = load_own_amounts(shown_offers, payer, now, sieve.worths)
    if criteria.sort == "price":
        context["is_reordered"] = is_reordered(shown_offers.values(), sieve.worths)
    if not form.errors:
        if meanings is None and (criteria.term or without or is_need(criteria.text, listed)):
            meanings = load_meanings(criteria, without)
        context["meanings"] = _choices(request, meanings or [], without)
        if not context["total"]:
            context["ways"] = _ways(request, criteria)
            is_typed = criteria.text and not criteria.term
            context["similar"] = load_similar_words(criteria.text) if is_typed else []
    context["held"] = {
        pk: [
            (hold, form_of(pk, Period(hold.start_at, hold.end_at), hold.organisation.code))
            for hold in holds
        ]
        for pk, holds in held.items()
    }
    context["site"] = listed[0].facility if listed else None
    context |= chosen_of(request)
    context["starred"] = load_starred(actor, listed)
    context["pictures"] = load_pictures(listed)
    context["marks"] = {pk: quality.mark for pk, quality in load_qualities(listed, now).items()}
    return render(request, "bookings/browsing/catalogue.html", context)


def _titles() -> dict[str, str]:
    """What the facets are called, in the order of the page."""
    return {
        "technique": gettext("Technique"),
        "region": gettext("Region"),
        "host": gettext("Host"),
        "maker": gettext("Maker"),
        "service_mode": gettext("Service"),
        "kind": gettext("Kind"),
    }


def _narrowing(criteria: Criteria, counts: Facets) -> list[dict[str, Any]]:
    """The facets as a page shows them: each with its values, or its branches, and the choice
    made of it."""
    labels = dict(Instrument.ServiceMode.choices) | dict(Instrument.Kind.choices)
    shown = []
    for name, title in _titles().items():
        choices = counts.choices[name]
        if name in ("service_mode", "kind"):
            choices = [replace(c, name=str(labels.get(c.code, c.code))) for c in choices]
        items = {choice.code: choice for choice in choices}
        chosen = getattr(criteria, name)
        above = {code: choice.above for code, choice in items.items()}
        shown.append(
            {
                "name": name,
                "title": title,
                "chosen": chosen,
                "choice": items.get(chosen),
                "branches": tree(items, above, chosen),
            }
        )
    return [facet for facet in shown if facet["branches"] or facet["chosen"]]


def _chips(
    request: HttpRequest, criteria: Criteria, narrowing: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What was chosen, each with the address of the search without it. Its value is a facet's
    `choice` (or only its `code`), a `text`, a `price`, a time with `from`, or the site."""
    chosen: list[tuple[list[str], dict[str, Any]]] = []
    if criteria.text:
        chosen.append((["q", "term", "without"], {"text": criteria.text}))
    for each in narrowing:
        if each["chosen"]:
            value = {"title": each["title"], "choice": each["choice"], "code": each["chosen"]}
            chosen.append(([each["name"]], value))
    if criteria.facility:
        chosen.append((["facility"], {"title": gettext("Site"), "is_site": True}))
    if criteria.free_from:
        value = {"title": gettext("Free between"), "from": criteria.free_from}
        chosen.append((["free_from", "free_until", "minutes"], value))
    if criteria.max_price is not None:
        value = {"title": gettext("Maximum price per hour"), "price": criteria.max_price}
        chosen.append((["max_price", "currency"], value))
    if criteria.max_payable is not None:
        value = {"title": gettext("Most to pay"), "price": criteria.max_payable}
        chosen.append((["max_payable", "currency"], value))
    chips = [value | {"address": _without(request, names)} for names, value in chosen]
    specs = _specs(request)
    for spec in specs:
        others = [other for other in specs if other != spec]
        chips.append(_required(spec) | {"address": _without(request, (), spec=others)})
    return chips


def _without(request: HttpRequest, names: Iterable[str], **other: str | list[str]) -> str:
    """The present search without some of its choices, or with others, from its first page."""
    query: dict[str, Any] = {name: list(filter(None, v)) for name, v in request.GET.lists()}
    kept = {n: v for n, v in query.items() if v and n not in {*names, *other, "page", "about"}}
    return f"?{urlencode(kept | other, doseq=True)}"


def _specs(request: HttpRequest) -> list[str]:
    """The requirements of the address, as they are written."""
    return list(dict.fromkeys(filter(None, request.GET.getlist("spec"))))


def _with_specs(request: HttpRequest) -> str:
    """The address of a search whose form has requirements in fields of their own (`low.CODE`,
    `high.CODE`, `unit.CODE`); empty where it has none."""
    written: dict[str, dict[str, str]] = {}
    for name, value in request.GET.items():
        side, _, code = str(name).partition(".")
        if code and side in ("low", "high", "unit"):
            written.setdefault(code, {})[side] = str(value)
    if not written:
        return ""
    parameters = load_parameters()
    specs = [spec for spec in _specs(request) if spec_parts(spec)[0] not in written]
    for code, each in written.items():
        low, high = each.get("low", ""), each.get("high", "")
        if low.strip() or high.strip():
            specs.append(spec_in(code, low, high, each.get("unit", ""), parameters))
    names = [f"{side}.{code}" for code, each in written.items() for side in each]
    return request.path + _without(request, names, spec=specs)


def _fields(request: HttpRequest, specifications: Specifications) -> list[dict[str, Any]]:
    """The parameters of which something can be required, those first of which it is: each with
    how many state it, and its sides with what is written there."""
    written = {code: {"low": a, "high": b} for code, a, b in map(spec_parts, _specs(request))}
    counts = {choice.code: choice.count for choice in specifications.parameters}
    known = load_parameters() if written or counts else {}
    fields = []
    for code in dict.fromkeys((*written, *counts)):
        if parameter := known.get(code):
            values = written.get(code, {})
            sides = [s for s in ("low", "high") if s in parameter.sides or values.get(s)]
            fields.append(
                {
                    "parameter": parameter,
                    "count": counts.get(code),
                    "sides": [(side, values.get(side, "")) for side in sides],
                }
            )
    return fields


def _required(spec: str) -> dict[str, Any]:
    """What a requirement of an address says, as a chip."""
    parameters = load_parameters()
    try:
        (requirement,) = requirements_of([spec], parameters)
    except Invalid:
        return {"title": gettext("Specifications"), "code": spec}
    title = named(parameters[requirement.parameter])
    return {"title": title, "code": required_text(requirement, parameters)}


def _read(request: HttpRequest, text: str) -> list[dict[str, Any]]:
    """What a text requires of an instrument, each with the address of the search that has it as a
    requirement instead of the words."""
    if not any(character.isdigit() for character in text):
        return []
    specs, read = _specs(request), []
    for each in requirements_in(text, load_parameters()):
        if each.requirement.parameter in {spec_parts(spec)[0] for spec in specs}:
            continue
        spec = spec_of(each.requirement)
        rest = " ".join(text.replace(each.words, " ").split()).strip(" ,，;；、.。")
        words = {"q": rest} if rest else {}
        address = _without(request, ["q"], spec=[*specs, spec], **words)
        read.append(_required(spec) | {"address": address})
    return read


def _choices(
    request: HttpRequest, meanings: list[Meaning], without: Iterable[str]
) -> list[dict[str, Any]]:
    """What a text may mean, each with the address of the search for it alone, and of the search
    that no longer considers it."""
    return [
        {
            "meaning": meaning,
            "choose": _without(request, (), term=meaning.code),
            "remove": _without(request, ("term",), without=",".join([*without, meaning.term.code])),
        }
        for meaning in meanings
    ]


def _ways(request: HttpRequest, criteria: Criteria) -> list[tuple[str, int, str]]:
    """Ways out of an empty page: what each leaves out, how many instruments that would show, and
    its address."""
    titles = _titles() | {
        "q": criteria.text[:40],
        "term": gettext("What to find out"),
        "spec": gettext("Specifications"),
        "facility": gettext("Site"),
        "filters": gettext("Filter"),
        "free_from": gettext("Free between"),
        "max_price": gettext("Maximum price per hour"),
        "max_payable": gettext("Most to pay"),
    }
    return [
        (titles[way.names[0]], way.count, _without(request, way.names))
        for way in load_ways_out(criteria)
    ]


def instrument(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    try:
        row = instrument_by_id(actor, instrument_id)
    except NotFound:
        if successor := successor_of(instrument_id):
            return redirect("bookings:instrument", instrument_id=successor, permanent=True)
        raise
    if row.merged_into_id:
        return redirect("bookings:instrument", instrument_id=row.merged_into_id)
    payer, payers = payer_of(actor, request.GET.get("organisation"))
    backing = load_backing(payer, instruments=[row])
    terms = load_terms(row, payer, now, backing=backing)
    qualifying = load_qualifying(actor.user_id, row, now, load_recognised)
    offers = courses_giving(row, now) if qualifying and not qualifying.is_held else ()
    today = local_date(row.facility.zone, now)
    attached = attachments_of(row)
    shown = week_of(actor, row, payer, request, now, backing=backing)
    choice = choice_of(actor, row, payer, request, now, terms)
    abilities = list(capabilities_of(row.pk))
    context = {
        "linked_data": linked_data(row, attached) if row.publication in PUBLIC else None,
        "page_address": page_address(row),
        "instrument": row,
        "payer": payer,
        "payers": payers,
        "terms": terms,
        "rates": _rates(terms, terms.price_group),
        "qualifying": qualifying,
        "offers": offers,
        "recognised": recognised_regions(row.region_id, today)
        if qualifying and qualifying.technique
        else [],
        "attachments": attached,
        **chosen_of(request),
        "starred": load_starred(actor, [row]),
        "picture": None if row.photo_count else load_pictures([row])[row.pk],
        "abilities": abilities,
        "unstated": load_unstated(row, abilities, actor.user_id)
        if row.publication in PUBLIC
        else [],
        "mark": load_qualities([row], now)[row.pk].mark,
        "rating": load_rating(row.pk),
        "opening": parse_hours(row.schedule.hours) if row.schedule else None,
        "is_managed": row.organisation_id in actor.organisations_where("manage-instruments"),
        "my_rate": rate_of(terms),
        **shown,
        **choice,
        **({} if "choice" in choice else next_free(actor, row, payer, shown, now)),
    }
    return render(request, "bookings/browsing/instrument.html", context)


def week(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The week of free starts alone, for `hx-get`."""
    now, actor = timezone.now(), actor_of(request.user)
    row = instrument_to_book(actor, instrument_id)
    payer, _ = payer_of(actor, request.GET.get("organisation"))
    standing = standing_of(actor, payer, row)
    context = {
        "instrument": row,
        "payer": payer,
        "may_book": standing.may_book or standing.for_others,
        "books_own": standing.may_book,
        **week_of(actor, row, payer, request, now),
    }
    return render(request, "bookings/catalogue/week.html", context)


def _rates(terms: Any, mine: str) -> list[dict[str, Any]]:
    if terms.card is None:
        return []
    return [
        {
            "group": group,
            "name": PRICE_GROUP_LABELS[group],
            "rate": terms.card.values.rates.get(group),
            "is_mine": group == mine,
        }
        for group in PRICE_GROUPS
    ]

"""Ways to narrow a search on the catalogue's page: facets, chips, requirements, meanings, ways out.

Each is shown with the address of the search that it leads to.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext

from accounts.domain.errors import Invalid
from accounts.letters.words import named
from bookings.catalogue.selectors.needs import load_ways_out
from instruments.register.models import Instrument
from instruments.search.domain.search import Criteria
from instruments.search.selectors.search import Facets, Specifications
from instruments.vocabulary.domain import parameters as parameter_rules
from instruments.vocabulary.domain.needs import NeedTerm
from instruments.vocabulary.domain.techniques import tree
from instruments.vocabulary.messages import required_text
from instruments.vocabulary.selectors.needs import load_parameters


def _titles() -> dict[str, str]:
    """Return the titles of the facets, in the order of the page."""
    return {
        "technique": gettext("Technique"),
        "region": gettext("Region"),
        "host": gettext("Host"),
        "maker": gettext("Maker"),
        "service_mode": gettext("Service"),
        "kind": gettext("Kind"),
    }


def facets_shown(criteria: Criteria, counts: Facets) -> list[dict[str, Any]]:
    """Return the facets as a page shows them: each with its values, or its branches, and the present
    choice."""
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
                "label": str(labels.get(chosen, chosen)),  # where nothing found has it
                "choice": items.get(chosen),
                "branches": tree(items, above, chosen),
            }
        )
    return [facet for facet in shown if facet["branches"] or facet["chosen"]]


def chips_of(
    request: HttpRequest, criteria: Criteria, narrowing: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the chosen filters as chips, each with the address of the search without it. A chip's value is a
    facet's `choice` (or only its `code`), a `text`, a `price`, a time with `from`, or the site."""
    chosen: list[tuple[list[str], dict[str, Any]]] = []
    if criteria.text:
        chosen.append((["q", "term", "without"], {"text": criteria.text}))
    for each in narrowing:
        if each["chosen"]:
            value = {"title": each["title"], "choice": each["choice"], "code": each["label"]}
            chosen.append(([each["name"]], value))
    if criteria.facility:
        chosen.append((["facility"], {"title": gettext("Site"), "is_site": True}))
    if criteria.free_from:
        value = {"title": gettext("Free between"), "from": criteria.free_from}
        chosen.append((["free_from", "free_until", "minutes"], value))
    if criteria.max_price is not None:
        value = {"title": gettext("Maximum list rate per hour"), "price": criteria.max_price}
        chosen.append((["max_price", "currency"], value))
    if criteria.max_payable is not None:
        value = {"title": gettext("Maximum price for this length"), "price": criteria.max_payable}
        chosen.append((["max_payable", "currency"], value))
    chips = [value | {"address": address_without(request, names)} for names, value in chosen]
    specs = specs_of(request)
    for spec in specs:
        others = [other for other in specs if other != spec]
        chips.append(_required(spec) | {"address": address_without(request, (), spec=others)})
    return chips


def address_without(request: HttpRequest, names: Iterable[str], **other: str | list[str]) -> str:
    """Return the address of the first page of the present search without the parameters `names`, and with
    `other` ones changed."""
    query: dict[str, Any] = request.GET.dict() | {"spec": specs_of(request)}
    left_out = {*names, *other, "page", "about"}
    if query.get("about", "") not in ("", query.get("q", "")):  # chosen for other words
        left_out |= {"term", "without"}
    kept = {n: v for n, v in query.items() if v and n not in left_out}
    return f"?{urlencode(kept | other, doseq=True)}"


def specs_of(request: HttpRequest) -> list[str]:
    """Return the requirements in the address, as they are written. Only the first are returned if there are
    too many, which the form reports, because each has a link that repeats the others."""
    return list(dict.fromkeys(filter(None, request.GET.getlist("spec"))))[: parameter_rules.MOST_REQUIREMENTS]


def with_specs(request: HttpRequest) -> str:
    """Return the address of a search whose form has sent requirements in separate fields (`low.CODE`,
    `high.CODE`, `unit.CODE`); empty if it has sent none."""
    written: dict[str, dict[str, str]] = {}
    for name, value in request.GET.items():
        side, _, code = str(name).partition(".")
        if code and side in ("low", "high", "unit"):
            written.setdefault(code, {})[side] = str(value)
    if not written:
        return ""
    parameters = load_parameters()
    specs = [spec for spec in specs_of(request) if parameter_rules.spec_parts(spec)[0] not in written]
    for code, each in written.items():
        low, high = each.get("low", ""), each.get("high", "")
        if low.strip() or high.strip():
            specs.append(parameter_rules.spec_in(code, low, high, each.get("unit", ""), parameters))
    names = [f"{side}.{code}" for code, each in written.items() for side in each]
    return request.path + address_without(request, names, spec=specs)


def spec_fields(request: HttpRequest, specifications: Specifications) -> list[dict[str, Any]]:
    """Return the parameters that can be required, those with a requirement first: each with the number of
    instruments that state it, and its limits as entered."""
    written = {
        code: {"low": a, "high": b} for code, a, b in map(parameter_rules.spec_parts, specs_of(request))
    }
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
    """Return a requirement in the address in words, as the value of a chip."""
    parameters = load_parameters()
    try:
        (requirement,) = parameter_rules.requirements_of([spec], parameters)
    except Invalid:
        return {"title": gettext("Specifications"), "code": spec}
    title = named(parameters[requirement.parameter])
    return {"title": title, "code": required_text(requirement, parameters)}


def read_in(request: HttpRequest, text: str) -> list[dict[str, Any]]:
    """Return the requirements found in a text, each with the address of the search that has it as a filter
    instead of the words."""
    if not any(character.isdigit() for character in text):
        return []
    specs, read = specs_of(request), []
    for each in parameter_rules.requirements_in(text, load_parameters()):
        if each.requirement.parameter in {parameter_rules.spec_parts(spec)[0] for spec in specs}:
            continue
        spec = parameter_rules.spec_of(each.requirement)
        rest = " ".join(text.replace(each.words, " ").split()).strip(" ,，;；、.。")
        words = {"q": rest} if rest else {}
        address = address_without(request, ["q"], spec=[*specs, spec], **words)
        read.append(_required(spec) | {"address": address})
    return read


def choices_of(
    request: HttpRequest, terms: Iterable[NeedTerm], without: Iterable[str]
) -> list[dict[str, Any]]:
    """Return the possible meanings of a text, each with the address of the search for it alone, and that of
    the search without this meaning."""
    return [
        {
            "term": term,
            "choose": address_without(request, (), term=term.code),
            "remove": address_without(request, ("term",), without=",".join([*without, term.code])),
        }
        for term in terms
    ]


def ways_out(request: HttpRequest, criteria: Criteria) -> list[tuple[str, int, str]]:
    """Return ways out of an empty page: the name of the criterion that each drops, how many instruments would
    then be found, and its address."""
    titles = _titles() | {
        "q": criteria.text[:40],
        "term": gettext("What to find out"),
        "spec": gettext("Specifications"),
        "facility": gettext("Site"),
        "filters": gettext("Filter"),
        "free_from": gettext("Free between"),
        "max_price": gettext("Maximum list rate per hour"),
        "max_payable": gettext("Maximum price for this length"),
    }
    return [
        (titles[way.names[0]], way.count, address_without(request, way.names))
        for way in load_ways_out(criteria)
    ]

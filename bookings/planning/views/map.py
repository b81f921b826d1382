"""The planning map: regions by classes of instruments, and what lies behind one of its cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import NotFound
from accounts.models import Region
from accounts.views.pages import by_of, reads, shown
from bookings.planning.domain.map import formula_on, level
from bookings.planning.forms.map import MapForm
from bookings.planning.selectors.map import Figures, PlanningMap, load_map, require_reader, usual_year
from bookings.planning.selectors.plans import planned_in, plans_of_class
from bookings.record.adapters.figures import Cell
from bookings.record.views.lists import csv_answer, wants_csv
from instruments.vocabulary.domain.techniques import Term, above

PLANS_SHOWN, CLASSES_SHOWN = 50, 8
SUPPLY = ("instruments", "hosts", "open_minutes", "effective_minutes", "spare_minutes", "year")
DEMAND = ("payers", "minutes", "refused", "waited", "searched")
HEADS = [
    "year", "formula", "technique", "technique_name", "region", "region_name", "instruments",
    *("hosts", "open_minutes", "effective_minutes", "spare_minutes", "median_year"),
    *("unmet_payers", "unmet_minutes", "unmet_refused", "unmet_waited", "unmet_searched"),
    "open_minutes_before", "effective_minutes_before", "spare_minutes_before",
    "unmet_minutes_before", "planned", "planned_hours", "planned_first_year",
]  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A class in a region, or in all regions, with how strongly its spare and unmet hours are coloured."""

    term: Term
    region: Region | None
    figures: Figures
    spare_level: int
    unmet_level: int


def _form_of(request: HttpRequest) -> tuple[MapForm, PlanningMap]:
    """Return the form, and the map of the year that it names."""
    by = by_of(request)
    require_reader(by.actor)
    form = MapForm(request.GET, now=by.now, year=usual_year(by.now))
    is_valid = form.is_valid()
    year = (form.cleaned_data.get("year") if is_valid else None) or usual_year(by.now)
    return form, load_map(by.actor, year, by.now)


def _shown(whole: PlanningMap, codes: Sequence[str], regions: Sequence[Region | None]) -> Any:
    """Return the regions (None: all together) of a planning map, each with its classes and their figures."""
    rows = [(region, [(code, figures(whole, code, region)) for code in codes]) for region in regions]
    cells = [each for region, row in rows if region for _code, each in row]
    most_spare = max((e.supply.spare_minutes for e in cells if e.supply), default=0)
    most_unmet = max((e.demand.minutes for e in cells if e.demand), default=0)
    return [
        (
            region,
            [
                Shown(
                    whole.terms[code],
                    region,
                    each,
                    level(each.supply.spare_minutes, most_spare) if each.supply and region else 0,
                    level(each.demand.minutes, most_unmet) if each.demand and region else 0,
                )
                for code, each in row
            ],
        )
        for region, row in rows
    ]


def figures(whole: PlanningMap, code: str, region: Region | None) -> Figures:
    """Return the figures of a class of instruments in a region, or in all regions."""
    if region is None:
        return whole.totals.get(code) or whole.nothing(None)
    return whole.cells.get((code, region.code)) or whole.nothing(region.code)


@reads
def planning_map(request: HttpRequest) -> HttpResponseBase:
    """Show regions by classes: those narrower than the chosen class, or the narrowest of all; or return the
    whole map as a file."""
    form, whole = _form_of(request)
    formula = formula_on(whole.year).name
    if wants_csv(request):
        name = f"planning-map-{whole.year}"
        return csv_answer(request, name, HEADS, csv_rows(whole), has_figures=True)
    code = request.GET.get("technique", "")
    if code and code not in whole.terms:
        raise NotFound
    codes = sorted(whole.tree.get(code, ())) if code else whole.narrowest
    chosen = whole.terms.get(code)
    number = len(codes)
    if not request.GET.get("all"):  # only those with most to show
        codes = sorted(codes, key=lambda each: _weight(whole.totals[each]))[:CLASSES_SHOWN]
    left_out = number - len(codes)
    if code in whole.totals:  # what belongs to no narrower class is only in its own row
        codes = [code, *codes]
    parents = {c: t.parents for c, t in whole.terms.items()}
    broader = sorted(above(code, parents) & set(whole.totals)) if code else []
    regions = [None, *whole.regions.values()] if codes else []
    without = [(whole.regions[region], each) for region, each in whole.nameless.items() if not each.is_empty]
    context = {
        "form": form,
        "whole": whole,
        "has_before": whole.has_before,
        "formula": formula,
        "chosen": chosen,
        "left_out": left_out,
        "broader": [whole.terms[each] for each in broader],
        "broadest": [] if code else [whole.terms[each] for each in whole.roots if whole.tree.get(each)],
        "classes": [(whole.terms[each], each != code and bool(whole.tree.get(each))) for each in codes],
        "rows": _shown(whole, codes, regions),
        "without": without,
        "here": "map",
        "reads_map": True,
    }
    return shown(request, "bookings/planning/map.html", **context)


@reads
def cell(request: HttpRequest) -> HttpResponse:
    """Show a class in a region: narrower classes, plans, and links to its hours, unmet demand and
    instruments."""
    form, whole = _form_of(request)
    code, region = (request.GET.get("technique", ""), whole.regions.get(request.GET.get("region", "")))
    if code not in whole.terms or region is None:
        raise NotFound
    each = figures(whole, code, region)
    told = [region.pk] if region.code in whole.told else []
    plans = plans_of_class(planned_in(told), code)
    narrower = _shown(whole, sorted(whole.tree.get(code, ())), [region])[0][1]
    context: dict[str, Any] = {
        "form": form,
        "whole": whole,
        "has_before": whole.has_before,
        "formula": formula_on(whole.year).name,
        "term": whole.terms[code],
        "region": region,
        "figures": each,
        "lines": _lines(each),
        "narrower": [one for one in narrower if not one.figures.is_empty],
        "plans": list(plans[:PLANS_SHOWN]),
        "is_own": region.code in whole.own,
        "since": f"{whole.year}-01-01",
        "until": f"{whole.year + 1}-01-01",
    }
    return shown(request, "bookings/planning/cell.html", **context)


def _weight(total: Figures) -> tuple[int, int]:
    """Return the sort key of a class: those with the most unmet demand first, then those with the most
    instruments."""
    return -(total.demand.minutes if total.demand else 0), -total.instruments


def _lines(each: Figures) -> list[tuple[Any, Any, Any]]:
    """Return label, minutes of the year and minutes of the year before, for each figure of a class in a
    region."""
    rows = (
        (_("Open hours"), "open_minutes", each.supply, each.supply_before),
        (_("Effective hours"), "effective_minutes", each.supply, each.supply_before),
        (_("Spare hours"), "spare_minutes", each.supply, each.supply_before),
        (_("Unmet demand"), "minutes", each.demand, each.demand_before),
    )
    return [
        (label, getattr(now, name, None), getattr(before, name, None)) for label, name, now, before in rows
    ]


def csv_rows(whole: PlanningMap) -> Iterator[Sequence[Cell]]:
    """Yield a row for every class in every region; cells are empty if they are hidden or not the reader's to
    see."""
    formula = formula_on(whole.year).name
    for (code, region), each in sorted(whole.cells.items()):
        term = whole.terms.get(code)
        yield [
            whole.year,
            formula,
            code,
            term.name if term else "",
            region,
            whole.regions[region].name,
            each.instruments,
            *(getattr(each.supply, name, None) for name in SUPPLY[1:]),
            *(getattr(each.demand, name, None) for name in DEMAND),
            *(getattr(each.supply_before, name, None) for name in SUPPLY[2:5]),
            getattr(each.demand_before, "minutes", None),
            *(getattr(each.planned, name, None) for name in ("number", "hours", "year")),
        ]

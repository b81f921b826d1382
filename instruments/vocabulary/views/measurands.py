"""Pages of measurands for anybody; administrators curate them."""

from collections.abc import Iterable
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Place
from accounts.permissions import actor_of
from accounts.views.pages import act
from instruments.vocabulary.domain.needs import LONGEST_NEED
from instruments.vocabulary.domain.techniques import Term
from instruments.vocabulary.forms.measurands import MeasurandForm
from instruments.vocabulary.models import Measurand
from instruments.vocabulary.selectors.needs import load_need_terms, load_vocabulary, measurand_by_code
from instruments.vocabulary.selectors.needs import measurands as all_measurands
from instruments.vocabulary.services.techniques import measurand_set

PAGE = 50


@require_safe
def measurands(request: HttpRequest) -> HttpResponse:
    """List all measurands by name or, for a search text, the possible meanings of that need."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_NEED]
    page = Paginator(all_measurands(), PAGE).get_page(request.GET.get("page"))
    shown = load_need_terms(text) if text else page.object_list
    context = {
        "q": text,
        "page": page,
        "rows": [(row, _techniques(row.techniques)) for row in shown],
        "may_curate": _may_curate(request),
    }
    return render(request, "instruments/measurands.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def measurand(request: HttpRequest, code: str) -> HttpResponse:
    """Show a measurand with its words and techniques; administrators change them by POST."""
    return _page(request, measurand_by_code(code))


@require_http_methods(["GET", "HEAD", "POST"])
def measurand_new(request: HttpRequest) -> HttpResponse:
    """Enter a new measurand."""
    return _page(request, None)


def _page(request: HttpRequest, row: Measurand | None) -> HttpResponse:
    may_curate = _may_curate(request)
    if not may_curate and (row is None or request.method == "POST"):
        raise NotPermitted(capability="administer")
    form = MeasurandForm(request.POST if request.method == "POST" else None, row=row)

    def page(status: int = 200, **more: Any) -> HttpResponse:
        context = {
            "row": row,
            "techniques": _techniques(row.techniques) if row else [],
            "may_curate": may_curate,
            **more,
        }
        return render(request, "instruments/measurand.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: measurand_set(by, code=data["code"], values=form.values()),
        form=form,
        done=gettext("Saved."),
        to=lambda saved: reverse("instruments:measurand", args=[saved.code]),
    )


def _may_curate(request: HttpRequest) -> bool:
    return actor_of(request.user).may("administer", Place(None))


def _techniques(codes: Iterable[str]) -> list[Term]:
    terms = load_vocabulary().terms
    return [terms[code] for code in codes if code in terms]

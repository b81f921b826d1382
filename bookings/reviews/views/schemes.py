"""The page on which administrators read review schemes and make new versions of them."""

import json
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.roles import By
from accounts.selectors.rows import as_uuid
from accounts.views.pages import act, by_of, edits, sent, shown
from bookings.reviews.forms.schemes import SchemeForm
from bookings.reviews.models import ReviewScheme
from bookings.reviews.selectors.cases import all_schemes
from bookings.reviews.services.schemes import scheme_check, scheme_enter, text_of


@edits
def schemes(request: HttpRequest) -> HttpResponseBase:
    """List the versions of schemes; POST checks the text of one and shows what it changes, or loads it."""
    by = by_of(request)
    rows = list(all_schemes(by.actor))
    chosen = next((row for row in rows if row.pk == as_uuid(request.GET.get("scheme", ""))), None)
    form = SchemeForm(sent(request), initial={"text": text_of(chosen) if chosen else ""})
    page = partial(shown, request, "bookings/reviews/schemes.html", rows=rows, chosen=chosen)
    if "load" in request.POST:  # else it is checked, which stores nothing
        return act(
            request,
            page,
            lambda by, data: scheme_enter(by, **data),
            to=reverse("bookings:review-schemes"),
            done=_loaded,
            form=form,
        )
    checks: dict[str, Any] = {}

    def check(by: By, data: dict[str, Any]) -> None:
        checks["changes"] = [
            (each.name, _said(each.before), _said(each.after)) for each in scheme_check(by, text=data["text"])
        ]

    return act(request, page, check, to=lambda _: page(form=form, **checks), form=form)


def _said(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _loaded(row: ReviewScheme) -> str:
    return gettext("%(code)s has version %(version)s now; new cases use it.") % {
        "code": row.code,
        "version": row.version,
    }

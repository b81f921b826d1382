"""A page that shows all components that pages are made of (local mode only)."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.domain.errors import NotFound, NotPermitted
from config.pages.icons import SHAPES

QUOTE = {
    "currency": "CNY",
    "lines": [
        {
            "kind": "usage",
            "code": "standard",
            "minutes": 120,
            "rate": "220.00",
            "multiplier": "1",
            "amount": "440.00",
        },
        {"kind": "setup", "amount": "50.00"},
    ],
    "subtotal": "490.00",
    "tax": "29.40",
    "payable": "519.40",
}
TONES = ("waiting", "running", "good", "neutral", "bad")


class SampleForm(forms.Form):
    """A form with a field of each kind; two fields are wrong."""

    name = forms.CharField(
        label=_("Name"), widget=forms.TextInput(attrs={"class": "form-control is-invalid"})
    )
    price = forms.DecimalField(
        label=_("Price at most"),
        required=False,
        help_text=_("Per hour, before tax."),
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )
    reason = forms.CharField(
        label=_("Reason"), required=False, widget=forms.Textarea(attrs={"class": "form-control", "rows": 2})
    )
    service = forms.ChoiceField(
        label=_("Service"),
        choices=[("self", _("on your own")), ("assisted", _("with an operator"))],
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
    remember = forms.BooleanField(
        label=_("Stay signed in on this device"),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    """Show every partial of templates/components that pages use by its name, with an example. `?said=` shows
    a notice as after an act."""
    if not settings.LOCAL_MODE:
        raise NotFound
    if "said" in request.GET:
        messages.success(request, gettext("Saved."))
    if "failed" in request.GET:
        messages.error(request, gettext("Not saved yet: some entries need correction."))
    return render(request, "components.html", _samples(request))


def _samples(request: HttpRequest) -> dict[str, Any]:
    here = request.path
    return {
        "form": SampleForm({"name": "", "price": "120", "service": "self"}),
        "tones": TONES,
        "icons": sorted(SHAPES),
        "tabs": [
            {"label": gettext("Upcoming"), "url": here, "is_here": True, "count": 2},
            {"label": gettext("Past and ended"), "url": here, "is_here": False},
        ],
        "page": Paginator(range(30), 10).page(2),
        "quote": QUOTE,
        "second": NotPermitted("no-second-manager", place="USTC"),
    }

"""Pages of the exchange rates of the reader's organisations."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import By
from accounts.views.pages import act, by_of, edits
from bookings.pricing.selectors.exchange_rates import accounted_by, rates_for_actor
from bookings.settlement.domain.statements import day_of
from bookings.settlement.forms.money import RateForm
from bookings.settlement.services.exchange_rates import rate_enter

PAGE = 30


@edits
def rates(request: HttpRequest) -> HttpResponse:
    """List the rates that were entered, the newest first; POST enters another, for an
    organisation's finance."""
    by = by_of(request)
    accounted = {row.code: row for row in accounted_by(by.actor)}
    form = None
    if request.method == "POST":
        if not accounted:
            raise NotPermitted(capability="account")
        form = RateForm(request.POST, organisations=accounted.values())
    elif accounted:
        region = next(iter(accounted.values())).region
        initial = {"valid_on": day_of(by.now, region.time_zone), "quote": region.currency}
        form = RateForm(organisations=accounted.values(), initial=initial)

    def page(status: int = 200, form: RateForm | None = None, **context: Any) -> HttpResponse:
        rows = Paginator(rates_for_actor(by.actor), PAGE).get_page(request.GET.get("page"))
        context |= {"page": rows, "form": form}
        return render(request, "bookings/settlement/rates.html", context, status=status)

    def enter(by: By, data: dict[str, Any]) -> None:
        assert form is not None
        rate_enter(by, organisation=accounted[data["organisation"]], terms=form.terms())

    return act(
        request,
        page,
        enter,
        to=reverse("bookings:money-rates"),
        done=gettext("The rate is entered."),
        form=form,
    )

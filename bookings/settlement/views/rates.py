"""Exchange rates of one's organisations."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import Invalid, NotPermitted
from accounts.domain.roles import By
from accounts.permissions import actor_of
from bookings.pricing.selectors.exchange_rates import accounted_by, rates_for_actor
from bookings.settlement.domain.statements import day_of
from bookings.settlement.forms.money import RateForm
from bookings.settlement.services.exchange_rates import rate_enter

PAGE = 30


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rates(request: HttpRequest) -> HttpResponse:
    """What was entered, the newest first; POST enters another, for an organisation's finance."""
    now, actor = timezone.now(), actor_of(request.user)
    mine = list(accounted_by(actor))
    form = None
    if request.method == "POST":
        if not mine:
            raise NotPermitted(capability="account")
        form = RateForm(request.POST, organisations=mine)
        if form.is_valid():
            organisation = next(
                one for one in mine if one.code == form.cleaned_data["organisation"]
            )
            try:
                rate_enter(By(actor, now), organisation=organisation, said=form.said())
            except Invalid as refused:
                form.refuse(refused.problems)
            else:
                messages.success(request, gettext("The rate is entered."))
                return redirect("bookings:money-rates")
    elif mine:
        today = day_of(now, mine[0].region.time_zone)
        currency = mine[0].region.currency
        form = RateForm(organisations=mine, initial={"valid_on": today, "quote": currency})
    page = Paginator(rates_for_actor(actor), PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"page": page, "form": form}
    status = 400 if form is not None and form.errors else 200
    return render(request, "bookings/settlement/rates.html", context, status=status)

"""The page of one voucher grant: what is left, what it was used for, raising and lowering it."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.views.pages import act, bare, by_of, reads, writes
from bookings.funding.forms.programmes import GrantChangeForm, initial_of_grant, shown_amount
from bookings.funding.selectors.programmes import grant_by_id, programmes_for, uses_of
from bookings.funding.services.grants import grant_change
from bookings.funding.views.programmes import grants_shown
from bookings.pricing.selectors.agreements import coordinates
from bookings.record.selectors.reservations import visible_among

PAGE = 30


@reads
def one(request: HttpRequest, grant_id: UUID, *, status: int = 200, **forms: Any) -> HttpResponse:
    """Show what is left of a grant, until when and for which hosts it is valid, and the bookings it paid
    for."""
    by = by_of(request)
    row = grant_by_id(by.actor, grant_id)
    page = Paginator(uses_of(by.actor, row), PAGE).get_page(request.GET.get("page"))
    uses = list(page.object_list)
    is_own = coordinates(by.actor, row.programme.region)
    context = {
        **grants_shown([row], by.now)[0],
        "grant": row,
        "page": page,
        "uses": uses,
        "linked": visible_among(by.actor, [use.reservation_id for use in uses if use.reservation_id]),
        "is_own": is_own,
        "sees_programme": programmes_for(by.actor).filter(pk=row.programme_id).exists(),
        "form": GrantChangeForm(initial=initial_of_grant(row)) if is_own else None,
        "used": shown_amount(row.held + row.redeemed, row.programme.currency),
        **forms,
    }
    return render(request, "bookings/funding/grant.html", context, status=status)


@writes
def change(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Raise or lower a grant, or change its days."""
    form = GrantChangeForm(request.POST)
    return act(
        request,
        partial(bare(one), request, grant_id),
        lambda by, data: grant_change(by, grant_id=grant_id, change=form.change(), reason=data["reason"]),
        to=reverse("bookings:money-vouchers-grant", args=[grant_id]),
        done=gettext("Changed."),
        form=form,
    )

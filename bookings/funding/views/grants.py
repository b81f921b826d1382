"""One voucher grant: what is left, what it was used for, raising and lowering it."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.permissions import actor_of
from accounts.views.pages import act, by_of, reads, writes
from bookings.funding.forms.programmes import GrantChangeForm, initial_of_grant, shown_amount
from bookings.funding.selectors.programmes import grant_by_id, programmes_for, uses_of
from bookings.funding.services.grants import grant_change, grant_resume, grant_suspend
from bookings.funding.views.programmes import grants_shown, suspended_or_resumed
from bookings.pricing.models import VoucherGrant
from bookings.pricing.selectors.agreements import coordinates
from bookings.record.selectors.reservations import visible_among

PAGE = 30


@reads
def one(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Show what is left of a grant, till when, for which hosts, and the bookings behind it."""
    return _page(request, grant_by_id(actor_of(request.user), grant_id))


@writes
def change(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Raise or lower a grant, or change its days."""
    row = grant_by_id(actor_of(request.user), grant_id)
    form = GrantChangeForm(request.POST)
    return act(
        request,
        partial(_page, request, row),
        lambda by, data: grant_change(
            by, grant_id=row.pk, change=form.change(), reason=data["reason"]
        ),
        to=reverse("bookings:money-vouchers-grant", args=[row.pk]),
        done=gettext("Changed."),
        form=form,
    )


@writes
def suspend(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Suspend or resume a grant, as `act` says."""
    row = grant_by_id(actor_of(request.user), grant_id)
    return suspended_or_resumed(
        request,
        partial(_page, request, row),
        partial(grant_suspend, grant_id=row.pk),
        partial(grant_resume, grant_id=row.pk),
        reverse("bookings:money-vouchers-grant", args=[row.pk]),
    )


def _page(
    request: HttpRequest, row: VoucherGrant, *, status: int = 200, **forms: Any
) -> HttpResponse:
    by = by_of(request)
    page = Paginator(uses_of(by.actor, row), PAGE).get_page(request.GET.get("page"))
    uses = list(page.object_list)
    is_own = coordinates(by.actor, row.programme.region)
    context = {
        **grants_shown([row], by.now)[0],
        "grant": row,
        "page": page,
        "uses": uses,
        "linked": visible_among(by.actor, [use.reservation_id for use in uses]),
        "is_own": is_own,
        "sees_programme": programmes_for(by.actor).filter(pk=row.programme_id).exists(),
        "form": GrantChangeForm(initial=initial_of_grant(row)) if is_own else None,
        "used": shown_amount(row.held + row.redeemed, row.programme.currency),
        **forms,
    }
    return render(request, "bookings/funding/grant.html", context, status=status)

"""One voucher grant: what is left, what it was used for, raising and lowering it."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.errors import Invalid, Refused, WrongState, WrongVersion
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from bookings.funding.forms.programmes import (
    GrantChangeForm,
    SuspendForm,
    said_of_grant,
    shown_amount,
)
from bookings.funding.selectors.programmes import grant_by_id, programmes_for, uses_of
from bookings.funding.services.grants import grant_change, grant_resume, grant_suspend
from bookings.funding.views.programmes import grants_shown
from bookings.pricing.models import VoucherGrant
from bookings.pricing.selectors.agreements import coordinates
from bookings.pricing.views.agreements import status_of
from bookings.record.selectors.reservations import visible_among

PAGE = 30


@login_required
@require_safe
def one(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """What is left, till when, for which hosts, and the bookings behind it."""
    now, actor = timezone.now(), actor_of(request.user)
    return _page(request, actor, grant_by_id(actor, grant_id), now)


@login_required
@require_POST
def change(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Raise or lower it, or change its days."""
    now, actor = timezone.now(), actor_of(request.user)
    row = grant_by_id(actor, grant_id)
    form, refused, status = GrantChangeForm(request.POST), None, 400
    if form.is_valid():
        try:
            grant_change(
                By(actor, now, form.cleaned_data["version"]),
                grant_id=row.pk,
                change=form.change(),
                reason=form.cleaned_data["reason"],
            )
        except Invalid as problem:
            form.refuse(problem.problems)
        except WrongVersion as problem:
            refused, status = problem, status_of(problem)
        else:
            messages.success(request, gettext("Changed."))
            return redirect("bookings:money-vouchers-grant", grant_id=row.pk)
    return _page(request, actor, row, now, form=form, refused=refused, status=status)


@login_required
@require_POST
def suspend(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Suspend or resume, as `act` says."""
    now, actor = timezone.now(), actor_of(request.user)
    row = grant_by_id(actor, grant_id)
    form = SuspendForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, row, now, status=400)
    data = form.cleaned_data
    try:
        if data["act"] == "suspend":
            grant_suspend(By(actor, now, data["version"]), grant_id=row.pk, reason=data["reason"])
        else:
            grant_resume(By(actor, now, data["version"]), grant_id=row.pk)
    except (WrongState, WrongVersion) as problem:
        return _page(request, actor, row, now, refused=problem, status=status_of(problem))
    said = gettext("Suspended.") if data["act"] == "suspend" else gettext("Resumed.")
    messages.success(request, said)
    return redirect("bookings:money-vouchers-grant", grant_id=row.pk)


def _page(
    request: HttpRequest,
    actor: Actor,
    row: VoucherGrant,
    now: datetime,
    *,
    form: GrantChangeForm | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    page = Paginator(uses_of(actor, row), PAGE).get_page(request.GET.get("page"))
    uses = list(page.object_list)
    is_own = coordinates(actor, row.programme.region)
    context = {
        **grants_shown([row], now)[0],
        "grant": row,
        "page": page,
        "uses": uses,
        "linked": visible_among(actor, [use.reservation_id for use in uses]),
        "is_own": is_own,
        "sees_programme": programmes_for(actor).filter(pk=row.programme_id).exists(),
        "form": form or (GrantChangeForm(initial=said_of_grant(row)) if is_own else None),
        "used": shown_amount(row.held + row.redeemed, row.programme.currency),
        "refused": refused,
    }
    return render(request, "bookings/funding/grant.html", context, status=status)

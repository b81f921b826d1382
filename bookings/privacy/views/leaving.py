"""Ending a membership: what it takes away, and what becomes of the bookings."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import Invalid, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.permissions import actor_of
from bookings.privacy.forms.leaving import LeaveForm
from bookings.privacy.selectors.leaving import load_ahead, may_cancel, membership_to_end
from bookings.privacy.services.leaving import member_leave


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """Who leaves, what they still have booked, and what cancelling it would cost."""
    now, actor = timezone.now(), actor_of(request.user)
    membership = membership_to_end(actor, membership_id)
    is_own = actor.user_id == membership.user_id
    form = LeaveForm(request.POST or None, owes_reason=not is_own)
    status, refused = 200, None
    if request.method == "POST" and form.is_valid():
        try:
            left = member_leave(
                By(actor, now),
                membership_id=membership.pk,
                cancel=form.cleaned_data["bookings"] == "cancel",
                reason=form.cleaned_data["reason"],
            )
        except (WrongState, WrongVersion, Invalid) as problem:
            refused, status = problem, 400 if isinstance(problem, Invalid) else 409
        else:
            text = gettext("The membership has ended.")
            if left.cancelled:
                text += " " + ngettext(
                    "{count} booking was cancelled.",
                    "{count} bookings were cancelled.",
                    left.cancelled,
                ).format(count=left.cancelled)
            messages.success(request, text)
            if is_own:
                return redirect("accounts:organisations")
            return redirect("accounts:members", membership.organisation_id)
    elif request.method == "POST":
        status = 400
    context = {
        "membership": membership,
        "is_own": is_own,
        "form": form,
        "ahead": load_ahead(actor, membership, now),
        "may_read": is_own
        or membership.organisation_id in actor.organisations_where("read-bookings"),
        "may_cancel": may_cancel(actor, membership),
        "refused": refused,
    }
    return render(request, "bookings/privacy/member_end.html", context, status=status)

"""The page for ending a membership: what the person loses, and what becomes of their bookings."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from accounts.permissions import actor_of
from accounts.views.pages import act, edits, in_full, shown
from bookings.privacy.forms.leaving import LeaveForm
from bookings.privacy.selectors.leaving import load_ahead, load_places, may_cancel, membership_to_end
from bookings.privacy.services.leaving import Left, member_leave


@edits
def end(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """Show who leaves, what they still have booked, and what cancelling it would cost; POST ends the
    membership."""
    actor = actor_of(request.user)
    membership = membership_to_end(actor, membership_id)
    is_own = actor.user_id == membership.user_id

    def page(**context: Any) -> HttpResponse:
        context |= {
            "membership": membership,
            "is_own": is_own,
            "ahead": load_ahead(actor, membership, timezone.now()),
            "places": load_places(membership, timezone.now()),
            "may_read": is_own or membership.organisation_id in actor.organisations_where("read-bookings"),
            "may_cancel": may_cancel(actor, membership),
        }
        return shown(request, "bookings/privacy/member_end.html", **context)

    def done(left: Left) -> str:
        text = gettext("The membership has ended.")
        if left.cancelled:
            text += " " + ngettext(
                "{count} booking was cancelled.", "{count} bookings were cancelled.", left.cancelled
            ).format(count=left.cancelled)
        if left.places:
            text += " " + ngettext(
                "{count} place in a course was given up.",
                "{count} places in courses were given up.",
                left.places,
            ).format(count=left.places)
        return text

    return act(
        request,
        page,
        lambda by, data: member_leave(
            by, membership_id=membership.pk, cancel=data["bookings"] == "cancel", reason=data["reason"]
        ),
        to=reverse("accounts:organisations")
        if is_own
        else reverse("accounts:members", args=[membership.organisation_id]),
        done=done,
        form=LeaveForm(request.POST or None, owes_reason=not is_own),
        shows=in_full,
    )

"""The page on which a facility's managers say how it receives samples."""

from functools import partial
from uuid import UUID

from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from accounts.permissions import actor_of, require
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, edits, sent, shown
from bookings.samples.forms.receiving import ReceivingForm
from bookings.samples.selectors.receiving import receiving_of
from bookings.samples.services.receiving import receiving_set
from instruments.register.selectors.registry import facility_by_id


@edits
def receiving(request: HttpRequest, facility_id: UUID) -> HttpResponse:
    """Show and set how a facility receives samples by post."""
    facility = facility_by_id(facility_id)
    require(
        actor_of(request.user), "manage-instruments", place_of(facility.organisation, facility_id=facility.pk)
    )
    row = receiving_of(facility_id)
    initial = model_to_dict(row) if row else {"address": facility.address, "version": 0}
    return act(
        request,
        partial(shown, request, "bookings/samples/receiving_edit.html", facility=facility),
        lambda by, data: receiving_set(by, facility_id=facility_id, **data),
        to=reverse("instruments:facility-edit", args=[facility_id]),
        done=gettext("Saved."),
        form=ReceivingForm(sent(request), initial=initial),
    )

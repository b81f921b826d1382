"""The page of an organisation's invoice details."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import Refused
from accounts.domain.invoice_details import LENGTHS
from accounts.forms import InvoiceDetailsForm
from accounts.permissions import actor_of
from accounts.selectors.organisations import organisation_to_invoice
from accounts.services.organisations import invoice_details_set
from accounts.views.pages import act, edits, shown


@edits
def invoice_details(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Show and change an organisation's legal name, address, tax number, bank account and invoice mail."""
    organisation = organisation_to_invoice(actor_of(request.user), organisation_id)
    present = {name: getattr(organisation, name) for name in (*LENGTHS, "version")}
    form = InvoiceDetailsForm(request.POST or None, initial=present)

    def labelled(refused: Refused) -> dict[str, Any]:
        problems = getattr(refused, "problems", ())
        return {"refused": refused, "problems": [(form[p.field].label, p) for p in problems]}

    return act(
        request,
        partial(shown, request, "accounts/invoice_details.html", organisation=organisation),
        lambda by, _: invoice_details_set(by, organisation_id=organisation_id, details=form.details()),
        to=reverse("accounts:invoice-details", args=[organisation.pk]),
        done=gettext("Saved."),
        form=form,
        shows=labelled,
    )

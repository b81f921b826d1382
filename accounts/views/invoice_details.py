"""What statements print of an organisation."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import Invalid, WrongVersion
from accounts.domain.invoice_details import LENGTHS
from accounts.domain.roles import By
from accounts.forms import InvoiceDetailsForm
from accounts.permissions import actor_of
from accounts.selectors.invoice_details import organisation_to_invoice
from accounts.services.invoice_details import invoice_details_set


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def invoice_details(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Legal name, address, tax number, bank account and invoice mail."""
    actor = actor_of(request.user)
    organisation = organisation_to_invoice(actor, organisation_id)
    present = {name: getattr(organisation, name) for name in (*LENGTHS, "version")}
    form = InvoiceDetailsForm(request.POST or None, initial=present)
    refused, status = None, 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        try:
            invoice_details_set(
                By(actor, timezone.now(), form.cleaned_data["version"]),
                organisation_id=organisation_id,
                details=form.details(),
            )
        except (Invalid, WrongVersion) as problem:
            refused, status = problem, 400 if isinstance(problem, Invalid) else 412
        else:
            messages.success(request, gettext("Saved."))
            return redirect("accounts:invoice-details", organisation.pk)
    context = {"organisation": organisation, "form": form, "refused": refused}
    if isinstance(refused, Invalid):
        context["problems"] = [(form[each.field].label, each) for each in refused.problems]
    return render(request, "accounts/invoice_details.html", context, status=status)

"""Pages of administrators: where people may sign in, and which organisation is whose scope."""

from typing import Any
from uuid import UUID

from allauth.socialaccount.models import SocialApp
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain.errors import Invalid
from accounts.domain.roles import By, Place
from accounts.forms import ProviderForm, ScopesForm
from accounts.permissions import actor_of, require
from accounts.selectors.organisations import organisation_by_id
from accounts.selectors.providers import configured_providers, stored_providers
from accounts.services.federation import provider_remove, provider_set, scopes_set


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def providers(request: HttpRequest) -> HttpResponse:
    """Where people may sign in besides here; the form stores one."""
    actor = actor_of(request.user)
    require(actor, "administer", Place(None))
    stored = stored_providers()
    named = next((app for app in stored if app.provider_id == request.GET.get("id")), None)
    form = ProviderForm(request.POST or None, initial=_present(named) if named else {})
    refused, status = None, 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        try:
            provider_set(By(actor, timezone.now()), **form.values())
        except Invalid as problem:
            refused, status = problem, 400
        else:
            messages.success(request, gettext("Saved."))
            return redirect("accounts:providers")
    context = {
        "form": form,
        "stored": stored,
        "configured": configured_providers(),
        "refused": refused,
    }
    return render(request, "accounts/providers.html", context, status=status)


def _present(app: SocialApp) -> dict[str, Any]:
    idp = app.settings.get("idp", {})
    return {
        "kind": app.provider,
        "id": app.provider_id,
        "name": app.name,
        "entity": idp.get("entity_id") or app.settings.get("server_url", ""),
        "metadata_url": idp.get("metadata_url", ""),
        "identifier": app.settings.get("identifier", ""),
        "client_id": "" if app.provider == "saml" else app.client_id,
        "scopes": "\n".join(app.settings.get("scopes", [])),
    }


@login_required
@require_POST
def provider_end(request: HttpRequest, provider_id: str) -> HttpResponse:
    actor = actor_of(request.user)
    provider_remove(By(actor, timezone.now()), provider_id=provider_id)
    messages.success(request, gettext("Removed: it can no longer be used to sign in."))
    return redirect("accounts:providers")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def scopes(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """What identity providers call an organisation."""
    actor = actor_of(request.user)
    require(actor, "administer", Place(None))
    organisation = organisation_by_id(organisation_id)
    present = {
        "scopes": "\n".join(organisation.scopes),
        "admits_by_scope": organisation.admits_by_scope,
    }
    form = ScopesForm(request.POST if request.method == "POST" else None, initial=present)
    refused, status = None, 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        try:
            scopes_set(
                By(actor, timezone.now()),
                organisation=organisation,
                scopes=form.scope_list(),
                admits_by_scope=form.cleaned_data["admits_by_scope"],
            )
        except Invalid as problem:
            refused, status = problem, 400
        else:
            messages.success(request, gettext("Saved."))
            return redirect("accounts:members", organisation.pk)
    context = {"organisation": organisation, "form": form, "refused": refused}
    return render(request, "accounts/scopes.html", context, status=status)

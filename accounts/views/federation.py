"""Pages on which administrators enter identity providers and set which organisation a scope belongs to."""

from functools import partial
from typing import Any
from uuid import UUID

from allauth.socialaccount.models import SocialApp
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.roles import Place
from accounts.forms import ProviderForm, ScopesForm
from accounts.permissions import actor_of, require
from accounts.selectors.installation import configured_providers, stored_providers
from accounts.selectors.organisations import organisation_by_id
from accounts.services.federation import provider_remove, provider_set, scopes_set
from accounts.views.pages import act, by_of, edits, in_full, shown, writes


@edits
def providers(request: HttpRequest) -> HttpResponse:
    """Show the identity providers at which people may sign in; the form stores one."""
    require(actor_of(request.user), "administer", Place(None))
    stored = stored_providers()
    chosen = next((app for app in stored if app.provider_id == request.GET.get("id")), None)
    form = ProviderForm(request.POST or None, initial=_present(chosen) if chosen else {})
    return act(
        request,
        partial(shown, request, "accounts/providers.html", stored=stored, configured=configured_providers()),
        lambda by, _: provider_set(by, **form.values()),
        to=reverse("accounts:providers"),
        done=gettext("Saved."),
        form=form,
        shows=in_full,
    )


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
        "scopes": app.settings.get("scopes", []),
    }


@writes
def provider_end(request: HttpRequest, provider_id: str) -> HttpResponse:
    provider_remove(by_of(request), provider_id=provider_id)
    messages.success(request, gettext("Removed: it can no longer be used to sign in."))
    return redirect("accounts:providers")


@edits
def scopes(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Set the scopes by which identity providers know an organisation."""
    require(actor_of(request.user), "administer", Place(None))
    organisation = organisation_by_id(organisation_id)
    present = {name: getattr(organisation, name) for name in ScopesForm.base_fields}
    form = ScopesForm(request.POST if request.method == "POST" else None, initial=present)
    return act(
        request,
        partial(shown, request, "accounts/scopes.html", organisation=organisation),
        lambda by, data: scopes_set(by, organisation=organisation, **data),
        to=reverse("accounts:members", args=[organisation.pk]),
        done=gettext("Saved."),
        form=form,
        shows=in_full,
    )

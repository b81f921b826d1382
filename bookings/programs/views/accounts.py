"""Pages of an organisation's service accounts and their tokens."""

from functools import partial
from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from allauth.idp.oidc.models import Client
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import Refused
from accounts.models import ApiToken
from accounts.permissions import actor_of
from accounts.views.pages import act, bare, by_of, edits, reads, sent, writes
from bookings.catalogue.views.refusals import refusal_text
from bookings.programs.domain.accounts import stops_at
from bookings.programs.forms.accounts import AccountForm, ClientForm, TokenForm, initial_of
from bookings.programs.selectors import accounts
from bookings.programs.services import accounts as service

# In the session, until the page that shows it: the id of a new token and the token itself.
MADE_KEY = "service_token_made"
CLIENT_KEY = "service_client_made"


@edits
def service_accounts(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """List the service accounts of an organisation; POST makes one."""
    actor = actor_of(request.user)
    organisation = accounts.organisation_with_accounts(actor, organisation_id)
    form = AccountForm(sent(request), roles=accounts.roles_to_give(actor, organisation))

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        if refused is not None:
            form.add_error(None, refusal_text(refused))
        context = {"organisation": organisation, "accounts": accounts.accounts_of(organisation), "form": form}
        return render(request, "bookings/programs/accounts.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: service.account_make(by, organisation_id=organisation.pk, **data),
        to=lambda row: reverse("bookings:service-account", args=[row.pk]),
        done=gettext("Made. Give it a token for each program that uses it."),
        form=form,
    )


@never_cache
@reads
def service_account(
    request: HttpRequest,
    service_id: UUID,
    status: int = 200,
    refused: Refused | None = None,
    form: AccountForm | None = None,
    **_: Any,
) -> HttpResponse:
    """Show a service account with its tokens."""
    by = by_of(request)
    account = accounts.account_by_id(by.actor, service_id)
    if refused is not None:
        messages.error(request, refusal_text(refused))
    context = {
        "account": account,
        "tokens": accounts.tokens_of(account),
        "clients": accounts.clients_of(account),
        "form": form or AccountForm(initial=initial_of(account), roles=_roles(request, account)),
        "stops_at": account.asked_at and stops_at(account.asked_at),
        "now": by.now,
    }
    return render(request, "bookings/programs/account.html", context, status=status)


def _roles(request: HttpRequest, account: Any) -> frozenset[str]:
    return accounts.roles_to_give(actor_of(request.user), account.organisation) | frozenset(account.roles)


@writes
def change(request: HttpRequest, service_id: UUID) -> HttpResponse:
    """Change a service account."""
    account = accounts.account_by_id(actor_of(request.user), service_id)
    return act(
        request,
        partial(bare(service_account), request, service_id),
        lambda by, data: service.account_change(by, account_id=service_id, **data),
        to=reverse("bookings:service-account", args=[service_id]),
        done=gettext("Saved."),
        form=AccountForm(request.POST, roles=_roles(request, account)),
    )


@edits
@never_cache
@reauthentication_required  # type: ignore[untyped-decorator]
def token_make(request: HttpRequest, service_id: UUID) -> HttpResponse:
    """Show the form for a new token of a service account, and make it. The token is shown by another page, so
    that reloading that page does not make a second."""
    account = accounts.account_by_id(actor_of(request.user), service_id)
    form = TokenForm(sent(request), account=account)

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        if refused is not None:
            form.add_error(None, refusal_text(refused))
        context = {"account": account, "form": form}
        return render(request, "bookings/programs/token.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: service.token_make(by, account_id=service_id, **data),
        to=partial(_shown_once, request, service_id),
        form=form,
    )


@edits
@never_cache
@reauthentication_required  # type: ignore[untyped-decorator]
def client_make(request: HttpRequest, service_id: UUID) -> HttpResponse:
    """Show the form for a new OAuth client of a service account, and make it; its secret is shown as a new
    token is."""
    account = accounts.account_by_id(actor_of(request.user), service_id)
    form = ClientForm(sent(request), account=account)

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        if refused is not None:
            form.add_error(None, refusal_text(refused))
        context = {"account": account, "form": form}
        return render(request, "bookings/programs/client.html", context, status=status)

    def made(result: tuple[Client, str]) -> HttpResponse:
        client, secret = result
        request.session[CLIENT_KEY] = [client.pk, secret]
        return redirect("bookings:service-account-client-made", service_id)

    return act(
        request,
        page,
        lambda by, data: service.client_make(by, account_id=service_id, **data),
        to=made,
        form=form,
    )


@login_required
@require_http_methods(["GET"])  # HEAD would use the one showing up
@never_cache
def client_made(request: HttpRequest, service_id: UUID) -> HttpResponse:
    """Show a new OAuth client with its secret, once; no other page ever shows that."""
    account = accounts.account_by_id(actor_of(request.user), service_id)
    client_id, secret = request.session.pop(CLIENT_KEY, ("", ""))
    client = accounts.clients_of(account).filter(pk=client_id).first() if client_id else None
    if client is None:
        return redirect("bookings:service-account", service_id)
    context = {
        "account": account,
        "made": client,
        "secret": secret,
        "where": settings.SITE_URL + reverse("bookings:oauth-token"),
        "asks": settings.SITE_URL + reverse("bookings:oauth-authorize") if client.redirect_uris else "",
    }
    return render(request, "bookings/programs/client.html", context)


@login_required
@require_http_methods(["GET", "POST"])
@never_cache
@reauthentication_required  # type: ignore[untyped-decorator]
def token_rotate(request: HttpRequest, service_token_id: UUID) -> HttpResponse:
    """Make a token in place of another, after the person has confirmed who they are (which comes back here by
    GET, to be asked again)."""
    account, token = accounts.token_by_id(actor_of(request.user), service_token_id)

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        context = {"account": account, "token": token, "refused": refused}
        return render(request, "bookings/programs/rotate.html", context, status=status)

    return act(
        request,
        page,
        lambda by, _: service.token_rotate(by, token_id=service_token_id),
        to=partial(_shown_once, request, account.pk),
    )


def _shown_once(request: HttpRequest, service_id: UUID, result: tuple[ApiToken, str]) -> HttpResponse:
    token, secret = result
    request.session[MADE_KEY] = [str(token.pk), secret]
    return redirect("bookings:service-account-token-made", service_id)


@login_required
@require_http_methods(["GET"])  # HEAD would use the one showing up
@never_cache
def token_made(request: HttpRequest, service_id: UUID) -> HttpResponse:
    """Show a new token, once; no other page ever shows it."""
    account = accounts.account_by_id(actor_of(request.user), service_id)
    token_id, secret = request.session.pop(MADE_KEY, ("", ""))
    token = accounts.tokens_of(account).filter(pk=token_id).first() if secret else None
    if token is None:
        return redirect("bookings:service-account", service_id)
    context = {"account": account, "made": token, "secret": secret}
    return render(request, "bookings/programs/token.html", context)

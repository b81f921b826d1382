"""Where a person belongs, and the ways into an organisation."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.errors import Invalid, NotPermitted, Refused, WrongState
from accounts.domain.joining import is_of
from accounts.domain.roles import By, DutiesConflict
from accounts.forms import FindForm, JoinForm
from accounts.models import Invitation, JoinRequest, Membership, User
from accounts.permissions import actor_of
from accounts.selectors.joining import (
    invitation_by_token,
    inviter_organisation,
    organisations_by_mail,
    organisations_named,
    own_invitations,
    requests_of,
)
from accounts.selectors.memberships import own_memberships
from accounts.selectors.organisations import organisation_by_id
from accounts.selectors.users import confirmed_addresses, user_by_email
from accounts.services.invitations import invitation_accept, why_closed
from accounts.services.joining import join_ask, join_withdraw


@login_required
@require_safe
def organisations(request: HttpRequest) -> HttpResponse:
    """Memberships, invitations, requests, and a search for more."""
    return _home(request)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Ask to become a member of one."""
    now, actor = timezone.now(), actor_of(request.user)
    organisation = organisation_by_id(organisation_id)
    form = JoinForm(request.POST or None)
    status, refused = 200, None
    if request.method == "POST" and form.is_valid():
        try:
            made = join_ask(
                By(actor, now), organisation=organisation, text=form.cleaned_data["text"]
            )
        except (WrongState, Invalid) as problem:
            refused, status = problem, 400 if isinstance(problem, Invalid) else 409
        else:
            text = gettext("You have asked to join. You will get a mail when it is decided.")
            if made.state == JoinRequest.State.APPROVED:
                text = gettext("You are a member now.")
            messages.success(request, text)
            return redirect("accounts:organisations")
    elif request.method == "POST":
        status = 400
    addresses = confirmed_addresses(actor.person)
    context = {
        "organisation": organisation,
        "form": form,
        "refused": refused,
        "by_mail": next((a for a in addresses if is_of(a, organisation.mail_domains)), ""),
    }
    return render(request, "accounts/join.html", context, status=status)


@login_required
@require_POST
def withdraw(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Take back one's own request."""
    try:
        join_withdraw(By(actor_of(request.user), timezone.now()), request_id=request_id)
    except WrongState as refused:
        return _home(request, refused, 409)
    messages.success(request, gettext("Your request is withdrawn."))
    return redirect("accounts:organisations")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What the address in the mail opens: who invites whom to what; POST accepts. Whoever has the
    link reads it, signed in or not."""
    found = invitation_by_token(token)
    if not isinstance(request.user, User):
        if request.method == "POST":
            return redirect_to_login(request.path)
        code = why_closed(found, timezone.now())
        return _shown(request, found, Refused(code) if code else None, 409 if code else 200)
    if request.method == "POST":
        return _accept(request, found)
    if found.accepted_by_id == request.user.pk:
        return redirect("accounts:organisations")
    code = why_closed(found, timezone.now())
    if found.email not in confirmed_addresses(request.user.pk):
        code = "another-address"
    refused = Refused(code) if code else None
    status = {"": 200, "another-address": 403}.get(code, 409)
    return _shown(request, found, refused, status)


@login_required
@require_POST
def accept(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Accept one that the reader's own page lists."""
    actor, now = actor_of(request.user), timezone.now()
    found = own_invitations(actor, now).filter(pk=invitation_id).first()
    if found is None:
        return _home(request, Refused("invitation-withdrawn"), 409)
    return _accept(request, found)


def _accept(request: HttpRequest, found: Invitation) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    try:
        invitation_accept(By(actor, now), invitation_id=found.pk)
    except NotPermitted as refused:
        return _shown(request, found, refused, 403)
    except (WrongState, DutiesConflict) as refused:
        return _shown(request, found, refused, 409 if isinstance(refused, WrongState) else 422)
    messages.success(request, gettext("You are a member now."))
    return redirect("accounts:organisations")


def _shown(
    request: HttpRequest, found: Invitation, refused: Refused | None, status: int
) -> HttpResponse:
    context = {
        "invitation": found,
        "inviter_organisation": inviter_organisation(found),
        "has_account": user_by_email(found.email) is not None,
        "refused": refused,
    }
    return render(request, "accounts/invitation.html", context, status=status)


def _home(request: HttpRequest, refused: Refused | None = None, status: int = 200) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    search = FindForm(request.GET)
    text = search.cleaned_data["q"] if search.is_valid() else ""
    own: list[Membership] = own_memberships(actor)
    asked = list(requests_of(actor)[:20])
    context = {
        "memberships": own,
        "invitations": own_invitations(actor, now),
        "asked": [row for row in asked if row.state == "requested"],
        "rejected": [row for row in asked if row.state == "rejected"][:3],
        "by_mail": organisations_by_mail(actor),
        "search": search,
        "text": text,
        "found": organisations_named(actor, text),
        "refused": refused,
    }
    return render(request, "accounts/organisations.html", context, status=status)

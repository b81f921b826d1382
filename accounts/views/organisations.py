"""Pages of the organisations a person belongs to, and of the ways to join one."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import NotFound, Refused
from accounts.domain.joining import is_of
from accounts.forms import FindForm, JoinForm, refusal_signed
from accounts.models import Invitation, JoinRequest, Membership, User
from accounts.permissions import actor_of
from accounts.selectors import joining
from accounts.selectors.memberships import own_memberships
from accounts.selectors.organisations import organisation_by_id
from accounts.selectors.users import confirmed_addresses, user_by_email
from accounts.services.invitations import invitation_accept, why_closed
from accounts.services.joining import join_ask
from accounts.views.pages import act, bare, by_of, edits, in_full, reads, shown, writes


@reads
def organisations(request: HttpRequest, *, refused: Refused | None = None, status: int = 200) -> HttpResponse:
    """Show the reader's memberships, invitations and requests, and a search for other organisations."""
    now, actor = timezone.now(), actor_of(request.user)
    search = FindForm(request.GET)
    text = search.cleaned_data["q"] if search.is_valid() else ""
    own: list[Membership] = own_memberships(actor)
    requests = list(joining.requests_of(actor)[:20])
    context = {
        "memberships": own,
        "invitations": joining.own_invitations(actor, now),
        "asked": [row for row in requests if row.state == "requested"],
        "rejected": [row for row in requests if row.state == "rejected"][:3],
        "by_mail": joining.organisations_by_mail(actor),
        "search": search,
        "text": text,
        "found": joining.organisations_named(actor, text),
        "refused": refused,
        "lacks_book": refusal_signed("book"),
    }
    return render(request, "accounts/organisations.html", context, status=status)


@edits
def join(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Ask to become a member of an organisation."""
    organisation = organisation_by_id(organisation_id)

    def page(**context: Any) -> HttpResponse:
        addresses = confirmed_addresses(actor_of(request.user).person)
        by_mail = next((a for a in addresses if is_of(a, organisation.mail_domains)), "")
        context |= {"organisation": organisation, "by_mail": by_mail}
        return shown(request, "accounts/join.html", **context)

    def done(row: JoinRequest) -> str:
        if row.state == JoinRequest.State.APPROVED:
            return gettext("You are a member now.")
        return gettext("Your request to join has been sent. You will get a mail when it is decided.")

    return act(
        request,
        page,
        lambda by, data: join_ask(by, organisation=organisation, text=data["text"]),
        to=reverse("accounts:organisations"),
        done=done,
        form=JoinForm(request.POST or None),
        shows=in_full,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show who invites whom to what, to anybody with the link from the mail, signed in or not; POST
    accepts."""
    row = joining.invitation_by_token(token)
    if not isinstance(request.user, User):
        if request.method == "POST":
            return redirect_to_login(request.path)
        code = why_closed(row, timezone.now())
    elif request.method == "POST":
        return _accept(request, row)
    elif row.accepted_by_id == request.user.pk:
        return redirect("accounts:organisations")
    elif row.email not in confirmed_addresses(request.user.pk):
        code = "another-address"
    else:
        code = why_closed(row, timezone.now())
    status = {"": 200, "another-address": 403}.get(code, 409)
    return _shown(request, row, refused=Refused(code) if code else None, status=status)


@writes
def accept(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Accept an invitation that the reader's page of organisations lists."""
    by = by_of(request)
    row = joining.own_invitations(by.actor, by.now).filter(pk=invitation_id).first()
    if row is None:
        return bare(organisations)(request, refused=Refused("invitation-withdrawn"), status=409)
    return _accept(request, row)


def _accept(request: HttpRequest, row: Invitation) -> HttpResponse:
    return act(
        request,
        partial(_shown, request, row),
        lambda by, _: invitation_accept(by, invitation_id=row.pk),
        to=reverse("accounts:organisations"),
        done=gettext("You are a member now."),
        shows=in_full,
        raises=(NotFound,),
    )


def _shown(request: HttpRequest, row: Invitation, *, refused: Refused | None, status: int) -> HttpResponse:
    context = {
        "invitation": row,
        "inviter_organisation": joining.inviter_organisation(row),
        "has_account": user_by_email(row.email) is not None,
        "refused": refused,
    }
    return render(request, "accounts/invitation.html", context, status=status)

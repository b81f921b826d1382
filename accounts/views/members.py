"""Pages of an organisation's people for those who manage them: members, roles, requests, invitations."""

from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts import forms
from accounts.domain.errors import Invalid, NotFound, Refused, invalid
from accounts.domain.roles import MANAGER, ORGANISATION_ROLES, By, Place
from accounts.models import Organisation, RoleGrant
from accounts.permissions import actor_of, require
from accounts.selectors import memberships
from accounts.selectors.joining import open_invitations, open_requests
from accounts.selectors.organisations import organisation_by_id, region_by_id
from accounts.selectors.users import person_named
from accounts.services.access import access_ask
from accounts.services.invitations import invitation_send, invitation_withdraw
from accounts.services.joining import joining_set
from accounts.services.memberships import role_grant, role_grant_to_new, role_revoke, second_ask
from accounts.views.language import page_to_return_to
from accounts.views.pages import act, by_of, edits, in_full, reads, shown, writes

PAGE = 50


def values_of(form: Form) -> dict[str, Any]:
    """Return the values of a form that is not shown again with its errors; raise `Invalid` if it is not
    valid."""
    if not form.is_valid():
        raise Invalid([])
    return form.cleaned_data


@reads
def people(request: HttpRequest) -> HttpResponse:
    """List the organisations whose members the reader may see, or find people of them by name, address or
    organisation; if there is only one organisation and nothing is searched for, redirect to it."""
    actor = actor_of(request.user)
    search = forms.FindForm(request.GET)
    text = search.cleaned_data["q"] if search.is_valid() else ""
    rows = memberships.organisations_to_read(actor, text)
    runs_platform = actor.may("administer", Place(None))
    if not runs_platform and not text and rows.count() == 1:
        return redirect("accounts:members", rows.get().pk)
    number = request.GET.get("page")
    context = {
        "found": Paginator(memberships.people_to_read(actor, text), PAGE).get_page(number) if text else None,
        "page": Paginator(rows, PAGE).get_page(number),
        "search": search,
        "text": text,
        "runs_platform": runs_platform,
    }
    return render(request, "accounts/people.html", context)


@reads
def members(request: HttpRequest, organisation_id: UUID, **more: Any) -> HttpResponse:
    return _page(request, memberships.organisation_to_read(actor_of(request.user), organisation_id), **more)


@edits
def invite(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Invite a person: managers do so on the page of the members; a coordinator of the region invites the
    first manager on a page of its own."""
    organisation, manages = _invites(request, organisation_id)
    is_sent = request.method == "POST"
    if manages and not is_sent:
        return redirect("accounts:members", organisation.pk)
    form = (forms.InviteForm if manages else forms.FirstManagerForm)(request.POST if is_sent else None)
    return act(
        request,
        partial(_page if manages else _first_manager, request, organisation),
        lambda by, data: invitation_send(
            by,
            organisation=organisation,
            email=data["email"],
            roles=data.get("roles", [MANAGER]),
            lifetime=form.lifetime(),
        ),
        to=reverse("accounts:members" if manages else "accounts:invite", args=[organisation.pk]),
        done=lambda invitation: gettext("{email} is invited.").format(email=invitation.email),
        form=form,
        name="invite_form" if manages else "form",
        shows=in_full,
        raises=(NotFound,),
    )


@writes
def invitation_end(request: HttpRequest, organisation_id: UUID, invitation_id: UUID) -> HttpResponse:
    organisation, manages = _invites(request, organisation_id)
    return act(
        request,
        partial(_page if manages else _first_manager, request, organisation),
        lambda by, _: invitation_withdraw(by, invitation_id=invitation_id),
        to=reverse("accounts:members" if manages else "accounts:invite", args=[organisation.pk]),
        done=gettext("The invitation is withdrawn and can no longer be used."),
        shows=in_full,
    )


def _invites(request: HttpRequest, organisation_id: UUID) -> tuple[Organisation, bool]:
    """Return an organisation that the reader may invite people to, and whether they manage its members
    (otherwise they coordinate its region). Raise `NotPermitted`."""
    actor, organisation = actor_of(request.user), organisation_by_id(organisation_id)
    manages = actor.may("manage-members", memberships.place_of(organisation))
    if not manages:
        require(actor, "manage-organisations", memberships.place_of(organisation))
    return organisation, manages


@edits
def joining(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Set an organisation's mail domains, and whether an address there is enough to join."""
    organisation = _managed(request, organisation_id)
    present = {name: getattr(organisation, name) for name in forms.JoiningForm.base_fields}
    form = forms.JoiningForm(request.POST if request.method == "POST" else None, initial=present)
    return act(
        request,
        partial(shown, request, "accounts/joining.html", organisation=organisation),
        lambda by, data: joining_set(by, organisation=organisation, **data),
        to=reverse("accounts:members", args=[organisation.pk]),
        done=gettext("Saved."),
        form=form,
        shows=in_full,
    )


@writes
def role_give(request: HttpRequest, organisation_id: UUID, user_id: UUID) -> HttpResponse:
    """Give a member of an organisation one of its roles."""
    organisation = _managed(request, organisation_id)
    member = memberships.member_by_id(organisation, user_id)
    form = forms.RoleForm(request.POST)
    return act(
        request,
        partial(_page, request, organisation, opened_id=user_id),
        lambda by, _: _given(
            by, role_grant(by, user=member.user, role=values_of(form)["role"], organisation=organisation)
        ),
        to=reverse("accounts:members", args=[organisation.pk]),
        done=str,
        shows=in_full,
        raises=(NotFound,),
    )


def _given(by: By, grant: RoleGrant) -> str:
    """Return what is said after a role was given: whether it is new."""
    if grant.granted_at == by.now:
        return gettext("The role is given and takes effect at once.")
    return gettext("Nothing changed: the person has this role already.")


@writes
def role_take(request: HttpRequest, role_id: UUID) -> HttpResponse:
    """Revoke a role; a refusal is shown on the page that lists the role."""
    actor, form = actor_of(request.user), forms.TakeForm(request.POST)

    def page(**context: Any) -> HttpResponse:
        grant = memberships.grant_by_id(actor, role_id)
        organisation = grant.organisation
        if grant.role not in ORGANISATION_ROLES and actor.may("administer", Place(None)):
            return _roles(request, **context)
        if organisation and actor.may("read-members", memberships.place_of(organisation)):
            return _page(request, organisation, opened_id=grant.user_id, **context)
        raise context["refused"]

    def to(grant: RoleGrant) -> str:
        if actor.user_id == grant.user_id:
            return reverse("accounts:organisations")
        if grant.organisation_id:
            return reverse("accounts:members", args=[grant.organisation_id])
        return reverse("accounts:roles")

    return act(
        request,
        page,
        lambda by, _: role_revoke(by, grant_id=role_id, reason=values_of(form)["reason"]),
        to=to,
        done=gettext("The role has been removed and no longer gives access."),
        shows=in_full,
    )


@writes
def second(request: HttpRequest) -> HttpResponse:
    """Ask for the appointment of a second person, and go back to the page that said that there is none."""
    data = values_of(forms.SecondForm(request.POST))
    second_ask(
        by_of(request),
        code=data["code"],
        organisation=organisation_by_id(data["organisation"]) if data["organisation"] else None,
        region=region_by_id(data["region"]) if data["region"] else None,
    )
    messages.success(request, gettext("The people who can give the role have been asked."))
    return redirect(page_to_return_to(request, data["next"]))


@writes
def access(request: HttpRequest) -> HttpResponse:
    """Ask for a role after a refusal."""
    form = forms.AccessForm(request.POST)
    if not form.is_valid():
        raise invalid("refusal", "unknown-act")
    data = form.cleaned_data
    access_ask(
        by_of(request),
        organisation=organisation_by_id(data["organisation"]) if data["organisation"] else None,
        **data["refusal"],
    )
    messages.success(request, gettext("The people who can give the role have been asked."))
    return redirect("accounts:organisations")


@edits
def roles(request: HttpRequest) -> HttpResponse:
    """List the roles of regions and of the platform, for administrators."""
    require(actor_of(request.user), "administer", Place(None))

    def work(by: By, data: dict[str, Any]) -> str:
        user, given = person_named(data["user"]), {"role": data["role"], "region": data["region"]}
        if user is None and "create" in request.POST:
            return _given(by, role_grant_to_new(by, email=data["user"], **given))
        return _given(by, role_grant(by, user=user, **given))

    return act(
        request,
        partial(_roles, request),
        work,
        to=reverse("accounts:roles"),
        done=str,
        form=forms.PlatformRoleForm(
            request.POST if request.method == "POST" else None, actor=actor_of(request.user)
        ),
        shows=in_full,
        raises=(NotFound,),
    )


def _roles(
    request: HttpRequest,
    *,
    form: forms.PlatformRoleForm | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form or forms.PlatformRoleForm(actor=actor_of(request.user)),
        "grants": memberships.platform_grants(),
        "conflicts": memberships.people_in_conflict(),
        "refused": refused,
        "may_create": isinstance(refused, Invalid)
        and any(problem.code == "unknown-person" for problem in refused.problems),
    }
    return render(request, "accounts/roles.html", context, status=status)


def _first_manager(
    request: HttpRequest,
    organisation: Organisation,
    *,
    form: forms.FirstManagerForm | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the page for inviting an organisation's first manager, where open invitations of that kind can be
    withdrawn."""
    is_managed = memberships.has_manager(organisation.pk)
    context = {
        "organisation": organisation,
        "is_managed": is_managed,
        "form": form or forms.FirstManagerForm(),
        "invitations": [] if is_managed else open_invitations(organisation).filter(roles=[MANAGER]),
        "refused": refused,
        "now": timezone.now(),
    }
    return render(request, "accounts/first_manager.html", context, status=status)


def _managed(request: HttpRequest, organisation_id: UUID) -> Organisation:
    """Return an organisation whose members the reader manages; raise `NotPermitted` otherwise."""
    actor = actor_of(request.user)
    organisation = memberships.organisation_to_read(actor, organisation_id)
    require(actor, "manage-members", memberships.place_of(organisation))
    return organisation


def _page(
    request: HttpRequest, organisation: Organisation, *, status: int = 200, **more: Any
) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    search = forms.FindForm(request.GET)
    text = search.cleaned_data["q"] if search.is_valid() else ""
    manages = actor.may("manage-members", memberships.place_of(organisation))
    rows = memberships.members_of(organisation, text)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    memberships.with_limits(
        grant
        for member in page
        for grant in member.user.held  # type: ignore[attr-defined]
    )
    for member in page:
        whole = {grant.role for grant in member.user.held if not (grant.facility_id or grant.instrument_id)}  # type: ignore[attr-defined]
        member.offered_roles = [choice for choice in forms.MEMBERS_ROLES if choice[0] not in whole]  # type: ignore[attr-defined]
    context = {
        "organisation": organisation,
        "manages": manages,
        "lacks_manager": manages
        and MANAGER not in {grant.role for grant in actor.grants}
        and not memberships.has_manager(organisation.pk),
        "runs_platform": actor.may("administer", Place(None)),
        "page": page,
        "former": memberships.former_members(organisation, now) if manages else [],
        "requests": open_requests(organisation) if manages else [],
        "invitations": open_invitations(organisation) if manages else [],
        "invite_form": forms.InviteForm(),
        "role_form": forms.RoleForm(),
        "joining_roles": forms.JOINING_ROLES,
        "provisions": organisation.pk in actor.organisations_where("manage-members"),
        "directory_address": settings.SITE_URL + reverse("scim", args=[organisation.pk]),
        "search": search,
        "text": text,
        "now": now,
        **more,
    }
    return render(request, "accounts/members.html", context, status=status)

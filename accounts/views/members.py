"""People of an organisation, for those who manage them: members, roles, requests, invitations."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.domain.errors import Invalid, NotFound, Refused
from accounts.domain.roles import MANAGER, ORGANISATION_ROLES, By, Place
from accounts.forms import (
    FindForm,
    FirstManagerForm,
    InviteForm,
    JoinDecideForm,
    JoiningForm,
    PlatformRoleForm,
    RoleForm,
    SecondForm,
    TakeForm,
)
from accounts.models import Organisation
from accounts.permissions import actor_of, require
from accounts.selectors.joining import open_invitations, open_requests
from accounts.selectors.memberships import (
    former_members,
    grant_by_id,
    has_manager,
    member_by_id,
    members_of,
    organisation_to_read,
    organisations_to_read,
    people_in_conflict,
    place_of,
    platform_grants,
)
from accounts.selectors.organisations import (
    organisation_by_id,
    region_by_id,
    regions,
)
from accounts.selectors.users import person_named
from accounts.services.invitations import invitation_send, invitation_withdraw
from accounts.services.joining import join_decide, joining_set
from accounts.services.memberships import role_grant, role_grant_to_new, role_revoke, second_ask
from accounts.views.language import page_to_return_to
from accounts.views.pages import act, by_of, edits, in_full, reads, shown, writes

PAGE = 50


def values_of(form: Form) -> dict[str, Any]:
    """What a form says whose fields no page shows again; `Invalid` where it is wrong."""
    if not form.is_valid():
        raise Invalid([])
    return form.cleaned_data


@reads
def people(request: HttpRequest) -> HttpResponse:
    """The organisations whose people the reader may look at; straight on to an only one."""
    actor = actor_of(request.user)
    search = FindForm(request.GET)
    text = search.cleaned_data["q"] if search.is_valid() else ""
    rows = organisations_to_read(actor, text)
    runs_platform = actor.may("administer", Place(None))
    if not runs_platform and not text and rows.count() == 1:
        return redirect("accounts:members", rows.get().pk)
    context = {
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "search": search,
        "text": text,
        "runs_platform": runs_platform,
    }
    return render(request, "accounts/people.html", context)


@reads
def members(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    return _page(request, organisation_to_read(actor_of(request.user), organisation_id))


@edits
def invite(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Managers invite on the page of the members; a coordinator of the region invites the first
    manager here."""
    organisation, manages = _invites(request, organisation_id)
    is_sent = request.method == "POST"
    if manages and not is_sent:
        return redirect("accounts:members", organisation.pk)
    form = (InviteForm if manages else FirstManagerForm)(request.POST if is_sent else None)
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
def invitation_end(
    request: HttpRequest, organisation_id: UUID, invitation_id: UUID
) -> HttpResponse:
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
    """An organisation that the reader may invite people to, and whether they manage its members;
    else they coordinate its region."""
    actor, organisation = actor_of(request.user), organisation_by_id(organisation_id)
    manages = actor.may("manage-members", place_of(organisation))
    if not manages:
        require(actor, "manage-organisations", place_of(organisation))
    return organisation, manages


@writes
def decide(request: HttpRequest, organisation_id: UUID, request_id: UUID) -> HttpResponse:
    organisation = _managed(request, organisation_id)
    form = JoinDecideForm(request.POST)
    approves = request.POST.get("act") == "approve"

    def work(by: By, _: Any) -> None:
        data = values_of(form)
        join_decide(
            by,
            request_id=request_id,
            approve=approves,
            roles=data["roles"],
            reason=data["reason"],
        )

    reason = request.POST.get("reason", "")
    return act(
        request,
        partial(_page, request, organisation, deciding_id=request_id, reason=reason),
        work,
        to=reverse("accounts:members", args=[organisation.pk]),
        done=gettext("The person is a member now.")
        if approves
        else gettext("The request is declined."),
        shows=in_full,
    )


@edits
def joining(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Which mail domains are the organisation's, and whether an address there is enough."""
    organisation = _managed(request, organisation_id)
    present = {name: getattr(organisation, name) for name in JoiningForm.base_fields}
    form = JoiningForm(request.POST if request.method == "POST" else None, initial=present)
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
    """Give a member a role of the organisation."""
    organisation = _managed(request, organisation_id)
    member = member_by_id(organisation, user_id)
    form = RoleForm(request.POST)
    return act(
        request,
        partial(_page, request, organisation, opened_id=user_id),
        lambda by, _: role_grant(
            by, user=member.user, role=values_of(form)["role"], organisation=organisation
        ),
        to=reverse("accounts:members", args=[organisation.pk]),
        done=gettext("The role is given and takes effect at once."),
        shows=in_full,
        raises=(NotFound,),
    )


@writes
def role_take(request: HttpRequest, role_id: UUID) -> HttpResponse:
    """Take a role away; what refuses is said on the page that the role stands on."""
    actor = actor_of(request.user)
    grant = grant_by_id(actor, role_id)
    organisation, form = grant.organisation, TakeForm(request.POST)

    def page(**context: Any) -> HttpResponse:
        if grant.role not in ORGANISATION_ROLES and actor.may("administer", Place(None)):
            return _roles(request, **context)
        if organisation and actor.may("read-members", place_of(organisation)):
            return _page(request, organisation, opened_id=grant.user_id, **context)
        raise context["refused"]

    if actor.user_id == grant.user_id:
        to = reverse("accounts:organisations")
    elif organisation:
        to = reverse("accounts:members", args=[organisation.pk])
    else:
        to = reverse("accounts:roles")
    return act(
        request,
        page,
        lambda by, _: role_revoke(by, grant_id=grant.pk, reason=values_of(form)["reason"]),
        to=to,
        done=gettext("The role is removed and gives no more access."),
        shows=in_full,
    )


@writes
def second(request: HttpRequest) -> HttpResponse:
    """Ask for a second person; back to the page that says that there is none."""
    data = values_of(SecondForm(request.POST))
    second_ask(
        by_of(request),
        code=data["code"],
        organisation=organisation_by_id(data["organisation"]) if data["organisation"] else None,
        region=region_by_id(data["region"]) if data["region"] else None,
    )
    messages.success(request, gettext("Whoever may give the role has been asked."))
    return redirect(page_to_return_to(request, data["next"]))


@edits
def roles(request: HttpRequest) -> HttpResponse:
    """Roles of regions and of the platform, for administrators."""
    require(actor_of(request.user), "administer", Place(None))

    def work(by: By, data: dict[str, Any]) -> None:
        user, given = person_named(data["user"]), {"role": data["role"], "region": data["region"]}
        if user is None and "create" in request.POST:
            role_grant_to_new(by, email=data["user"], **given)
        else:
            role_grant(by, user=user, **given)

    return act(
        request,
        partial(_roles, request),
        work,
        to=reverse("accounts:roles"),
        done=gettext("The role is given and takes effect at once."),
        form=PlatformRoleForm(request.POST if request.method == "POST" else None),
        shows=in_full,
        raises=(NotFound,),
    )


def _roles(
    request: HttpRequest,
    *,
    form: PlatformRoleForm | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form or PlatformRoleForm(),
        "grants": platform_grants(),
        "regions": regions(),
        "conflicts": people_in_conflict(),
        "refused": refused,
        "may_create": isinstance(refused, Invalid)
        and any(problem.code == "unknown-person" for problem in refused.problems),
    }
    return render(request, "accounts/roles.html", context, status=status)


def _first_manager(
    request: HttpRequest,
    organisation: Organisation,
    *,
    form: FirstManagerForm | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    """Asking in the first manager; what is open of that kind can be withdrawn."""
    is_managed = has_manager(organisation.pk)
    context = {
        "organisation": organisation,
        "is_managed": is_managed,
        "form": form or FirstManagerForm(),
        "invitations": [] if is_managed else open_invitations(organisation).filter(roles=[MANAGER]),
        "refused": refused,
        "now": timezone.now(),
    }
    return render(request, "accounts/first_manager.html", context, status=status)


def _managed(request: HttpRequest, organisation_id: UUID) -> Organisation:
    """An organisation whose people the reader manages; `NotPermitted` for any other."""
    actor = actor_of(request.user)
    organisation = organisation_to_read(actor, organisation_id)
    require(actor, "manage-members", place_of(organisation))
    return organisation


def _page(
    request: HttpRequest,
    organisation: Organisation,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    search = FindForm(request.GET)
    text = search.cleaned_data["q"] if search.is_valid() else ""
    manages = actor.may("manage-members", place_of(organisation))
    context = {
        "organisation": organisation,
        "manages": manages,
        "lacks_manager": manages
        and MANAGER not in {grant.role for grant in actor.grants}
        and not has_manager(organisation.pk),
        "runs_platform": actor.may("administer", Place(None)),
        "page": Paginator(members_of(organisation, text), PAGE).get_page(request.GET.get("page")),
        "former": former_members(organisation, now) if manages else [],
        "requests": open_requests(organisation) if manages else [],
        "invitations": open_invitations(organisation) if manages else [],
        "invite_form": InviteForm(),
        "role_form": RoleForm(),
        "joining_roles": RoleForm.base_fields["role"].choices,  # type: ignore[attr-defined]
        "search": search,
        "text": text,
        "now": now,
        **more,
    }
    return render(request, "accounts/members.html", context, status=status)

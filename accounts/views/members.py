"""People of an organisation, for those who manage them: members, roles, requests, invitations."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.errors import Invalid, NotFound, NotPermitted, Refused, WrongState
from accounts.domain.roles import MANAGER, ORGANISATION_ROLES, By, DutiesConflict, Place
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
    region_by_code,
    region_by_id,
    regions,
)
from accounts.selectors.users import person_named
from accounts.services.invitations import invitation_send, invitation_withdraw
from accounts.services.joining import join_decide, joining_set
from accounts.services.memberships import role_grant, role_grant_to_new, role_revoke, second_ask
from accounts.views.language import page_to_return_to

PAGE = 50
REFUSALS = (WrongState, Invalid, DutiesConflict)


def status_of(refused: Refused) -> int:
    """The status of the page that says why."""
    match refused:
        case Invalid():
            return 400
        case NotPermitted():
            return 403
        case WrongState():
            return 409
        case _:
            return 422


@login_required
@require_safe
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


@login_required
@require_safe
def members(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    return _page(request, organisation_to_read(actor_of(request.user), organisation_id))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Managers invite on the page of the members; a coordinator of the region invites the first
    manager here."""
    now, actor = timezone.now(), actor_of(request.user)
    organisation = organisation_by_id(organisation_id)
    if not actor.may("manage-members", place_of(organisation)):
        require(actor, "manage-organisations", place_of(organisation))
        return _first_manager(request, organisation)
    if request.method != "POST":
        return redirect("accounts:members", organisation.pk)
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, organisation, status=400, invite_form=form)
    try:
        made = invitation_send(
            By(actor, now),
            organisation=organisation,
            email=form.cleaned_data["email"],
            roles=form.cleaned_data["roles"],
            lifetime=form.lifetime(),
        )
    except REFUSALS as refused:
        return _page(request, organisation, refused=refused, invite_form=form)
    messages.success(request, gettext("{email} is invited.").format(email=made.email))
    return redirect("accounts:members", organisation.pk)


@login_required
@require_POST
def invitation_end(
    request: HttpRequest, organisation_id: UUID, invitation_id: UUID
) -> HttpResponse:
    actor, now = actor_of(request.user), timezone.now()
    organisation = organisation_by_id(organisation_id)
    manages = actor.may("manage-members", place_of(organisation))
    if not manages:
        require(actor, "manage-organisations", place_of(organisation))
    try:
        invitation_withdraw(By(actor, now), invitation_id=invitation_id)
    except REFUSALS as refused:
        if not manages:
            return _first_manager(request, organisation, refused)
        return _page(request, organisation, refused=refused)
    messages.success(request, gettext("The invitation is withdrawn and can no longer be used."))
    return redirect("accounts:members" if manages else "accounts:invite", organisation.pk)


@login_required
@require_POST
def decide(request: HttpRequest, organisation_id: UUID, request_id: UUID) -> HttpResponse:
    organisation = _managed(request, organisation_id)
    form = JoinDecideForm(request.POST)
    if not form.is_valid():
        return _page(request, organisation, status=400, refused=Refused("invalid"))
    approve = form.cleaned_data["act"] == "approve"
    try:
        join_decide(
            By(actor_of(request.user), timezone.now()),
            request_id=request_id,
            approve=approve,
            roles=form.cleaned_data["roles"],
            reason=form.cleaned_data["reason"],
        )
    except REFUSALS as refused:
        more = {"deciding_id": request_id, "reason": form.cleaned_data["reason"]}
        return _page(request, organisation, refused=refused, **more)
    text = (
        gettext("The person is a member now.") if approve else gettext("The request is declined.")
    )
    messages.success(request, text)
    return redirect("accounts:members", organisation.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def joining(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Which mail domains are the organisation's, and whether an address there is enough."""
    organisation = _managed(request, organisation_id)
    present = {
        "mail_domains": "\n".join(organisation.mail_domains),
        "admits_by_mail": organisation.admits_by_mail,
    }
    form = JoiningForm(request.POST if request.method == "POST" else None, initial=present)
    status, refused = 200, None
    if form.is_bound and form.is_valid():
        try:
            joining_set(
                By(actor_of(request.user), timezone.now()),
                organisation=organisation,
                mail_domains=form.domains(),
                admits_by_mail=form.cleaned_data["admits_by_mail"],
            )
        except Invalid as problem:
            refused, status = problem, 400
        else:
            messages.success(request, gettext("Saved."))
            return redirect("accounts:members", organisation.pk)
    elif form.is_bound:
        status = 400
    context = {"organisation": organisation, "form": form, "refused": refused}
    return render(request, "accounts/joining.html", context, status=status)


@login_required
@require_POST
def role_give(request: HttpRequest, organisation_id: UUID, user_id: UUID) -> HttpResponse:
    """Give a member a role of the organisation."""
    organisation = _managed(request, organisation_id)
    member = member_by_id(organisation, user_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _page(request, organisation, status=400, refused=Refused("invalid"))
    try:
        role_grant(
            By(actor_of(request.user), timezone.now()),
            user=member.user,
            role=form.cleaned_data["role"],
            organisation=organisation,
        )
    except (*REFUSALS, NotPermitted) as refused:
        return _page(request, organisation, refused=refused, opened_id=user_id)
    messages.success(request, gettext("The role is given and takes effect at once."))
    return redirect("accounts:members", organisation.pk)


@login_required
@require_POST
def role_take(request: HttpRequest, role_id: UUID) -> HttpResponse:
    """Take a role away; what refuses is said on the page that the role stands on."""
    actor = actor_of(request.user)
    grant = grant_by_id(actor, role_id)
    form = TakeForm(request.POST)
    is_of_organisation = grant.role in ORGANISATION_ROLES
    try:
        if not form.is_valid():
            raise Invalid([])
        role_revoke(
            By(actor, timezone.now()), grant_id=grant.pk, reason=form.cleaned_data["reason"]
        )
    except REFUSALS as refused:
        if not is_of_organisation and actor.may("administer", Place(None)):
            return _roles(request, PlatformRoleForm(), refused)
        if grant.organisation and actor.may("read-members", place_of(grant.organisation)):
            return _page(request, grant.organisation, refused=refused, opened_id=grant.user_id)
        raise
    messages.success(request, gettext("The role is removed and gives no more access."))
    if actor.user_id == grant.user_id:
        return redirect("accounts:organisations")
    if grant.organisation:
        return redirect("accounts:members", grant.organisation.pk)
    return redirect("accounts:roles")


@login_required
@require_POST
def second(request: HttpRequest) -> HttpResponse:
    """Ask for a second person; back to the page that says that there is none."""
    form = SecondForm(request.POST)
    if not form.is_valid():
        raise Invalid([])
    data = form.cleaned_data
    second_ask(
        By(actor_of(request.user), timezone.now()),
        code=data["code"],
        organisation=organisation_by_id(data["organisation"]) if data["organisation"] else None,
        region=region_by_id(data["region"]) if data["region"] else None,
    )
    messages.success(request, gettext("Whoever may give the role has been asked."))
    return redirect(page_to_return_to(request, data["next"]))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def roles(request: HttpRequest) -> HttpResponse:
    """Roles of regions and of the platform, for administrators."""
    actor = actor_of(request.user)
    require(actor, "administer", Place(None))
    form = PlatformRoleForm(request.POST if request.method == "POST" else None)
    if form.is_bound and not form.is_valid():
        return _roles(request, form, status=400)
    if not form.is_bound:
        return _roles(request, form)
    data = form.cleaned_data
    try:
        region = region_by_code(data["region"]) if data["region"] else None
    except NotFound:
        form.add_error("region", gettext("There is no such region."))
        return _roles(request, form, status=400)
    try:
        user, now, given = person_named(data["user"]), timezone.now(), {"role": data["role"]}
        if user is None and "create" in request.POST:
            role_grant_to_new(By(actor, now), email=data["user"], region=region, **given)
        else:
            role_grant(By(actor, now), user=user, region=region, **given)
    except (*REFUSALS, NotPermitted) as refused:
        return _roles(request, form, refused)
    messages.success(request, gettext("The role is given and takes effect at once."))
    return redirect("accounts:roles")


def _roles(
    request: HttpRequest,
    form: PlatformRoleForm,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "grants": platform_grants(),
        "regions": regions(),
        "conflicts": people_in_conflict(),
        "refused": refused,
        "may_create": isinstance(refused, Invalid)
        and any(problem.code == "unknown-person" for problem in refused.problems),
    }
    status = status_of(refused) if refused else status
    return render(request, "accounts/roles.html", context, status=status)


def _first_manager(
    request: HttpRequest, organisation: Organisation, refused: Refused | None = None
) -> HttpResponse:
    """Asking in the first manager; what is open of that kind can be withdrawn."""
    is_sent = request.method == "POST" and refused is None
    form = FirstManagerForm(request.POST if is_sent else None)
    status = status_of(refused) if refused else 400 if is_sent else 200
    if is_sent and form.is_valid():
        try:
            sent = invitation_send(
                By(actor_of(request.user), timezone.now()),
                organisation=organisation,
                email=form.cleaned_data["email"],
                roles=[MANAGER],
                lifetime=form.lifetime(),
            )
        except (*REFUSALS, NotPermitted) as problem:
            refused, status = problem, status_of(problem)
        else:
            messages.success(request, gettext("{email} is invited.").format(email=sent.email))
            return redirect("accounts:invite", organisation.pk)
    is_managed = has_manager(organisation.pk)
    context = {
        "organisation": organisation,
        "is_managed": is_managed,
        "form": form,
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
    refused: Refused | None = None,
    status: int = 200,
    invite_form: InviteForm | None = None,
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
        "invite_form": invite_form or InviteForm(),
        "role_form": RoleForm(),
        "joining_roles": RoleForm.base_fields["role"].choices,  # type: ignore[attr-defined]
        "search": search,
        "text": text,
        "now": now,
        "refused": refused,
        **more,
    }
    status = status_of(refused) if refused else status
    return render(request, "accounts/members.html", context, status=status)

"""Inviting the people of a file (a preview of each row, then all of them or nobody), and giving a member a
role for some facilities and instruments."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.domain.errors import NotPermitted, Refused
from accounts.domain.people import PeopleRefused, PeopleReport, Verdict
from accounts.models import Organisation
from accounts.permissions import actor_of, require, require_somewhere
from accounts.selectors.memberships import (
    grants_for,
    member_by_id,
    organisation_to_read,
    place_of,
    with_limits,
)
from accounts.selectors.organisations import organisation_by_id
from accounts.services.memberships import roles_grant_limited
from accounts.services.people import people_invite
from accounts.views.pages import act, chooses, edits, in_full, shown
from bookings.organisations.adapters.register_files import people_of
from bookings.organisations.forms.organisations import LimitsForm
from bookings.plans.forms.imports import FileForm
from instruments.register.models import Instrument
from instruments.register.selectors.registry import facilities


@edits
@chooses("preview", "invite")
def members(request: HttpRequest, organisation_id: UUID, choice: str) -> HttpResponse:
    """Invite people of one organisation."""
    actor = actor_of(request.user)
    organisation = organisation_by_id(organisation_id)
    place = place_of(organisation)
    if not (actor.may("manage-members", place) or actor.may("manage-organisations", place)):
        raise NotPermitted
    return _page(request, organisation, choice)


@edits
@chooses("preview", "invite")
def people(request: HttpRequest, choice: str) -> HttpResponse:
    """Invite people of several organisations; each row names one."""
    try:
        require_somewhere(actor_of(request.user), "manage-members", whole=True)
    except NotPermitted:
        require_somewhere(actor_of(request.user), "manage-organisations")
    return _page(request, None, choice)


@edits
def limits(request: HttpRequest, organisation_id: UUID, user_id: UUID) -> HttpResponse:
    """Give a member a role that is limited to facilities and instruments of the organisation."""
    actor = actor_of(request.user)
    organisation = organisation_to_read(actor, organisation_id)
    require(actor, "manage-members", place_of(organisation))
    member = member_by_id(organisation, user_id)
    choices = {
        "facilities": facilities().filter(organisation=organisation),
        "instruments": Instrument.objects.filter(organisation=organisation)
        .exclude(publication=Instrument.Publication.RETIRED)
        .select_related("facility")
        .order_by("name", "pk"),
    }
    form = LimitsForm(request.POST or None, choices=choices)
    return act(
        request,
        partial(
            shown,
            request,
            "bookings/organisations/member_limits.html",
            organisation=organisation,
            member=member.user,
            held=with_limits(grants_for(actor).filter(user=member.user, organisation=organisation)),
        ),
        lambda by, data: roles_grant_limited(by, user=member.user, organisation=organisation, **data),
        to=reverse("accounts:members", args=[organisation.pk]),
        done=gettext("The role is given and takes effect at once."),
        form=form,
        shows=in_full,
    )


def _page(request: HttpRequest, organisation: Organisation | None, choice: str) -> HttpResponse:
    actor, is_sent = actor_of(request.user), request.method == "POST"
    form = FileForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    is_preview = choice == "preview"
    reads = organisation is not None and actor.may("read-members", place_of(organisation))

    def page(report: PeopleReport | None = None, **context: Any) -> HttpResponse:
        context |= {
            "organisation": organisation,
            "report": report,
            "counts": {v.value: report.count(v) for v in Verdict} if report else {},
            "reads": reads,
        }
        return shown(request, "bookings/organisations/people_import.html", **context)

    def done(report: PeopleReport) -> str:
        n = report.count(Verdict.INVITE)
        text = ngettext("{n} person is invited.", "{n} people are invited.", n)
        return "" if is_preview else text.format(n=n)

    def to(report: PeopleReport) -> str | HttpResponse:
        if is_preview:
            return page(report, form=form)
        if organisation is not None and reads:
            return reverse("accounts:members", args=[organisation.pk])
        return request.path

    def rows_refused(refused: Refused) -> dict[str, Any]:
        if not isinstance(refused, PeopleRefused):
            raise refused
        return {"report": refused.report, "is_refused": True}

    return act(
        request,
        page,
        lambda by, data: people_invite(
            by, rows=people_of(data["bytes"]), organisation=organisation, dry_run=is_preview
        ),
        to=to,
        done=done,
        form=form,
        shows=rows_refused,
    )

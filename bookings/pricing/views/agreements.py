"""Pages of agreements between regions: read by people of the members, edited by their coordinators."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.memberships import no_second
from accounts.selectors.organisations import sharing_regions
from accounts.views.pages import act, by_of, edits, reads, shown, writes
from bookings.pricing.forms.agreements import AgreementEndForm, AgreementForm, SignForm, initial_of
from bookings.pricing.models import Agreement
from bookings.pricing.selectors import agreements as agreement_selectors
from bookings.pricing.services.agreements import (
    agreement_change,
    agreement_end,
    agreement_propose,
    agreement_sign,
)
from bookings.record.views.lists import ListPage

FORM = "bookings/pricing/agreement_form.html"


def _shown(row: Agreement, by: By) -> dict[str, Any]:
    members = list(row.members.all())
    return {
        "row": row,
        "members": members,
        "state": agreement_selectors.state_on(row, agreement_selectors.today_in(members, by.now)),
    }


LIST = ListPage(
    "bookings/pricing/agreements.html",
    agreement_selectors.AGREEMENTS,
    shown=_shown,
    size=20,
    orders={"name": _("Name"), "valid_from": _("Earliest first"), "valid_until": _("Ending soonest first")},
)


@reads
def agreements(request: HttpRequest) -> HttpResponseBase:
    """List the agreements of the reader's regions, the newest first."""
    by = by_of(request)
    return LIST.answer(request, by, may_propose=bool(agreement_selectors.own_regions(by.actor)))


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Propose an agreement."""
    by = by_of(request)
    own = agreement_selectors.own_regions(by.actor)
    if not own:
        raise NotPermitted(capability="coordinate")
    initial = {
        "regions": [str(region.pk) for region in own],
        "valid_from": agreement_selectors.today_in(own, by.now),
    }
    form = _form(request, initial)
    return act(
        request,
        partial(shown, request, FORM),
        lambda by, _: agreement_propose(by, terms=form.terms()),
        to=lambda created: _address(created.pk),
        done=gettext("Proposed. It is in force once every region has signed it."),
        form=form,
    )


@reads
def one(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Show what an agreement says, and who has signed it."""
    return _page(request, agreement_id)


@edits
def change(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Change a proposal."""
    actor = actor_of(request.user)
    row = agreement_selectors.agreement_by_id(actor, agreement_id)
    if not any(agreement_selectors.coordinates(actor, member.region) for member in row.members.all()):
        raise NotPermitted(capability="coordinate")
    form = _form(request, initial_of(row))
    return act(
        request,
        partial(shown, request, FORM, agreement=row),
        lambda by, _: agreement_change(by, agreement_id=row.pk, changes=form.values()),
        to=_address(row.pk),
        done=gettext("Changed. Every region has to sign the new terms."),
        form=form,
    )


@writes
def sign(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Sign the version that the page showed, for one region."""
    return act(
        request,
        partial(_page, request, agreement_id),
        lambda by, data: agreement_sign(by, agreement_id=agreement_id, region_id=data["region"]),
        to=_address(agreement_id),
        done=lambda signed: (
            gettext("Signed. Every region has signed: the agreement applies on its days.")
            if signed.signed_at
            else gettext("Signed. Waiting for the other regions.")
        ),
        form=SignForm(request.POST),
        name="sign_form",
    )


@writes
def end(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """End an agreement early, or withdraw a proposal."""
    return act(
        request,
        partial(_page, request, agreement_id),
        lambda by, data: agreement_end(
            by, agreement_id=agreement_id, valid_until=data["valid_until"], reason=data["reason"]
        ),
        to=_address(agreement_id),
        done=lambda row: gettext("Ended.") if row.signed_at else gettext("Withdrawn."),
        form=AgreementEndForm(request.POST),
        name="end_form",
    )


def _address(agreement_id: UUID) -> str:
    return reverse("bookings:money-agreements-one", args=[agreement_id])


def _form(request: HttpRequest, initial: dict[str, Any]) -> AgreementForm:
    data = request.POST if request.method == "POST" else None
    return AgreementForm(data, regions=list(sharing_regions()), initial=initial)


def _page(request: HttpRequest, agreement_id: UUID, *, status: int = 200, **forms: Any) -> HttpResponse:
    by = by_of(request)
    row = agreement_selectors.agreement_by_id(by.actor, agreement_id)
    about = _shown(row, by)
    own = {m.region_id for m in about["members"] if agreement_selectors.coordinates(by.actor, m.region)}
    context = {
        **about,
        "own": own,
        "is_proposed": about["state"] == "proposed",
        "may_end": bool(own) and about["state"] in {"proposed", "coming", "in_force"},
        "end_form": AgreementEndForm(initial={"version": row.version}),
        "alike": agreement_selectors.agreements_alike(row, [m.region_id for m in about["members"]]),
        "waiting": [m for m in about["members"] if m.signed_at is None],
        "lacking": [
            (member.region, no_second("coordinate", region=member.region, besides=[]))
            for member in about["members"]
            if about["state"] == "proposed" and member.signed_at is None
        ],
        **forms,
    }
    return render(request, "bookings/pricing/agreement.html", context, status=status)

"""Agreements between regions: read by their people, made by their coordinators."""

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
from bookings.pricing.selectors.agreements import (
    agreement_by_id,
    agreements_alike,
    agreements_for,
    agreements_to_sign,
    coordinates,
    own_regions,
    state_on,
    today_in,
)
from bookings.pricing.services.agreements import (
    agreement_change,
    agreement_end,
    agreement_propose,
    agreement_sign,
)
from bookings.record.adapters.figures import Cell
from bookings.record.views.lists import ListPage

FORM = "bookings/pricing/agreement_form.html"


def _shown(row: Agreement, by: By) -> dict[str, Any]:
    members = list(row.members.all())
    return {"row": row, "members": members, "state": state_on(row, today_in(members, by.now))}


HEADS = ("agreement", "name", "state", "valid_from", "valid_until", "regions")


def _cells(row: Agreement, by: By) -> tuple[Cell, ...]:
    item = _shown(row, by)
    return (
        str(row.pk),
        row.name,
        item["state"],
        row.valid_from.isoformat(),
        row.valid_until.isoformat() if row.valid_until else "",
        ", ".join(member.region.name for member in item["members"]),
    )


LIST = ListPage(
    "bookings/pricing/agreements.html",
    agreements_for,
    waits={"sign": agreements_to_sign},
    shown=_shown,
    sheet=("agreements", HEADS, _cells),
    size=20,
    words=("name", "name_zh"),
    day="valid_from",
    orders={
        "name": _("Name"),
        "valid_from": _("Earliest first"),
        "valid_until": _("Ending soonest first"),
    },
)


@reads
def agreements(request: HttpRequest) -> HttpResponseBase:
    """List the agreements of the reader's regions, the newest first."""
    by = by_of(request)
    waits, rows = LIST.chosen(request, by)
    return LIST.answer(request, by, rows, waits=waits, may_propose=bool(own_regions(by.actor)))


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Propose an agreement."""
    by = by_of(request)
    own = own_regions(by.actor)
    if not own:
        raise NotPermitted(capability="coordinate")
    initial = {"regions": [str(region.pk) for region in own], "valid_from": today_in(own, by.now)}
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
    return _page(request, agreement_by_id(actor_of(request.user), agreement_id))


@edits
def change(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Change a proposal."""
    actor = actor_of(request.user)
    row = agreement_by_id(actor, agreement_id)
    if not any(coordinates(actor, member.region) for member in row.members.all()):
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
    """Sign what the page showed, for one region."""
    row = agreement_by_id(actor_of(request.user), agreement_id)
    return act(
        request,
        partial(_page, request, row),
        lambda by, data: agreement_sign(by, agreement_id=row.pk, region_id=data["region"]),
        to=_address(row.pk),
        done=lambda signed: (
            gettext("Signed. Every region has signed: it is in force on its days.")
            if signed.signed_at
            else gettext("Signed. Waiting for the other regions.")
        ),
        form=SignForm(request.POST),
        name="sign_form",
    )


@writes
def end(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """End an agreement early, or withdraw a proposal."""
    row = agreement_by_id(actor_of(request.user), agreement_id)
    return act(
        request,
        partial(_page, request, row),
        lambda by, data: agreement_end(
            by, agreement_id=row.pk, valid_until=data["valid_until"], reason=data["reason"]
        ),
        to=_address(row.pk),
        done=gettext("Ended.") if row.signed_at else gettext("Withdrawn."),
        form=AgreementEndForm(request.POST),
        name="end_form",
    )


def _address(agreement_id: UUID) -> str:
    return reverse("bookings:money-agreements-one", args=[agreement_id])


def _form(request: HttpRequest, initial: dict[str, Any]) -> AgreementForm:
    data = request.POST if request.method == "POST" else None
    return AgreementForm(data, regions=list(sharing_regions()), initial=initial)


def _page(request: HttpRequest, row: Agreement, *, status: int = 200, **forms: Any) -> HttpResponse:
    by = by_of(request)
    about = _shown(row, by)
    own = {m.region_id for m in about["members"] if coordinates(by.actor, m.region)}
    context = {
        **about,
        "own": own,
        "is_proposed": about["state"] == "proposed",
        "may_end": bool(own) and about["state"] in {"proposed", "coming", "in_force"},
        "end_form": AgreementEndForm(initial={"version": row.version}),
        "alike": agreements_alike(row, [m.region_id for m in about["members"]]),
        "waiting": [m for m in about["members"] if m.signed_at is None],
        "lacking": [
            (member.region, no_second("coordinate", region=member.region, besides=[]))
            for member in about["members"]
            if about["state"] == "proposed" and member.signed_at is None
        ],
        **forms,
    }
    return render(request, "bookings/pricing/agreement.html", context, status=status)

"""The page of a person as their hosts see them, and the list of those whom hosts block."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import Organisation, User
from accounts.permissions import require_somewhere
from accounts.views.pages import act, by_of, reads, sent, writes
from bookings.overview.forms.blocks import BlockForm
from bookings.overview.selectors.person import Known, load_known, person_met
from instruments.policy.selectors.blocks import blocks_made, is_in_force, today_at
from instruments.policy.services.blocks import block_make
from instruments.register.models import HostBlock
from instruments.register.selectors.registry import facilities
from instruments.training.selectors.qualifications import load_certificate, zone_of

PAGE = 50


@reads
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Show what the reader's hosts know of a person, and let the reader block them."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    return _page(request, person_met(by.actor, person_id))


@writes
def block(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Block the person, or an organisation at whose cost they book."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    person = person_met(by.actor, person_id)
    known = load_known(by.actor, person, by.now)
    form = _form(request, person, known)
    return act(
        request,
        partial(_page, request, person, known=known),
        lambda by, data: block_make(by, **form.block()),
        to=reverse("bookings:person", args=[person.pk]),
        done=gettext("Blocked. Bookings that are made already stay: decide on them below."),
        form=form,
    )


@reads
def blocks(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    """List whom the reader's hosts block, and blocked."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    page = Paginator(blocks_made(by.actor), PAGE).get_page(request.GET.get("page"))
    rows = [(row, is_in_force(row, by.now)) for row in page.object_list]
    return render(
        request, "bookings/overview/blocks.html", {"page": page, "rows": rows} | more, status=status
    )


def _form(request: HttpRequest, person: User, known: Known) -> BlockForm:
    by = by_of(request)
    ids = by.actor.organisations_where("manage-instruments")
    rows = Organisation.objects.filter(pk__in=ids, closed_at=None).select_related("region")
    hosts = list(rows.order_by("name", "pk"))
    return BlockForm(
        sent(request),
        person=person,
        payers=known.payers,
        hosts=hosts,
        facilities=list(facilities().filter(organisation__in=ids)),
        today=today_at(hosts[0], by.now) if hosts else by.now.date(),
        contact=User.objects.get(pk=by.actor.person).email,
    )


def _page(
    request: HttpRequest, person: User, *, known: Known | None = None, status: int = 200, **more: Any
) -> HttpResponse:
    by = by_of(request)
    known = known or load_known(by.actor, person, by.now)
    blocks: list[tuple[HostBlock, bool]] = [(row, is_in_force(row, by.now)) for row in known.blocks]
    context = {
        "person": person,
        "known": known,
        "certificates": [
            {"row": row, "state": load_certificate(row).state(zone_of(row), by.now)}
            for row in known.certificates
        ],
        "blocks": blocks,
        "is_blocked": any(holds for _, holds in blocks),
        "is_oneself": person.pk == by.actor.user_id,
        "form": _form(request, person, known),
        "now": by.now,
    }
    return render(request, "bookings/overview/person.html", context | more, status=status)

"""The page of a person as their hosts see them, and the list of those whom hosts block."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.domain.roles import By
from accounts.models import Organisation, User
from accounts.permissions import require_somewhere
from accounts.views.pages import act, by_of, reads, sent, writes
from bookings.catalogue.views.refusals import refusal_text
from bookings.overview.forms.blocks import BlockForm
from bookings.overview.selectors.person import Known, debts_read, defaults_seen, load_known, person_met
from bookings.record.domain.reservations import is_own
from bookings.record.models import Reservation
from bookings.reserving.forms.reservations import CancelManyForm
from bookings.reserving.services.reservations import reservations_cancel
from instruments.policy.selectors.blocks import blocks_made
from instruments.policy.services.blocks import block_make
from instruments.register.models import HostBlock
from instruments.register.selectors.blocks import is_in_force, today_at
from instruments.register.selectors.registry import facilities
from instruments.training.selectors.qualifications import shown_states

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
    require_somewhere(by.actor, "manage-instruments", whole=True)
    person = person_met(by.actor, person_id)
    known = load_known(by.actor, person, by.now)
    form = _form(request, person, known, sent(request))
    return act(
        request,
        partial(_page, request, person, known=known),
        lambda by, data: block_make(by, **form.block()),
        to=reverse("bookings:person", args=[person.pk]),
        done=gettext("Blocked. Bookings that are made already stay: decide on them below."),
        form=form,
    )


@writes
def cancel_bookings(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Cancel several upcoming bookings of the person with one reason; those that cannot be cancelled are
    named and stay."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    person = person_met(by.actor, person_id)
    known = load_known(by.actor, person, by.now)
    coming = _in_the_hosts_name(by, known.coming)
    form = CancelManyForm(request.POST, coming=coming)
    if not form.is_valid():
        ticked = [row.pk for row in coming if f"{row.pk}:{row.version}" in request.POST.getlist("chosen")]
        return _page(request, person, known=known, status=400, cancelling=form, ticked=ticked)
    done, refused = reservations_cancel(by, chosen=form.bookings(), reason=form.cleaned_data["reason"])
    if done:
        text = ngettext("{n} booking cancelled.", "{n} bookings cancelled.", len(done))
        messages.success(request, text.format(n=len(done)))
    by_id = {row.pk: row for row in coming}
    for pk, error in refused:
        messages.error(request, f"{by_id[pk].instrument}: {refusal_text(error)}")
    return redirect("bookings:person", person.pk)


@reads
def blocks(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    """List whom the reader's hosts block, and blocked."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments", whole=True)
    page = Paginator(blocks_made(by.actor), PAGE).get_page(request.GET.get("page"))
    rows = [(row, is_in_force(row, by.now)) for row in page.object_list]
    return render(
        request, "bookings/overview/blocks.html", {"page": page, "rows": rows} | more, status=status
    )


def _in_the_hosts_name(by: By, rows: Sequence[Reservation]) -> list[Reservation]:
    """Return the bookings that the reader cancels for the host, free of charge. Those for the reader, or made
    by them, are left out: they are cancelled by the rules for one's own."""
    return [row for row in rows if not is_own(by.actor.user_id, person=row.user_id, maker=row.made_by_id)]


def _form(request: HttpRequest, person: User, known: Known, data: Any = None) -> BlockForm:
    by = by_of(request)
    ids = by.actor.organisations_where("manage-instruments")
    rows = Organisation.objects.filter(pk__in=ids, closed_at=None).select_related("region")
    hosts = list(rows.order_by("name", "pk"))
    return BlockForm(
        data,
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
            {"row": row, "state": state} for row, state in shown_states(known.certificates, by.now)
        ],
        "blocks": blocks,
        "is_blocked": any(holds for _, holds in blocks),
        "cancellable": [
            row.pk for row in _in_the_hosts_name(by, known.coming) if row.state in ("requested", "confirmed")
        ],
        "is_oneself": person.pk == by.actor.user_id,
        "may_block": bool(by.actor.organisations_where("manage-instruments")),
        "reads_debts": bool(debts_read(by.actor)),
        "defaults": defaults_seen(by.actor, person),
        "form": _form(request, person, known),
        "now": by.now,
    }
    return render(request, "bookings/overview/person.html", context | more, status=status)

"""Pages for people who may operate an instrument alone, and for a person's own certificates."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from accounts.domain.errors import FieldProblem, Refused
from accounts.domain.roles import Actor, By
from accounts.letters.words import listed
from accounts.models import User
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, edits, reads, sent, writes
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_manage
from instruments.training.forms.qualifications import GrantForm, PeopleForm, RevokeForm
from instruments.training.models import Qualification
from instruments.training.selectors import qualifications
from instruments.training.services.qualifications import qualification_revoke, qualifications_grant

PAGE = 50


@edits
def people(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the certificates of the instrument and of its techniques; POST grants one."""
    by = by_of(request)
    instrument = instrument_to_manage(by.actor, instrument_id)
    form = _form(by.actor, instrument, sent(request), by.now)

    def grant(by: By, data: dict[str, Any]) -> tuple[list[Qualification], list[User]]:
        of = None if form.technique else instrument
        return qualifications_grant(
            by,
            users=qualifications.people_to_certify(by.actor, instrument.organisation, data["user"], of),
            issuer=instrument.organisation,
            instrument=of,
            technique=form.technique,
            valid_from=data["valid_from"],
            valid_until=data["valid_until"],
            note=data["note"],
        )

    def shows(refused: Refused) -> None:
        form.refuse([FieldProblem("user", refused.code)])  # the actor's own, or held already

    def done(granted: tuple[list[Qualification], list[User]]) -> str:
        rows, held = granted
        text = gettext("{person} is certified.").format(person=listed([str(row.user) for row in rows]))
        if len(rows) > 1:
            text = ngettext("{n} person is certified.", "{n} people are certified.", len(rows))
            text = text.format(n=len(rows))
        if held:
            already = gettext("Certified already: {people}.")
            text = f"{text} {already.format(people=listed([str(who) for who in held]))}"
        return text

    return act(
        request,
        partial(_page, request, instrument),
        grant,
        to=reverse("instruments:people", args=[instrument.pk]),
        done=done,
        form=form,
        shows=shows,
    )


@writes
def revoke(request: HttpRequest, instrument_id: UUID, qualification_id: UUID) -> HttpResponse:
    """Revoke a certificate; a refusal is shown on the page of the instrument's certificates."""

    def page(**context: Any) -> HttpResponse:
        actor = actor_of(request.user)
        qualifications.qualification_by_id(actor, qualification_id)
        instrument = instrument_to_manage(actor, instrument_id)
        error_id = f"reason-{qualification_id}-error"
        return _page(request, instrument, revoking_id=qualification_id, error_id=error_id, **context)

    def done(row: Qualification) -> str:
        message = gettext("Revoked: {person} may no longer operate it alone.")
        return message.format(person=row.user)

    return act(
        request,
        page,
        lambda by, data: qualification_revoke(by, qualification_id=qualification_id, reason=data["reason"]),
        to=reverse("instruments:people", args=[instrument_id]),
        done=done,
        form=RevokeForm(request.POST),
        name="revoke_form",
    )


@reads
def mine(request: HttpRequest) -> HttpResponse:
    """Show the reader's certificates."""
    by = by_of(request)
    page = Paginator(qualifications.own_certificates(by.actor), PAGE).get_page(request.GET.get("page"))
    certificates = [
        {"row": row, "state": state}
        for row, state in qualifications.shown_states(list(page.object_list), by.now)
    ]
    context = {"page": page, "certificates": certificates}
    return render(request, "instruments/qualifications_own.html", context)


def _form(actor: Actor, instrument: Instrument, data: Any, now: datetime) -> GrantForm:
    # A certificate for a technique counts on other instruments too.
    whole = actor.may("manage-instruments", place_of(instrument.organisation))
    return GrantForm(
        data,
        actor=actor,
        techniques=qualifications.techniques_at(instrument) if whole else (),
        today=local_date(ZoneInfo(instrument.facility.time_zone), now),
        needed=qualifications.needed_for(instrument),
    )


def _page(
    request: HttpRequest,
    instrument: Instrument,
    *,
    form: GrantForm | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    now = timezone.now()
    zone = ZoneInfo(instrument.facility.time_zone)
    search = PeopleForm(request.GET)
    who = search.cleaned_data["q"] if search.is_valid() else ""
    rows = qualifications.certificates_at(instrument, local_date(zone, now), who)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    needed = qualifications.needed_for(instrument)
    context |= {
        "instrument": instrument,
        "now": now,
        "form": form or _form(actor_of(request.user), instrument, None, now),
        "search": search,
        "is_filtered": bool(who),
        "page": page,
        "certificates": [
            {"row": row, "state": state, "counts": not needed or qualifications.counts(row, instrument)}
            for row, state in qualifications.shown_states(list(page.object_list), now)
        ],
        "needed": needed,
        "technique": next((t for t in qualifications.techniques_at(instrument) if t.code == needed), None),
    }
    return render(request, "instruments/qualifications.html", context, status=status)

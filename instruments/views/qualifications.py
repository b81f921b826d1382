"""People who may operate an instrument alone, and a person's own certificates."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.errors import FieldProblem, Invalid, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.permissions import actor_of
from instruments.domain.opening import local_date
from instruments.forms import GrantForm, PeopleForm, RevokeForm
from instruments.models import Instrument, Qualification
from instruments.selectors.managing import instrument_to_manage
from instruments.selectors.qualifications import (
    certificates_at,
    counts,
    load_certificate,
    needed_for,
    own_certificates,
    person_to_certify,
    techniques_at,
    zone_of,
)
from instruments.services.qualifications import qualification_grant, qualification_revoke

PAGE = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Certificates of the instrument and of its techniques; POST grants one."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_id)
    form = _form(instrument, request.POST if request.method == "POST" else None, now)
    status = 200
    if form.is_bound and form.is_valid():
        data, technique = form.cleaned_data, form.technique
        try:
            made = qualification_grant(
                By(actor, now),
                user=person_to_certify(actor, instrument.organisation, data["user"]),
                issuer=instrument.organisation,
                instrument=None if technique else instrument,
                technique=technique,
                valid_from=data["valid_from"],
                valid_until=data["valid_until"],
                note=data["note"],
            )
        except Invalid as refused:
            form.refuse(refused.problems)
        except WrongState as refused:  # oneself, or held already
            form.refuse([FieldProblem("user", refused.code)])
            status = 409
        else:
            text = gettext("{person} is certified.").format(person=made.user)
            messages.success(request, text)
            return redirect("instruments:people", instrument_id=instrument.pk)
    if form.errors and status == 200:
        status = 400
    return _page(request, instrument, now, form=form, status=status)


@login_required
@require_POST
def revoke(request: HttpRequest, instrument_id: UUID, qualification_id: UUID) -> HttpResponse:
    """End a certificate; what refuses is said on the instrument's page of people."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_id)
    form, refused, status = RevokeForm(request.POST), None, 400
    if form.is_valid():
        try:
            row = qualification_revoke(
                By(actor, now, form.cleaned_data["version"]),
                qualification_id=qualification_id,
                reason=form.cleaned_data["reason"],
            )
        except Invalid as problem:
            form.refuse(problem.problems)
        except (WrongState, WrongVersion) as problem:
            refused, status = problem, 412 if isinstance(problem, WrongVersion) else 409
        else:
            text = gettext("Revoked: {person} may no longer operate it alone.")
            messages.success(request, text.format(person=row.user))
            return redirect("instruments:people", instrument_id=instrument.pk)
    more: dict[str, Any] = {
        "revoke_form": form,
        "revoking_id": qualification_id,
        "refused": refused,
    }
    more["error_id"] = f"reason-{qualification_id}-error"
    return _page(request, instrument, now, status=status, **more)


@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """The reader's certificates."""
    now, actor = timezone.now(), actor_of(request.user)
    page = Paginator(own_certificates(actor), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "certificates": [_shown(row, now) for row in page.object_list]}
    return render(request, "instruments/qualifications_own.html", context)


def _form(instrument: Instrument, data: Any, now: datetime) -> GrantForm:
    return GrantForm(
        data,
        techniques=techniques_at(instrument),
        today=local_date(ZoneInfo(instrument.facility.time_zone), now),
        needed=needed_for(instrument),
    )


def _shown(row: Qualification, now: datetime) -> dict[str, Any]:
    return {"row": row, "state": load_certificate(row).state(zone_of(row), now)}


def _page(
    request: HttpRequest,
    instrument: Instrument,
    now: datetime,
    *,
    status: int,
    form: GrantForm | None = None,
    **more: Any,
) -> HttpResponse:
    zone = ZoneInfo(instrument.facility.time_zone)
    search = PeopleForm(request.GET)
    who = search.cleaned_data["q"] if search.is_valid() else ""
    rows = certificates_at(instrument, local_date(zone, now), who)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    needed = needed_for(instrument)
    context = {
        "instrument": instrument,
        "now": now,
        "form": form or _form(instrument, None, now),
        "search": search,
        "is_filtered": bool(who),
        "page": page,
        "certificates": [
            _shown(row, now) | {"counts": not needed or counts(row, instrument)}
            for row in page.object_list
        ],
        "needed": needed,
        "technique": next((t for t in techniques_at(instrument) if t.code == needed), None),
        **more,
    }
    return render(request, "instruments/qualifications.html", context, status=status)

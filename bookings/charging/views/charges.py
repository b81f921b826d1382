"""What ended bookings cost: the list, one charge, and what is said about it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.errors import Invalid, Refused, WrongState, WrongVersion
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from bookings.charging.forms.charges import ChargeFilterForm, CorrectionForm, WordForm
from bookings.charging.selectors.corrections import correction_by_id, no_second_of_host
from bookings.charging.selectors.stories import charge_story
from bookings.charging.selectors.waiting import (
    charges_to_agree,
    charges_to_answer,
    charges_to_bill,
    charges_to_check,
)
from bookings.charging.services.corrections import (
    correction_agree,
    correction_propose,
    correction_refuse,
    correction_withdraw,
)
from bookings.charging.services.disputes import dispute_open, dispute_reject, dispute_withdraw
from bookings.pricing.domain.charges import ORIGINAL, is_disputable
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.models import Charge, Correction
from bookings.pricing.selectors.charges import (
    charge_by_id,
    charges_for,
    months_of,
    parties_of_charges,
    totals_of_charges,
)
from bookings.record.adapters.figures import Cell
from bookings.record.views.lists import amount_cell, csv_answer, waits_of, wants_csv

PAGE = 30
WAITS = {
    "answer": charges_to_answer,
    "agree": charges_to_agree,
    "check": charges_to_check,
    "bill": charges_to_bill,
}


@login_required
@require_safe
def charges(request: HttpRequest) -> HttpResponseBase:
    """One's own and those of one's organisation or regions, the newest first."""
    actor = actor_of(request.user)
    names = [
        (code, name_zh if name_zh and translation.get_language() == "zh-hans" else name)
        for code, name, name_zh in parties_of_charges(actor)
    ]
    form = ChargeFilterForm(request.GET, months=months_of(actor), organisations=names)
    waits = waits_of(request, *WAITS)
    rows = WAITS[waits](actor, timezone.now()) if waits else charges_for(actor)
    if form.is_valid():
        data = form.cleaned_data
        if data["state"]:
            rows = rows.filter(state=data["state"])
        if form.first_day():
            rows = rows.filter(month=form.first_day())
        if data["organisation"]:
            code = data["organisation"]
            rows = rows.filter(Q(organisation__code=code) | Q(host__code=code))
    if wants_csv(request):
        return csv_answer(request, "charges", HEADS, map(_cells, rows.iterator(2000)))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    is_filtered = bool(waits) or any(form.data.get(name) for name in form.fields)
    context = {
        "page": page,
        "form": form,
        "is_filtered": is_filtered,
        "waits": waits,
        "totals": totals_of_charges(rows) if page.paginator.count else [],
    }
    return render(request, "bookings/charging/charges.html", context)


HEADS = (
    "charge", "kind", "state", "made", "final", "month", "booking", "instrument", "start", "payer",
    "payer_name", "host", "host_name", "currency", "tax", "total", "voucher", "payable",
)  # fmt: skip


def _cells(row: Charge) -> tuple[Cell, ...]:
    booked = row.reservation
    amounts = (row.tax, row.total, row.covered, row.payable)
    return (
        str(row.pk),
        row.kind,
        row.state,
        row.created_at.isoformat(),
        row.final_at.isoformat() if row.final_at else "",
        f"{row.month:%Y-%m}" if row.month else "",
        str(booked.pk),
        booked.instrument.name,
        booked.start_at.isoformat(),
        booked.organisation.code,
        booked.organisation.name,
        booked.host.code,
        booked.host.name,
        row.currency,
        *(amount_cell(amount, row.currency) for amount in amounts),
    )


@login_required
@require_safe
def charge(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    """One charge: its lines, what was said about it, what can be done."""
    return _page(request, charge_id)


@login_required
@require_POST
def dispute(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    return _said(
        request,
        charge_id,
        lambda data: dispute_open(
            By(actor, now, data["version"]), charge_id=charge_id, reason=data["reason"]
        ),
        gettext("Disputed. The owner of the instrument is told and has to answer."),
        "dispute_form",
    )


@login_required
@require_POST
def withdraw(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    return _acted(
        request,
        charge_id,
        lambda: dispute_withdraw(By(actor, now), charge_id=charge_id),
        gettext("The dispute is withdrawn."),
    )


@login_required
@require_POST
def reject(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    return _said(
        request,
        charge_id,
        lambda data: dispute_reject(
            By(actor, now, data["version"]), charge_id=charge_id, answer=data["reason"]
        ),
        gettext("The dispute is rejected and the charge final. The payer is told."),
        "answer_form",
    )


@login_required
@require_POST
def correct(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    form = _correction_form(charge_by_id(actor, charge_id), request.POST)
    if not form.is_valid():
        return _page(request, charge_id, status=400, correction_form=form)
    data = form.cleaned_data
    try:
        correction_propose(
            By(actor, now, data["version"]),
            charge_id=charge_id,
            amendment=form.amendment(),
            reason=data["reason"],
            settles=data["uphold"],
        )
    except Invalid as refused:
        form.refuse(refused.problems)
        return _page(request, charge_id, status=400, correction_form=form)
    except (WrongState, WrongVersion) as refused:
        return _page(request, charge_id, status=409, correction_form=form, refused=refused)
    messages.success(
        request,
        gettext("Proposed. Nothing changes before a second person of your organisation agrees."),
    )
    return redirect("bookings:money-charges-one", charge_id=charge_id)


@login_required
@require_POST
def decide(request: HttpRequest, correction_id: UUID) -> HttpResponse:
    """A second person's word on a correction; or whoever proposed it takes it back."""
    now, actor = timezone.now(), actor_of(request.user)
    found = correction_by_id(actor, correction_id)
    acts: dict[str, tuple[Callable[[], Any], str]] = {
        "agree": (
            lambda: correction_agree(By(actor, now), correction_id=correction_id),
            gettext("Corrected. The payer is told."),
        ),
        "refuse": (
            lambda: correction_refuse(
                By(actor, now),
                correction_id=correction_id,
                reason=str(request.POST.get("reason", "")).replace("\0", "")[:1000],
            ),
            gettext("The correction is refused: the charge stays as it is."),
        ),
        "withdraw": (
            lambda: correction_withdraw(By(actor, now), correction_id=correction_id),
            gettext("The correction is withdrawn."),
        ),
    }
    act, done = acts.get(str(request.POST.get("act")), acts["refuse"])
    return _acted(request, found.charge_id, act, done)


def _said(
    request: HttpRequest,
    charge_id: UUID,
    act: Callable[[dict[str, Any]], Any],
    done: str,
    name: str,
) -> HttpResponse:
    """An act that needs a word of reason."""
    form = WordForm(request.POST)
    if not form.is_valid():
        charge_by_id(actor_of(request.user), charge_id)
        return _page(request, charge_id, status=400, **{name: form})
    return _acted(request, charge_id, lambda: act(form.cleaned_data), done, **{name: form})


def _acted(
    request: HttpRequest, charge_id: UUID, act: Callable[[], Any], done: str, **forms: Any
) -> HttpResponse:
    """Carry out an act on a charge and go back to its page; a refusal is shown there."""
    try:
        act()
    except Invalid as refused:
        problem = refused.problems[0]
        return _page(
            request, charge_id, status=400, refused=Refused(problem.code, **problem.numbers),
            **forms,
        )  # fmt: skip
    except (WrongState, WrongVersion) as refused:
        return _page(request, charge_id, status=409, refused=refused, **forms)
    messages.success(request, done)
    return redirect("bookings:money-charges-one", charge_id=charge_id)


def _page(request: HttpRequest, charge_id: UUID, status: int = 200, **forms: Any) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    found = charge_by_id(actor, charge_id)
    reservation = found.reservation
    said = sorted(found.disputes.all(), key=lambda each: each.opened_at)
    corrections = sorted(found.corrections.all(), key=lambda each: each.proposed_at)
    proposed = next((c for c in corrections if c.state == "proposed"), None)
    disputed = next((d for d in said if d.state == "open"), None)
    answers = _answers_for_host(actor, found)
    speaks = actor.user_id == reservation.user_id or actor.may(
        "manage-charges", place_of(found.organisation)
    )
    in_force = found.kind in ORIGINAL and found.state != "reversed"
    opened = disputed is not None and disputed.opened_by_id == actor.user_id
    may_correct = answers and in_force and proposed is None and not opened
    is_proposer = proposed is not None and proposed.proposed_by_id == actor.user_id
    # Nobody agrees to their own proposal, or answers for their own booking: is there another?
    needs_second = is_proposer or may_correct or (disputed is not None and not answers)
    if not (needs_second and actor.may("manage-charges", place_of(found.host))):
        second = None
    else:
        second = no_second_of_host(actor, reservation)
    version = {"version": found.version}
    context = {
        "charge": found,
        "reservation": reservation,
        "zone": reservation.instrument.facility.time_zone,
        "terms": None if "lines" in found.result else found.result,
        "disputes": said,
        "disputed": disputed,
        "corrections": corrections,
        "proposed": proposed,
        "reversals": list(found.reversals.all()),
        "made_by": Correction.objects.filter(replacement=found).first(),
        "may_dispute": speaks and is_disputable(found.kind, found.state, found.open_until, now),
        "may_withdraw": speaks and disputed is not None,
        "may_answer": answers and disputed is not None and not opened and proposed is None,
        "may_correct": may_correct,
        "may_decide": answers and proposed is not None,
        "is_proposer": is_proposer,
        "no_second": second,
        "dispute_form": WordForm(initial=version, label=gettext("What is wrong with it?")),
        "answer_form": WordForm(initial=version, label=gettext("Why the charge is right")),
        "correction_form": _correction_form(found) if may_correct else None,
        "story": charge_story(actor, found.pk),
        **forms,
    }
    return render(request, "bookings/charging/charge.html", context, status=status)


def _answers_for_host(actor: Actor, found: Charge) -> bool:
    """Whether the actor may answer for the charge; nobody does for their own."""
    reservation = found.reservation
    is_own = actor.user_id in {reservation.user_id, reservation.made_by_id}
    return not is_own and actor.may("manage-charges", place_of(found.host))


def _correction_form(found: Charge, data: Any = None) -> CorrectionForm:
    inputs = found.inputs
    quoted = input_from_json(inputs.get("quote", inputs)) if found.kind in ORIGINAL else None
    session = getattr(found.reservation, "session", None)
    usage = None
    if session is not None and session.checked_out_at is not None:
        usage = (session.checked_in_at, session.checked_out_at)
    is_used = found.kind == Charge.Kind.USE
    return CorrectionForm(
        data,
        zone=ZoneInfo(found.reservation.instrument.facility.time_zone),
        usage=usage,
        options=quoted.card.options if quoted and is_used else (),
        present=dict(quoted.options) if quoted else {},
        by_sample=bool(quoted and is_used and quoted.card.rate_unit == "sample"),
        has_times=found.kind in {Charge.Kind.USE, Charge.Kind.NO_SHOW},
        initial={"version": found.version},
    )

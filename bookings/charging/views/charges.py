"""What ended bookings cost: the list, one charge, and what is said about it."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, reads, writes
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
    added_totals,
    charge_by_id,
    charges_for,
    monthly_totals,
    parties_of_charges,
    totals_of_charges,
)
from bookings.record.adapters.figures import Cell
from bookings.record.views.lists import ListPage, amount_cell
from bookings.results.selectors.collecting import delivery_of
from instruments.forms.fields import StyledForm


@reads
def charges(request: HttpRequest) -> HttpResponseBase:
    """List the charges of one's own bookings and of one's organisation or regions, the newest
    first."""
    by = by_of(request)
    names = [
        (code, name_zh if name_zh and translation.get_language() == "zh-hans" else name)
        for code, name, name_zh in parties_of_charges(by.actor)
    ]
    waits, rows = LIST.chosen(request, by)
    by_month = monthly_totals(charges_for(by.actor))
    months = [month for month in by_month if month]
    form = ChargeFilterForm(request.GET, months=months, organisations=names)
    if form.is_valid():
        data = form.cleaned_data
        if data["state"]:
            rows = rows.filter(state=data["state"])
        if form.first_day():
            rows = rows.filter(month=form.first_day())
        if data["organisation"]:
            code = data["organisation"]
            rows = rows.filter(Q(organisation__code=code) | Q(host__code=code))
    is_filtered = (
        bool(waits) or LIST.narrows(request) or any(form.data.get(name) for name in form.fields)
    )
    totals = None if is_filtered else added_totals(by_month.values())
    shown = {"form": form, "is_filtered": is_filtered, "waits": waits}
    return LIST.answer(request, by, rows, totals=totals, **shown)


HEADS = (
    "charge", "kind", "state", "made", "final", "month", "booking", "instrument", "start", "payer",
    "payer_name", "host", "host_name", "currency", "tax", "total", "voucher", "payable",
)  # fmt: skip


COLUMNS = (
    "kind", "state", "created_at", "final_at", "month", "currency", "tax", "total", "covered",
    "payable", "grant", "reservation__start_at", "reservation__instrument__name",
    "reservation__organisation__code", "reservation__organisation__name",
    "reservation__host__code", "reservation__host__name",
)  # fmt: skip


def _cells(row: Charge, by: By) -> tuple[Cell, ...]:
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


LIST = ListPage(
    "bookings/charging/charges.html",
    charges_for,
    waits={
        "answer": charges_to_answer,
        "agree": charges_to_agree,
        "check": charges_to_check,
        "bill": charges_to_bill,
    },
    totals=totals_of_charges,
    number=lambda totals: sum(one.number for one in totals),
    sheet=("charges", HEADS, _cells),
    columns=COLUMNS,
    words=(
        "reservation__instrument__name",
        "reservation__instrument__name_zh",
        "organisation__name",
        "organisation__name_zh",
        "host__name",
        "host__name_zh",
    ),
    day="created_at",
    sorts={0: "created_at", 2: "state", 3: "total", 4: "covered", 5: "payable"},
)


@reads
def charge(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    """Show one charge: its lines, its disputes and corrections, what can be done."""
    return _page(request, charge_id)


@writes
def dispute(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    return _acted(
        request,
        charge_id,
        lambda by, data: dispute_open(by, charge_id=charge_id, reason=data["reason"]),
        gettext("Disputed. The owner of the instrument is told and has to answer."),
        WordForm(request.POST),
        "dispute_form",
    )


@writes
def withdraw(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    return _acted(
        request,
        charge_id,
        lambda by, data: dispute_withdraw(by, charge_id=charge_id),
        gettext("The dispute is withdrawn."),
    )


@writes
def reject(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    return _acted(
        request,
        charge_id,
        lambda by, data: dispute_reject(by, charge_id=charge_id, answer=data["reason"]),
        gettext("The dispute is rejected and the charge final. The payer is told."),
        WordForm(request.POST),
        "answer_form",
    )


@writes
def correct(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    form = _correction_form(charge_by_id(actor_of(request.user), charge_id), request.POST)
    return _acted(
        request,
        charge_id,
        lambda by, data: correction_propose(
            by,
            charge_id=charge_id,
            amendment=form.amendment(),
            reason=data["reason"],
            settles=data["uphold"],
        ),
        gettext("Proposed. Nothing changes before a second person of your organisation agrees."),
        form,
        "correction_form",
    )


@writes
def decide(request: HttpRequest, correction_id: UUID) -> HttpResponse:
    """Agree to a correction or refuse it, as a second person; or withdraw one's own."""
    correction = correction_by_id(actor_of(request.user), correction_id)
    reason = str(request.POST.get("reason", "")).replace("\0", "")[:1000]
    match request.POST.get("act"):
        case "agree":
            work, done = correction_agree, gettext("Corrected. The payer is told.")
        case "withdraw":
            work, done = correction_withdraw, gettext("The correction is withdrawn.")
        case _:
            work = partial(correction_refuse, reason=reason)
            done = gettext("The correction is refused: the charge stays as it is.")
    return _acted(
        request, correction.charge_id, lambda by, data: work(by, correction_id=correction_id), done
    )


def _acted(
    request: HttpRequest,
    charge_id: UUID,
    work: Callable[[By, dict[str, Any]], Any],
    done: str,
    form: StyledForm | None = None,
    name: str = "",
) -> HttpResponse:
    """Carry out an act on a charge and go back to its page; a refusal is shown there."""
    page = partial(_page, request, charge_id)
    to = reverse("bookings:money-charges-one", args=[charge_id])
    return act(request, page, work, to=to, done=done, form=form, name=name)


def _page(request: HttpRequest, charge_id: UUID, status: int = 200, **forms: Any) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    row = charge_by_id(actor, charge_id)
    reservation = row.reservation
    disputes = sorted(row.disputes.all(), key=lambda each: each.opened_at)
    corrections = sorted(row.corrections.all(), key=lambda each: each.proposed_at)
    proposed = next((c for c in corrections if c.state == "proposed"), None)
    disputed = next((d for d in disputes if d.state == "open"), None)
    answers = _answers_for_host(actor, row)
    speaks = actor.user_id == reservation.user_id or actor.may(
        "manage-charges", place_of(row.organisation)
    )
    in_force = row.kind in ORIGINAL and row.state != "reversed"
    opened = disputed is not None and disputed.opened_by_id == actor.user_id
    may_correct = answers and in_force and proposed is None and not opened
    is_proposer = proposed is not None and proposed.proposed_by_id == actor.user_id
    # Nobody agrees to their own proposal, or answers for their own booking: is there another?
    needs_second = is_proposer or may_correct or (disputed is not None and not answers)
    if not (needs_second and actor.may("manage-charges", place_of(row.host))):
        second = None
    else:
        second = no_second_of_host(actor, reservation)
    version = {"version": row.version}
    context = {
        "charge": row,
        "reservation": reservation,
        "zone": reservation.instrument.facility.time_zone,
        "terms": None if "lines" in row.result else row.result,
        "disputes": disputes,
        "disputed": disputed,
        "hand_off": delivery_of(reservation.pk) if disputes else None,
        "corrections": corrections,
        "proposed": proposed,
        "reversals": list(row.reversals.all()),
        "made_by": Correction.objects.filter(replacement=row).first(),
        "may_dispute": speaks and is_disputable(row.kind, row.state, row.open_until, now),
        "may_withdraw": speaks and disputed is not None,
        "may_answer": answers and disputed is not None and not opened and proposed is None,
        "may_correct": may_correct,
        "may_decide": answers and proposed is not None,
        "is_proposer": is_proposer,
        "no_second": second,
        "dispute_form": WordForm(initial=version, label=gettext("What is wrong with it?")),
        "answer_form": WordForm(initial=version, label=gettext("Why the charge is right")),
        "correction_form": _correction_form(row) if may_correct else None,
        "story": charge_story(actor, row.pk),
        **forms,
    }
    return render(request, "bookings/charging/charge.html", context, status=status)


def _answers_for_host(actor: Actor, row: Charge) -> bool:
    """Whether the actor may answer for the charge; nobody does for their own."""
    reservation = row.reservation
    is_own = actor.user_id in {reservation.user_id, reservation.made_by_id}
    return not is_own and actor.may("manage-charges", place_of(row.host))


def _correction_form(row: Charge, data: Any = None) -> CorrectionForm:
    inputs = row.inputs
    quoted = input_from_json(inputs.get("quote", inputs)) if row.kind in ORIGINAL else None
    session = getattr(row.reservation, "session", None)
    usage = None
    if session is not None and session.checked_out_at is not None:
        usage = (session.checked_in_at, session.checked_out_at)
    is_used = row.kind == Charge.Kind.USE
    return CorrectionForm(
        data,
        zone=ZoneInfo(row.reservation.instrument.facility.time_zone),
        usage=usage,
        options=quoted.card.options if quoted and is_used else (),
        present=dict(quoted.options) if quoted else {},
        by_sample=bool(quoted and is_used and quoted.card.rate_unit == "sample"),
        has_times=row.kind in {Charge.Kind.USE, Charge.Kind.NO_SHOW},
        initial={"version": row.version},
    )

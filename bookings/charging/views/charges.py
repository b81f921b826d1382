"""Pages of charges: the list, one charge, its disputes and corrections."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, bare, by_of, reads, writes
from bookings.charging.forms.charges import AnswerForm, ChargeFilterForm, CorrectionForm, DisputeForm
from bookings.charging.selectors.charges import CHARGES
from bookings.charging.selectors.corrections import no_second_of_host
from bookings.charging.selectors.stories import charge_story
from bookings.charging.services.corrections import correction_propose
from bookings.charging.services.disputes import dispute_reject
from bookings.pricing.domain.charges import ORIGINAL, is_disputable
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.models import Charge, Correction
from bookings.pricing.selectors import charges as charge_selectors
from bookings.pricing.selectors.vouchers import programmes_of
from bookings.record.views.lists import ListPage
from bookings.results.selectors.collecting import delivery_of
from instruments.rates.domain.ratecards import REQUIRED
from instruments.reading.forms.fields import StyledForm


@reads
def charges(request: HttpRequest) -> HttpResponseBase:
    """List the charges of the reader's own bookings and of their organisation or regions, newest first."""
    by = by_of(request)
    names = [
        (code, name_zh if name_zh and translation.get_language() == "zh-hans" else name)
        for code, name, name_zh in charge_selectors.parties_of_charges(by.actor)
    ]
    data = request.GET.copy()
    for code in data.pop("organisation", []):  # the parameter's name in old bookmarks
        data.setdefault("party", code)
    request.GET = data  # type: ignore[assignment]
    waits, rows = LIST.chosen(request, by)
    by_month = charge_selectors.monthly_totals(charge_selectors.charges_for(by.actor), by.actor)
    form = ChargeFilterForm(data, months=[month for month in by_month if month], organisations=names)
    is_filtered = bool(waits) or LIST.narrows(request, form)
    totals = None if is_filtered else charge_selectors.added_totals(by_month.values())
    rows = rows.select_related("reservation__user")
    return LIST.answer(request, by, rows, totals, form, is_filtered=is_filtered, waits=waits)


LIST = ListPage(
    "bookings/charging/charges.html",
    CHARGES,
    totals=charge_selectors.totals_of_charges,
    number=lambda totals: sum(one.number for one in totals),
)


@reads
def charge(request: HttpRequest, charge_id: UUID, status: int = 200, **forms: Any) -> HttpResponse:
    """Show a charge: its lines, its disputes and corrections, and what can be done."""
    now, actor = timezone.now(), actor_of(request.user)
    row = charge_selectors.charge_by_id(actor, charge_id)
    reservation = row.reservation
    disputes = sorted(row.disputes.all(), key=lambda each: each.opened_at)
    corrections = sorted(row.corrections.all(), key=lambda each: each.proposed_at)
    shown: list[Any] = [each for each in corrections if each.result and each.replacement_id is None]
    programmes = programmes_of(each.result["voucher"] for each in shown if each.result.get("voucher"))
    for each in shown:
        each.voucher = programmes.get(each.result.get("voucher"))
    proposed = next((c for c in corrections if c.state == "proposed"), None)
    disputed = next((d for d in disputes if d.state == "open"), None)
    answers = _answers_for_host(actor, row)
    speaks = actor.user_id == reservation.user_id or actor.may("manage-charges", place_of(row.organisation))
    in_force = row.kind in ORIGINAL and row.state != "reversed"
    opened = disputed is not None and disputed.opened_by_id == actor.user_id
    may_correct = answers and in_force and proposed is None and not opened
    is_proposer = proposed is not None and proposed.proposed_by_id == actor.user_id
    # Nobody agrees to their own proposal or answers for their own booking: say so if there is nobody else.
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
        "is_internal": row.organisation_id == row.host_id,
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
        "dispute_form": DisputeForm(initial=version),
        "answer_form": AnswerForm(initial=version),
        "correction_form": _correction_form(row) if may_correct else None,
        "story": charge_story(actor, row.pk),
        **forms,
    }
    return render(request, "bookings/charging/charge.html", context, status=status)


@writes
def reject(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    return _acted(
        request,
        charge_id,
        lambda by, data: dispute_reject(by, charge_id=charge_id, answer=data["reason"]),
        gettext("The dispute was rejected and the charge is final. The payer has been notified."),
        AnswerForm(request.POST),
        "answer_form",
    )


@writes
def correct(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    form = _correction_form(charge_selectors.charge_by_id(actor_of(request.user), charge_id), request.POST)
    return _acted(
        request,
        charge_id,
        lambda by, data: correction_propose(
            by, charge_id=charge_id, amendment=form.amendment(), reason=data["reason"], settles=data["uphold"]
        ),
        gettext("Proposed. Nothing changes until a second approver in your organisation agrees."),
        form,
        "correction_form",
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
    page = partial(bare(charge), request, charge_id)
    to = reverse("bookings:money-charges-one", args=[charge_id])
    return act(request, page, work, to=to, done=done, form=form, name=name)


def _answers_for_host(actor: Actor, row: Charge) -> bool:
    """Return whether the actor may answer for the charge; nobody does for their own booking."""
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
        options=[
            option
            for option in (quoted.card.options if quoted and is_used else ())
            if option.when != REQUIRED and option.is_for(row.reservation.service_mode)
        ],
        present={**quoted.options, **quoted.added} if quoted else {},
        by_sample=bool(quoted and is_used and quoted.card.rate_unit == "sample"),
        has_times=row.kind in {Charge.Kind.USE, Charge.Kind.NO_SHOW},
        initial={"version": row.version},
    )

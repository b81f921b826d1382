"""Pages of charges: the list, one charge, its disputes and corrections."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext

from accounts.domain.roles import Actor, By
from accounts.forms import known_to
from accounts.permissions import actor_of, require
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, bare, by_of, reads, writes
from bookings.charging.domain.recoding import is_recodable
from bookings.charging.forms.charges import (
    AnswerForm,
    ChargeFilterForm,
    CheckManyForm,
    CorrectionForm,
    DisputeForm,
    RecodeForm,
)
from bookings.charging.selectors.charges import CHARGES, Group, sums_by
from bookings.charging.selectors.corrections import agrees, no_second_of_host, side_that_agrees
from bookings.charging.selectors.recoding import sources_offered
from bookings.charging.selectors.stories import record_story
from bookings.charging.services.checks import charges_check
from bookings.charging.services.corrections import correction_propose
from bookings.charging.services.disputes import dispute_reject
from bookings.charging.services.recoding import charge_recode
from bookings.funding.selectors.earmarks import paying, sees_funding, sees_funding_of_place
from bookings.funding.selectors.funding_sources import sources_for
from bookings.pricing.domain.charges import ORIGINAL, is_disputable
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.models import Charge, Correction
from bookings.pricing.selectors import charges as charge_selectors
from bookings.pricing.selectors.vouchers import programmes_of
from bookings.record.messages import sentence
from bookings.record.views.lists import ListPage, wants_file
from bookings.results.selectors.collecting import delivery_of
from instruments.rates.domain.ratecards import REQUIRED
from instruments.reading.forms.fields import StyledForm
from instruments.register.selectors.registry import managed_by_name


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
    form = ChargeFilterForm(
        data,
        months=[month for month in by_month if month],
        organisations=names,
        instruments=managed_by_name(by.actor, "manage-charges"),
    )
    known_to(form, by.actor)
    is_filtered = bool(waits) or LIST.narrows(request, form)
    totals = None if is_filtered else charge_selectors.added_totals(by_month.values())
    rows = rows.select_related("reservation__user", "enrolment__user")
    checking = by.actor.organisations_where("manage-charges")
    groups: list[Group] = []
    if form.is_valid():
        form.name_hidden(charge_selectors.listed_charges().filter(pk__in=rows.order_by().values("pk")))
    if form.is_valid() and (of := form.cleaned_data["by"]) and not wants_file(request):
        narrowed = LIST.narrowed(request, by, rows, form)[0]
        groups = sums_by(narrowed, of, by.actor, dict(request.GET.items()))
    return LIST.answer(
        request,
        by,
        rows,
        totals,
        form,
        is_filtered=is_filtered,
        waits=waits,
        checking=checking,
        groups=groups,
    )


@writes
def check_many(request: HttpRequest) -> HttpResponse:
    """Tick the chosen charges of the list as checked, or take their ticks back; say what was refused."""
    form = CheckManyForm(request.POST)
    back = redirect(reverse("bookings:money-charges", query=request.GET))
    if not form.is_valid():
        messages.error(request, gettext("Choose at least one charge."))
        return back
    checked = form.cleaned_data["checked"]
    done, refused = charges_check(by_of(request), charge_ids=form.cleaned_data["chosen"], checked=checked)
    if done:
        ticked = ngettext("{n} charge ticked as checked.", "{n} charges ticked as checked.", done)
        undone = ngettext("Tick of {n} charge taken back.", "Ticks of {n} charges taken back.", done)
        messages.success(request, (ticked if checked else undone).format(n=done))
    for refusal in refused:
        messages.error(request, sentence(refusal.code, refusal.numbers))
    return back


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
    speaks = actor.user_id == row.person.pk or actor.may("manage-charges", place_of(row.organisation))
    in_force = row.kind in ORIGINAL and row.state != "reversed"
    opened = disputed is not None and disputed.opened_by_id == actor.user_id
    of_host = actor.may("manage-charges", place_of(row.host))
    may_correct = of_host and in_force and proposed is None and not opened
    is_proposer = proposed is not None and proposed.proposed_by_id == actor.user_id
    # Nobody agrees to their own proposal: the page says who does, or that there is nobody.
    proposer = proposed.proposed_by_id if proposed else actor.user_id
    agreeing = side_that_agrees(row, proposer, proposed) if of_host and (proposed or may_correct) else ""
    needs_second = is_proposer or may_correct
    second = no_second_of_host(actor, row) if needs_second and of_host and not agreeing else None
    version = {"version": row.version}
    context = {
        "charge": row,
        "reservation": reservation,
        "zone": row.time_zone,
        "terms": None if "lines" in row.result else row.result,
        "is_internal": row.organisation_id == row.host_id,
        "disputes": disputes,
        "disputed": disputed,
        "hand_off": delivery_of(reservation.pk) if disputes and reservation else None,
        "corrections": corrections,
        "proposed": proposed,
        "reversals": list(row.reversals.all()),
        "made_by": Correction.objects.filter(replacement=row).first(),
        "may_dispute": speaks and is_disputable(row.kind, row.state, row.open_until, now),
        "may_withdraw": speaks and disputed is not None,
        "may_answer": answers and disputed is not None and not opened and proposed is None,
        "may_correct": may_correct,
        "may_decide": proposed is not None and agrees(actor, row, proposed),
        "agreeing": agreeing,
        "may_check": of_host,
        "is_proposer": is_proposer,
        "no_second": second,
        "funding": _funding(actor, row),
        "recode_form": _recode_form(row) if _may_recode(actor, row, now) else None,
        "dispute_form": DisputeForm(initial=version),
        "answer_form": AnswerForm(initial=version),
        "correction_form": _correction_form(row) if may_correct else None,
        "story": record_story(actor, row.pk),
        "reads_postings": any(
            actor.may("read-money", place_of(side)) for side in (row.host, row.organisation)
        ),
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
        gettext("Proposed. Nothing changes until a second person agrees: the charge says who may."),
        form,
        "correction_form",
    )


@writes
def recode(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    """Charge other funding sources of the payer; who may not is refused before the form lists them."""
    actor = actor_of(request.user)
    row = charge_selectors.charge_by_id(actor, charge_id)
    require(actor, "account", place_of(row.organisation))
    form = _recode_form(row, request.POST)
    return _acted(
        request,
        charge_id,
        lambda by, data: charge_recode(by, charge_id=charge_id, shares=form.shares(), reason=data["reason"]),
        gettext("These sources pay for it now."),
        form,
        "recode_form",
    )


def _may_recode(actor: Actor, row: Charge, now: datetime) -> bool:
    is_open = is_recodable(row.kind, row.state, row.open_until, now)
    return is_open and actor.may("account", place_of(row.organisation))


def _recode_form(row: Charge, data: Any = None) -> RecodeForm:
    return RecodeForm(data, sources=sources_offered(row), initial={"version": row.version})


def _funding(actor: Actor, row: Charge) -> list[Any]:
    """Return what pays for the booking or the place of a charge, for those whose affair it is."""
    if row.reservation is None:
        sees, rows = sees_funding_of_place(actor, row.place), paying().filter(enrolment=row.place)
    else:
        sees, rows = sees_funding(actor, row.reservation), paying().filter(reservation=row.reservation)
    return sources_shown(actor, rows) if sees else []


def sources_shown(actor: Actor, found: Iterable[Any]) -> list[Any]:
    """Return what pays, each source with whether the reader may open its page."""
    rows: list[Any] = list(found)
    opened = set(
        sources_for(actor).filter(pk__in=[each.source_id for each in rows]).values_list("pk", flat=True)
    )
    for each in rows:
        each.is_open_to_reader = each.source_id in opened
    return rows


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
    """Return whether the actor may answer for the charge; nobody does for their own booking or course."""
    return actor.user_id not in row.people and actor.may("manage-charges", place_of(row.host))


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
        zone=ZoneInfo(row.time_zone),
        usage=usage,
        options=[
            option
            for option in (quoted.card.options if quoted and is_used else ())
            if quoted and option.when != REQUIRED and option.is_for(quoted.service_mode)
        ],
        present={**quoted.options, **quoted.added} if quoted else {},
        by_sample=bool(quoted and is_used and quoted.card.rate_unit == "sample"),
        has_times=row.kind in {Charge.Kind.USE, Charge.Kind.NO_SHOW},
        initial={"version": row.version},
    )

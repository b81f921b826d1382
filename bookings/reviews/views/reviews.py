"""Reviews before buying: one's cases, one of them with its evidence, what hosts and experts
answer."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor, By
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.memberships import organisations_of, place_of
from accounts.selectors.rows import visible
from accounts.views.pages import act, by_of, edits, reads, sent, shown, writes
from bookings.record.adapters.figures import Cell
from bookings.record.views.lists import ListPage, amount_cell
from bookings.reviews.domain import reviews as rules
from bookings.reviews.forms.reviews import (
    AppealForm,
    CaseForm,
    DecisionForm,
    ExpertForm,
    InServiceForm,
    InterestForm,
    OpinionForm,
    PledgeForm,
)
from bookings.reviews.messages import BARRED, DONE, FITS, grounds_said
from bookings.reviews.models import PurchaseCase
from bookings.reviews.selectors import cases as selectors
from bookings.reviews.selectors.comparison import cases_to_pool, evidence_of, requirements_of
from bookings.reviews.services import cases as services
from bookings.reviews.services.opinions import expert_ask, interest_declare, opinion_give
from bookings.reviews.services.promises import pledge_answer
from instruments.domain.capabilities import MEETS
from instruments.messages import required_text
from instruments.models import Instrument
from instruments.selectors.needs import load_parameters
from instruments.selectors.registry import managed_instruments
from instruments.selectors.techniques import techniques

HEADS = (
    "case", "name", "applicant", "region", "state", "price", "currency", "hours", "due", "made",
)  # fmt: skip


def _cells(row: PurchaseCase, by: By) -> tuple[Cell, ...]:
    return (
        str(row.pk),
        row.name,
        row.organisation.code,
        row.organisation.region.code,
        row.state,
        amount_cell(row.price, row.currency),
        row.currency,
        row.hours,
        row.due_on.isoformat() if row.due_on else "",
        row.created_at.isoformat(),
    )


LIST = ListPage(
    "bookings/reviews/reviews.html",
    selectors.cases_for,
    waits={"reviews": lambda actor, now: selectors.cases_to_decide(actor)},
    sheet=("purchase-cases", HEADS, _cells),
    words=("name", "organisation__name", "organisation__name_zh"),
    day="created_at",
    states=PurchaseCase.State.choices,
    sorts={0: "name", 1: "organisation__name", 3: "due_on", 4: "state"},
)
# What the buttons of a case do, and who presses them.
ACTS: dict[str, Callable[..., PurchaseCase]] = {
    "check": services.case_check,
    "reopen": services.case_reopen,
    "submit": services.case_submit,
    "withdraw": services.case_withdraw,
    "ask_hosts": services.hosts_ask,
    "review": services.case_review,
    "order": services.case_order,
}
LABELS = {
    "check": _("Mark as checked"),
    "reopen": _("Back to draft"),
    "submit": _("Submit"),
    "withdraw": _("Withdraw"),
    "ask_hosts": _("Ask the hosts"),
    "review": _("Begin the review"),
    "order": _("It is ordered"),
}
_OF_MANAGERS = ("check", "submit", "order", "reopen")
_OF_COORDINATORS = ("ask_hosts", "review")


def _applicants(actor: Actor) -> list[Organisation]:
    return [
        one
        for one in organisations_of(actor)
        if actor.may("register-instruments", place_of(one)) and one.closed_at is None
    ]


@reads
def reviews(request: HttpRequest) -> HttpResponseBase:
    """One's cases, and before them what one is asked as a host or an expert."""
    by = by_of(request)
    waits, rows = LIST.chosen(request, by)
    return LIST.answer(
        request,
        by,
        rows,
        waits=waits,
        is_filtered=bool(waits),
        pledges=selectors.pledges_to_answer(by.actor)[:50],
        opinions=selectors.opinions_to_give(by.actor)[:50],
        may_make=bool(_applicants(by.actor)),
    )


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Describe what is to be bought; POST keeps it as a draft."""
    by = by_of(request)
    applicants = _applicants(by.actor)
    if not applicants:
        raise NotFound
    form = _form(request, by, applicants)
    return act(
        request,
        partial(shown, request, "bookings/reviews/edit.html"),
        lambda by, _: services.case_make(by, values=form.values()),
        to=lambda case: _page_of(case),
        form=form,
    )


@edits
def change(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Describe it otherwise, while it is a draft."""
    by = by_of(request)
    case = selectors.own_case(by.actor, case_id)
    rules.act("change", case.state)
    form = _form(request, by, [case.organisation], case)
    return act(
        request,
        partial(shown, request, "bookings/reviews/edit.html", case=case),
        lambda by, _: services.case_change(by, case_id=case.pk, values=form.values()),
        to=_page_of(case),
        form=form,
    )


def _form(
    request: HttpRequest,
    by: By,
    applicants: list[Organisation],
    case: PurchaseCase | None = None,
) -> CaseForm:
    schemes = {
        scheme.pk: scheme
        for one in applicants
        for scheme in selectors.schemes_for(one, selectors.today_of(one, by.now))
    }
    return CaseForm(
        sent(request),
        applicants=applicants,
        schemes=list(schemes.values()),
        vocabulary=list(techniques()),
        parameters=load_parameters(),
        case=case,
        initial={"currency": applicants[0].region.currency},
    )


def _page_of(case: PurchaseCase) -> str:
    return reverse("bookings:review", args=[case.pk])


@reads
def review(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """A case with its timeline, evidence, answers, opinions and decision."""
    return _page(request, case_id)


def _page(request: HttpRequest, case_id: UUID, status: int = 200, **context: Any) -> HttpResponse:
    by = by_of(request)
    case = selectors.case_shown(by.actor, case_id)
    is_manager = by.actor.may("manage-instruments", place_of(case.organisation))
    is_own = is_manager or case.user_id == by.actor.user_id
    decides = selectors.decides(by.actor, case)
    reads_all = is_own or case in selectors.cases_for(by.actor).filter(pk=case.pk)
    allowed = {name for name in ACTS if case.state in rules.ACTS[name][0]}
    buttons = [name for name in _OF_MANAGERS if is_manager] + (["withdraw"] if is_own else [])
    buttons += [name for name in _OF_COORDINATORS if decides]
    if case.user_id == by.actor.user_id and "check" in buttons:
        buttons.remove("check")
    until = selectors.appeal_until(case)
    today = selectors.today_of(case.organisation, by.now)
    may_appeal = (
        is_manager
        and case.state in rules.ACTS["appeal"][0]
        and case.appealed_at is None
        and until is not None
        and today <= until
    )
    reads_figures = reads_all or case.experts.filter(user=by.actor.user_id).exists()
    evidence = evidence_of(case) if reads_figures else None
    pools = cases_to_pool(case, by.now) if decides or is_own else []
    parameters = load_parameters()
    values = {
        "case": case,
        "requirements": [
            (parameters.get(r.parameter), required_text(r, parameters))
            for r in requirements_of(case)
        ],
        "steps": case.steps.select_related("user").order_by("at", "id"),
        "buttons": [(name, LABELS[name]) for name in buttons if name in allowed],
        "may_change": is_own and case.state == PurchaseCase.State.DRAFT,
        "is_waiting_for_second": case.state == "draft" and case.user_id == by.actor.user_id,
        "evidence": _evidence(evidence, case),
        "pools": pools,
        "experts": [
            SimpleNamespace(
                row=expert,
                barred=BARRED.get(expert.barred, ""),
                grounds=grounds_said(expert.grounds, case.scheme),
            )
            for expert in case.experts.select_related("user").order_by("asked_at", "id")
        ]
        if reads_all
        else [],
        "experts_needed": selectors.experts_needed(case.scheme),
        "grounds": grounds_said(case.grounds, case.scheme),
        "appeal_until": until if case.state in rules.ACTS["appeal"][0] else None,
        "follow_ups": case.follow_ups.order_by("months"),
        "is_own": is_own,
        "reads_figures": reads_figures,
        "pledges": [] if reads_figures else selectors.pledges_asked(by.actor).filter(case=case),
    }
    if decides and case.state in ("submitted", "hosts_asked", "under_review"):
        values["expert_form"] = ExpertForm()
    if decides and case.state == "under_review":
        values["decision_form"] = DecisionForm(scheme=case.scheme, pools=pools)
    if may_appeal:
        values["appeal_form"] = AppealForm()
    if is_manager and case.state == "ordered":
        values["service_form"] = InServiceForm(own=_own_instruments(by.actor, case))
    return render(request, "bookings/reviews/review.html", values | context, status=status)


def _own_instruments(actor: Actor, case: PurchaseCase) -> list[Instrument]:
    return list(managed_instruments(actor).filter(organisation_id=case.organisation_id))


def _evidence(evidence: Any, case: PurchaseCase) -> dict[str, Any] | None:
    """What the figures say, as the page shows it; hours as decimals."""
    if evidence is None:
        return None
    figures, parameters = evidence.figures, load_parameters()
    unmet = evidence.unmet
    return {
        "for": grounds_said(figures.grounds_for, case.scheme),
        "against": grounds_said(figures.grounds_against, case.scheme),
        "mean": None if figures.mean is None else float(figures.mean),
        "spare": float(figures.spare),
        "unmet": unmet["refused"] + unmet["searched"] + unmet["waited"],
        "unmet_parts": unmet,
        "coverage": str(float(figures.coverage)),
        "promised": float(figures.promised),
        "wait_days": None if evidence.wait is None else float(evidence.wait / 24),
        "own_cost": figures.own_cost,
        "shared": figures.shared,
        "quote": evidence.quote,
        "break_even": figures.break_even,
        "excluding": [
            (parameters.get(code, code), number) for code, number in evidence.excluding.items()
        ],
        "content": case.comparison.content,
        "rows": [
            SimpleNamespace(
                name=row["name"],
                name_zh=row["name_zh"],
                pk=row["instrument"],
                host=SimpleNamespace(name=row["host_name"], name_zh=row["host_name_zh"]),
                fit=row["fit"],
                is_fit=row["fit"] == MEETS,
                fit_label=FITS[row["fit"]],
                asked=[
                    parameters[code] for code in row["fails"] + row["unknown"] if code in parameters
                ],
                effective=row["effective_minutes"] / 60,
                opened=row["open_minutes"] / 60,
                spare=float(evidence.spare[row["instrument"]]),
                queue=row["queue"],
                quote=row["quote"],
                kilometres=row["kilometres"],
                record_days=row["record_days"],
                pledge=evidence.pledges.get(row["instrument"]),
                is_contradicted=row["instrument"] in evidence.contradicted,
            )
            for row in evidence.rows
        ],
    }


@writes
def act_on(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """One of the acts that need no more than a button."""
    name = request.POST.get("act", "")
    if name not in ACTS:
        raise NotFound
    return act(
        request,
        partial(_page, request, case_id),
        lambda by, _: ACTS[name](by, case_id=case_id),
        to=_page_of,
        done=str(DONE[name]),
    )


@writes
def experts(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Ask somebody for an opinion."""
    return act(
        request,
        partial(_page, request, case_id),
        lambda by, data: expert_ask(by, case_id=case_id, **data),
        to=reverse("bookings:review", args=[case_id]),
        done=gettext("The expert is asked."),
        form=ExpertForm(request.POST),
        name="expert_form",
    )


@writes
def decide(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Decide on a case."""
    by = by_of(request)
    case = selectors.coordinated_case(by.actor, case_id)
    pools = cases_to_pool(case, by.now)
    form = DecisionForm(request.POST, scheme=case.scheme, pools=pools)
    return act(
        request,
        partial(_page, request, case_id),
        lambda by, _: services.case_decide(by, case_id=case_id, decision=form.values()),
        to=_page_of,
        done=gettext("The case is decided, and the applicant is told."),
        form=form,
        name="decision_form",
    )


@writes
def appeal(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Appeal against a decision."""
    return act(
        request,
        partial(_page, request, case_id),
        lambda by, data: services.case_appeal(by, case_id=case_id, **data),
        to=_page_of,
        done=gettext("The case is under review again."),
        form=AppealForm(request.POST),
        name="appeal_form",
    )


@writes
def in_service(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Say that the instrument is in service."""
    by = by_of(request)
    case = selectors.case_by_id(by.actor, case_id)
    require(by.actor, "manage-instruments", place_of(case.organisation))
    return act(
        request,
        partial(_page, request, case_id),
        lambda by, data: services.case_in_service(
            by,
            case_id=case_id,
            instrument_id=UUID(data["instrument"]),
            in_service_on=data["in_service_on"],
        ),
        to=_page_of,
        done=gettext("The instrument is in service; it is followed up in twelve months."),
        form=InServiceForm(request.POST, own=_own_instruments(by.actor, case)),
        name="service_form",
    )


@edits
def pledge(request: HttpRequest, pledge_id: UUID) -> HttpResponse:
    """What a host promises of an instrument, or denies; beside it the hours of it that the
    comparison has."""
    by = by_of(request)
    row = visible(selectors.pledges_asked(by.actor), pk=pledge_id)
    case = selectors.cases().get(pk=row.case_id)
    evidence = _evidence(evidence_of(case), case)
    rows = evidence["rows"] if evidence else []
    may_answer = case.state in ("hosts_asked", "under_review") and not row.kept_hours_id
    form = PledgeForm(
        sent(request),
        initial={
            "answer": row.answer,
            "hours": row.hours,
            "from_date": row.from_date,
            "years": row.years,
            "price": row.price,
            "currency": row.currency or row.host.region.currency,
            "reason": row.reason,
            "note": row.note,
        },
    )
    return act(
        request,
        partial(
            shown,
            request,
            "bookings/reviews/pledge.html",
            pledge=row,
            case=case,
            compared=next((each for each in rows if each.pk == str(row.instrument_id)), None),
            may_answer=may_answer,
        ),
        lambda by, _: pledge_answer(by, pledge_id=pledge_id, answer=form.values()),
        to=reverse("bookings:review-pledge", args=[pledge_id]),
        done=gettext("Your answer is kept. You can change it until the case is decided."),
        form=form,
    )


@edits
def opinion(request: HttpRequest, expert_id: UUID) -> HttpResponse:
    """What an expert is asked: whether they have an interest, then what they think."""
    by = by_of(request)
    row = visible(selectors.opinions_asked(by.actor), pk=expert_id)
    case = selectors.cases().get(pk=row.case_id)
    is_declaring = request.POST.get("act") == "declare"
    data = sent(request)
    interest = InterestForm(data if is_declaring else None, initial={"interest": row.interest})
    form = OpinionForm(
        None if is_declaring else data,
        scheme=case.scheme,
        initial={"advice": row.advice, "grounds": row.grounds, "text": row.text},
    )
    page = partial(
        shown,
        request,
        "bookings/reviews/opinion.html",
        expert=row,
        case=case,
        barred=BARRED.get(row.barred, ""),
        **({"form": form} if is_declaring else {"interest": interest}),
    )
    here = reverse("bookings:review-opinion", args=[expert_id])
    if is_declaring:
        return act(
            request,
            page,
            lambda by, data: interest_declare(by, expert_id=expert_id, **data),
            to=here,
            done=gettext("Your declaration is kept."),
            form=interest,
            name="interest",
        )
    return act(
        request,
        page,
        lambda by, _: opinion_give(by, expert_id=expert_id, opinion=form.values()),
        to=here,
        done=gettext("Your opinion is kept. You can change it until the case is decided."),
        form=form,
    )

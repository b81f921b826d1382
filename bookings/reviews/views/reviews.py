"""Pages of purchase reviews: the reader's cases, one case with its evidence, the answers of hosts and
experts."""

from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor, By
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.memberships import organisations_of, place_of
from accounts.selectors.rows import visible
from accounts.views.pages import act, bare, by_of, chooses, edits, reads, sent, shown, writes
from bookings.hours.domain.norms import norm_share
from bookings.record.views.lists import ListPage
from bookings.reviews.domain import reviews as rules
from bookings.reviews.forms import reviews as review_forms
from bookings.reviews.messages import BARRED, FITS, grounds_said
from bookings.reviews.models import PurchaseCase
from bookings.reviews.selectors import cases as selectors
from bookings.reviews.selectors.comparison import cases_to_pool, evidence_of, requirements_of
from bookings.reviews.services import cases as services
from bookings.reviews.services.opinions import interest_declare, opinion_give
from instruments.register.models import Instrument
from instruments.register.selectors.registry import managed_instruments
from instruments.vocabulary.domain.parameters import MEETS
from instruments.vocabulary.messages import required_text
from instruments.vocabulary.selectors.needs import load_parameters
from instruments.vocabulary.selectors.techniques import techniques

LIST = ListPage("bookings/reviews/reviews.html", selectors.CASES)


def _applicants(actor: Actor) -> list[Organisation]:
    return [
        one
        for one in organisations_of(actor)
        if actor.may("register-instruments", place_of(one)) and one.closed_at is None
    ]


@reads
def reviews(request: HttpRequest) -> HttpResponseBase:
    """List the reader's cases, after the requests to them as a host or an expert."""
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
    """Describe a planned purchase; POST stores it as a draft."""
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
    """Change the description of a draft."""
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
    request: HttpRequest, by: By, applicants: list[Organisation], case: PurchaseCase | None = None
) -> review_forms.CaseForm:
    schemes = {
        scheme.pk: scheme
        for one in applicants
        for scheme in selectors.schemes_for(one, selectors.today_of(one, by.now))
    }
    return review_forms.CaseForm(
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
def review(request: HttpRequest, case_id: UUID, status: int = 200, **context: Any) -> HttpResponse:
    """Show a case with its timeline, evidence, answers, opinions and decision."""
    by = by_of(request)
    case = selectors.case_shown(by.actor, case_id)
    is_manager = by.actor.may("manage-instruments", place_of(case.organisation))
    is_own = is_manager or case.user_id == by.actor.user_id
    decides = selectors.decides(by.actor, case)
    reads_all = is_own or case in selectors.cases_for(by.actor).filter(pk=case.pk)
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
            (parameters.get(r.parameter), required_text(r, parameters)) for r in requirements_of(case)
        ],
        "steps": case.steps.select_related("user").order_by("at", "id"),
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
        values["expert_form"] = review_forms.ExpertForm()
    if decides and case.state == "under_review":
        values["decision_form"] = review_forms.DecisionForm(scheme=case.scheme, pools=pools)
    if may_appeal:
        values["appeal_form"] = review_forms.AppealForm(initial={"version": case.version})
    if is_manager and case.state == "ordered":
        values["service_form"] = review_forms.InServiceForm(own=_own_instruments(by.actor, case))
    return render(request, "bookings/reviews/review.html", values | context, status=status)


def _own_instruments(actor: Actor, case: PurchaseCase) -> list[Instrument]:
    return list(managed_instruments(actor).filter(organisation_id=case.organisation_id))


def _evidence(evidence: Any, case: PurchaseCase) -> dict[str, Any] | None:
    """Return the figures of a case's evidence as the page shows them; hours as decimals."""
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
        "excluding": [(parameters.get(code, code), number) for code, number in evidence.excluding.items()],
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
                asked=[parameters[code] for code in row["fails"] + row["unknown"] if code in parameters],
                effective=row["effective_minutes"] / 60,
                opened=row["open_minutes"] / 60,
                norm=row.get("norm_minutes", 0) / 60,
                norm_share=_norm_share(row),
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


def _norm_share(row: Mapping[str, Any]) -> float | None:
    """Return the share of the norm; None if there is no norm, or the comparison is an old one without it."""
    share = norm_share(row["effective_minutes"], row.get("norm_minutes", 0))
    return None if share is None else float(share)


@writes
def decide(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Decide on a case."""
    by = by_of(request)
    case = selectors.coordinated_case(by.actor, case_id)
    pools = cases_to_pool(case, by.now)
    form = review_forms.DecisionForm(request.POST, scheme=case.scheme, pools=pools)
    return act(
        request,
        partial(bare(review), request, case_id),
        lambda by, _: services.case_decide(by, case_id=case_id, decision=form.values()),
        to=_page_of,
        done=gettext("The case has been decided, and the applicant notified."),
        form=form,
        name="decision_form",
    )


@writes
def in_service(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Record that the purchased instrument is in service."""
    by = by_of(request)
    case = selectors.case_by_id(by.actor, case_id)
    require(by.actor, "manage-instruments", place_of(case.organisation))
    return act(
        request,
        partial(bare(review), request, case_id),
        lambda by, data: services.case_in_service(
            by, case_id=case_id, instrument_id=UUID(data["instrument"]), in_service_on=data["in_service_on"]
        ),
        to=_page_of,
        done=gettext("The instrument is in service; it is followed up in twelve months."),
        form=review_forms.InServiceForm(request.POST, own=_own_instruments(by.actor, case)),
        name="service_form",
    )


@reads
def pledge(request: HttpRequest, pledge_id: UUID, status: int = 200, **more: Any) -> HttpResponse:
    """Show a host's answer about hours of an instrument beside those of others; POST stores it."""
    row = visible(selectors.pledges_asked(by_of(request).actor), pk=pledge_id)
    case = selectors.cases().get(pk=row.case_id)
    evidence = _evidence(evidence_of(case), case)
    rows = evidence["rows"] if evidence else []
    names = ("answer", "hours", "from_date", "years", "price", "reason", "note", "version")
    initial = {name: getattr(row, name) for name in names}
    initial["currency"] = row.currency or row.host.region.currency
    context = {
        "pledge": row,
        "case": case,
        "compared": next((each for each in rows if each.pk == str(row.instrument_id)), None),
        "may_answer": case.state in ("hosts_asked", "under_review") and not row.kept_hours_id,
        "form": review_forms.PledgeForm(initial=initial),
    }
    return shown(request, "bookings/reviews/pledge.html", status=status, **context | more)


@edits
@chooses("declare", "give")
def opinion(request: HttpRequest, expert_id: UUID, choice: str) -> HttpResponse:
    """Ask an expert whether they have an interest, then for their opinion."""
    by = by_of(request)
    row = visible(selectors.opinions_asked(by.actor), pk=expert_id)
    case = selectors.cases().get(pk=row.case_id)
    is_declaring = choice == "declare"
    data = sent(request)
    interest = review_forms.InterestForm(data if is_declaring else None, initial={"interest": row.interest})
    form = review_forms.OpinionForm(
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
            done=gettext("Your declaration is saved."),
            form=interest,
            name="interest",
        )
    return act(
        request,
        page,
        lambda by, _: opinion_give(by, expert_id=expert_id, opinion=form.values()),
        to=here,
        done=gettext("Your opinion is saved. You can change it until the case is decided."),
        form=form,
    )

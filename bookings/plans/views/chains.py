"""Chains: choosing steps, finding times for them, booking; one chain, cancelling it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import Invalid, WrongState, WrongVersion
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from bookings.catalogue.views.payers import payer_of
from bookings.catalogue.views.refusals import refusal_text
from bookings.funding.forms.funding import default_of
from bookings.plans.domain.chains import FEWEST_STEPS, MOST_STEPS
from bookings.plans.forms.chains import ChainForm, StepForm
from bookings.plans.selectors.chains import (
    Proposals,
    StepWish,
    chain_for,
    is_left,
    load_chain_cancellation,
    load_chains,
    steps_of,
)
from bookings.plans.services.chains import chain_book, chain_cancel
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.messages import sentence
from bookings.record.selectors.reservations import shown
from bookings.reserving.forms.reservations import ReasonForm
from bookings.reserving.views.booking import sources_offered
from instruments.domain.search import Criteria
from instruments.models import Instrument
from instruments.selectors.registry import instruments_for
from instruments.selectors.search import search

FOUND = 8  # instruments shown of a search
DAYS = 14
# What the form says of itself, not of the chain.
_ACTS = {"add", "remove", "find", "q", "csrfmiddlewaretoken", "start"}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Choose the steps, find times; POST books them. All that was chosen is in the address."""
    now, actor = timezone.now(), actor_of(request.user)
    sent = (request.POST if request.method == "POST" else request.GET).copy()
    payer, payers = payer_of(actor, sent.get("organisation"))
    if payer is None or not actor.may("book", place_of(payer)):
        return render(
            request, "bookings/reserving/no_organisation.html", {"payer": payer}, status=403
        )
    instruments = _chosen(sent, {i.pk: i for i in instruments_for(actor).filter(pk__in=_ids(sent))})
    zone = ZoneInfo(instruments[0].facility.time_zone if instruments else actor.time_zone)
    sources = sources_offered(instruments[0], payer, _soonest(now), actor) if instruments else []
    sent.setdefault("funding", default_of(sources))
    _fill(sent, instruments, zone, now)
    sent["organisation"] = payer.code
    steps = [StepForm(sent, instrument=i, index=n) for n, i in enumerate(instruments)]
    form = ChainForm(sent, zone=zone, sources=sources)
    is_sound = all([form.is_valid(), *(step.is_valid() for step in steps)])
    is_asked = request.method == "POST" or "find" in sent
    status, problem = 200, ""
    refusals: Any = ()
    proposals: Proposals | None = None
    if is_asked and is_sound and len(steps) >= FEWEST_STEPS:
        wishes = [step.wish() for step in steps]
        try:
            if request.method == "POST":
                booked = chain_book(
                    By(actor, now),
                    steps=wishes,
                    organisation=payer.code,
                    purpose=form.cleaned_data["purpose"],
                    purpose_text=form.cleaned_data["purpose_text"],
                    within=form.within(),
                    starts=_starts(sent.getlist("start")) or None,
                    times=form.times(wishes),
                    funding=form.shares(),
                    together=form.is_together,
                )
                if booked is None:
                    text = gettext("Booked. You will be notified of each by mail.")
                    messages.success(request, text)
                    return redirect("bookings:mine")
                text = gettext("Booked. You will be notified of each step by mail.")
                messages.success(request, text)
                return redirect("bookings:chain", chain_id=booked.pk)
            proposals = _proposals(actor, payer.code, wishes, form, now)
        except RulesRefuse as refused:
            refusals, status = refused.refusals, 409
        except WrongState as refused:
            problem, status = sentence(refused.code, refused.numbers), 409
        except Invalid as refused:
            _show(refused, form, steps)
            status = 400
        if status == 409:
            proposals = _proposals(actor, payer.code, wishes, form, now)
    elif (is_asked and not is_sound) or request.method == "POST":
        status = 400
    words = str(sent.get("q", ""))[:200].strip()
    context: dict[str, Any] = {
        "steps": steps,
        "form": form,
        "payer": payer,
        "payers": payers,
        "zone": zone.key,
        "q": words,
        "results": [i for i in search(Criteria(text=words))[:FOUND] if i not in instruments]
        if words
        else [],
        "is_full": len(steps) >= MOST_STEPS,
        "may_find": len(steps) >= FEWEST_STEPS,
        "proposals": proposals,
        "lacking": [
            i for i, n in zip(proposals.instruments, proposals.starts, strict=True) if not n
        ]
        if proposals
        else [],
        "refusals": refusals,
        "problem": problem,
        "state": [
            (name, value) for name, values in sent.lists() if name not in _ACTS for value in values
        ],
    }
    return render(request, "bookings/plans/chain_new.html", context, status=status)


def _proposals(
    actor: Actor, payer: str, wishes: Sequence[StepWish], form: ChainForm, now: datetime
) -> Proposals:
    return load_chains(
        actor,
        payer,
        wishes,
        form.within(),
        now,
        together=form.is_together,
        times=form.times(wishes),
    )


def _soonest(now: datetime) -> Period:
    """When the first step may be at the earliest."""
    return Period(now, now + timedelta(days=1))


def _ids(sent: QueryDict) -> list[UUID]:
    """The instruments named, with the one to add and without the one to remove."""
    ids = []
    for text in [*sent.getlist("instrument"), *sent.getlist("add")]:
        try:
            found = UUID(text)
        except ValueError:
            continue
        if found not in ids and text != sent.get("remove"):
            ids.append(found)
    return ids[:MOST_STEPS]


def _chosen(sent: QueryDict, rows: dict[UUID, Instrument]) -> list[Instrument]:
    """Those the reader may see, in the order given; the form then names these."""
    chosen = [rows[pk] for pk in _ids(sent) if pk in rows]
    sent.setlist("instrument", [str(i.pk) for i in chosen])
    return chosen


def _fill(
    sent: QueryDict, instruments: Sequence[Instrument], zone: ZoneInfo, now: datetime
) -> None:
    """What was not said yet: the shortest time, the first way of service, two weeks from
    tomorrow on."""
    tomorrow = (now.astimezone(zone) + timedelta(days=1)).date()
    values = {
        "earliest": f"{tomorrow:%Y-%m-%d}T00:00",
        "latest": f"{tomorrow + timedelta(days=DAYS):%Y-%m-%d}T00:00",
        "purpose": "research",
        "order": "chain",
    }
    for instrument in instruments:
        least = instrument.policy.min_minutes if hasattr(instrument, "policy") else 60
        values |= {
            f"{instrument.pk}-minutes": str(max(60, least)),
            f"{instrument.pk}-service_mode": next(iter(instrument.service_modes), ""),
            f"{instrument.pk}-gap_min": "0",
        }
    for name, value in values.items():
        if name not in sent:
            sent[name] = value


def _starts(texts: Sequence[str]) -> list[datetime]:
    """The starts of a proposal; one that cannot be read makes it none."""
    try:
        moments = [datetime.fromisoformat(text) for text in texts]
    except ValueError:
        return []
    return [] if any(m.tzinfo is None for m in moments) else [m.astimezone(UTC) for m in moments]


def _show(refused: Invalid, form: ChainForm, steps: Sequence[StepForm]) -> None:
    """Each problem at its field; `steps[1].gap_max` is of the second step."""
    for problem in refused.problems:
        text = sentence(problem.code, problem.numbers)
        where, _, name = problem.field.partition("].")
        number = where.removeprefix("steps[")
        if name and number.isdigit() and int(number) < len(steps):
            step = steps[int(number)]
            step.add_error(name if name in step.fields else None, text)
        else:
            field = "funding" if problem.field.startswith("funding") else problem.field
            form.add_error(field if field in form.fields else None, text)


@login_required
def chain(request: HttpRequest, chain_id: UUID) -> HttpResponse:
    return _page(request, chain_id)


def _page(
    request: HttpRequest, chain_id: UUID, status: int = 200, problem: str = ""
) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    found = chain_for(actor, chain_id)
    rows = [shown(row, now) for row in steps_of(actor, found)]
    is_own = actor.user_id == found.user_id
    is_host = not is_own and any(actor.may("manage-instruments", place_of(r.host)) for r in rows)
    may_cancel = any(is_left(row, now) for row in rows) and (
        is_own or is_host or actor.may("book-for-members", place_of(found.organisation))
    )
    context = {
        "chain": found,
        "rows": rows,
        "is_host": is_host,
        "cancellation": load_chain_cancellation(actor, found.pk, now) if may_cancel else None,
        "reason_form": ReasonForm(initial={"version": found.version}),
        "problem": problem,
    }
    return render(request, "bookings/plans/chain.html", context, status=status)


@login_required
@require_http_methods(["POST"])
def cancel(request: HttpRequest, chain_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, chain_id, status=400)
    try:
        chain_cancel(
            By(actor, now, form.cleaned_data["version"]),
            chain_id=chain_id,
            reason=form.cleaned_data["reason"],
        )
    except (WrongState, WrongVersion, RulesRefuse, Invalid) as refused:
        return _page(request, chain_id, status=409, problem=refusal_text(refused))
    messages.success(request, gettext("Cancelled."))
    return redirect("bookings:chain", chain_id=chain_id)

"""Chains: choosing steps, finding times for them, booking; one chain, cancelling it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import Invalid, Refused
from accounts.domain.roles import By
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, edits, reads
from bookings.catalogue.views.payers import no_organisation, payer_of
from bookings.catalogue.views.refusals import refusal_text
from bookings.funding.forms.funding import initial_of
from bookings.plans.domain.chains import FEWEST_STEPS, MOST_STEPS
from bookings.plans.forms.chains import ChainForm, StepForm
from bookings.plans.selectors import chains
from bookings.plans.services.chains import chain_book
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.selectors.reservations import manages, shown
from bookings.reserving.forms.reservations import ReasonForm
from bookings.reserving.models import Chain
from bookings.reserving.selectors.cancelling import is_left
from bookings.reserving.views.booking import default_offered, sources_offered
from instruments.house_rules.selectors.house_rules import load_house_rules, rules_to_accept
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instruments_for
from instruments.search.domain.search import Criteria
from instruments.search.selectors.search import search

FOUND = 8  # instruments shown for a search
DAYS = 14
# Parameters of the form itself, not of the chain.
_ACTS = {"add", "remove", "find", "q", "csrfmiddlewaretoken", "start"}


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Choose the steps and find times for them; POST books them. All choices are in the address."""
    by = by_of(request)
    actor = by.actor
    values = (request.POST if request.method == "POST" else request.GET).copy()
    payer, payers = payer_of(actor, values.get("organisation"))
    if payer is None or not actor.may("book", place_of(payer)):
        return no_organisation(request, payer)
    readable = {i.pk: i for i in instruments_for(actor).filter(pk__in=_ids(values))}
    instruments = [readable[pk] for pk in _ids(values) if pk in readable]
    values.setlist("instrument", [str(i.pk) for i in instruments])
    zone = instruments[0].facility.zone if instruments else ZoneInfo(actor.time_zone)
    soonest = Period(by.now, by.now + timedelta(days=1))
    sources = sources_offered(instruments[0], payer, soonest, actor) if instruments else []
    default = default_offered(payer, actor, sources)
    if "funding" not in values:
        values.update(initial_of(sources, default))
    _fill(values, instruments, zone, by.now)
    values["organisation"] = payer.code
    steps = [StepForm(values, instrument=i, index=n) for n, i in enumerate(instruments)]
    for step in steps:
        step.rules = rules_to_accept(load_house_rules(step.instrument, actor.user_id))
    form = ChainForm(values, zone=zone, steps=steps, sources=sources, default=default)

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        proposals: chains.Proposals | None = None
        is_sent = request.method == "POST" or "find" in values
        if is_sent and len(steps) >= FEWEST_STEPS and form.is_valid():
            wishes = [step.wish() for step in steps]
            try:
                proposals = chains.load_chains(
                    actor,
                    payer.code,
                    wishes,
                    form.within(),
                    by.now,
                    together=form.is_together,
                    times=form.times(wishes),
                )
            except Invalid as problem:
                form.refuse(problem.problems)
        if is_sent and not form.is_valid():
            status = 400
        text = str(values.get("q", ""))[:200].strip()
        results = search(Criteria(text=text))[:FOUND] if text else []
        tried = zip(proposals.instruments, proposals.starts, strict=True) if proposals else ()
        refusals = refused.refusals if isinstance(refused, RulesRefuse) else ()
        context: dict[str, Any] = {
            "steps": steps,
            "form": form,
            "payer": payer,
            "payers": payers,
            "zone": zone.key,
            "q": text,
            "results": [i for i in results if i not in instruments],
            "is_full": len(steps) >= MOST_STEPS,
            "may_find": len(steps) >= FEWEST_STEPS,
            "proposals": proposals,
            "lacking": [instrument for instrument, number in tried if not number],
            "refusals": refusals,
            "problem": "" if refusals else refusal_text(refused),
            "state": [
                (name, value) for name, several in values.lists() if name not in _ACTS for value in several
            ],
        }
        return render(request, "bookings/plans/chain_new.html", context, status=status)

    def work(by: By, data: dict[str, Any]) -> Chain | None:
        wishes = [step.wish() for step in steps]
        return chain_book(
            by,
            steps=wishes,
            organisation=payer.code,
            purpose=data["purpose"],
            purpose_text=data["purpose_text"],
            within=form.within(),
            starts=_starts(values.getlist("start")) or None,
            times=form.times(wishes),
            funding=form.shares(),
            together=form.is_together,
        )

    if request.method == "POST" and len(steps) < FEWEST_STEPS:
        return page(status=400)
    return act(
        request,
        page,
        work,
        to=lambda chain: reverse("bookings:chain", args=[chain.pk]) if chain else reverse("bookings:mine"),
        done=lambda chain: (
            gettext("Booked. You will be notified of each step by mail.")
            if chain
            else gettext("Booked. You will be notified of each by mail.")
        ),
        form=form,
    )


def _ids(values: QueryDict) -> list[UUID]:
    """Return the instruments of the query, including the one to add and without the one to remove."""
    ids = []
    for text in [*values.getlist("instrument"), *values.getlist("add")]:
        try:
            pk = UUID(text)
        except ValueError:
            continue
        if pk not in ids and text != values.get("remove"):
            ids.append(pk)
    return ids[:MOST_STEPS]


def _fill(values: QueryDict, instruments: Sequence[Instrument], zone: ZoneInfo, now: datetime) -> None:
    """Fill in the values that are missing: the shortest length (an hour at least), the first service mode,
    and a window of two weeks from tomorrow on."""
    tomorrow = (now.astimezone(zone) + timedelta(days=1)).date()
    usual = {
        "earliest": f"{tomorrow:%Y-%m-%d}T00:00",
        "latest": f"{tomorrow + timedelta(days=DAYS):%Y-%m-%d}T00:00",
        "purpose": "research",
        "order": "chain",
    }
    for instrument in instruments:
        least = instrument.policy.min_minutes if hasattr(instrument, "policy") else 60
        usual |= {
            f"{instrument.pk}-minutes": str(max(60, least)),
            f"{instrument.pk}-service_mode": next(iter(instrument.service_modes), ""),
            f"{instrument.pk}-gap_min": "0",
        }
    for name, value in usual.items():
        values.setdefault(name, value)


def _starts(texts: Sequence[str]) -> list[datetime]:
    """Return the starts of a proposal; empty if any of them cannot be read."""
    try:
        moments = [datetime.fromisoformat(text) for text in texts]
    except ValueError:
        return []
    return [] if any(m.tzinfo is None for m in moments) else [m.astimezone(UTC) for m in moments]


@reads
def chain(
    request: HttpRequest, chain_id: UUID, status: int = 200, refused: Refused | None = None, **forms: Any
) -> HttpResponse:
    """Show one chain: its steps, and a form for cancelling those that are left."""
    by = by_of(request)
    row = chains.chain_for(by.actor, chain_id)
    steps = [shown(step, by.now) for step in chains.steps_of(by.actor, row)]
    is_own = by.actor.user_id == row.user_id
    is_host = not is_own and any(manages(by.actor, step) for step in steps)
    may_cancel = any(is_left(step, by.now) for step in steps) and (
        is_own or is_host or by.actor.may("book-for-members", place_of(row.organisation))
    )
    context = {
        "chain": row,
        "rows": steps,
        "is_host": is_host,
        "cancellation": chains.load_chain_cancellation(by.actor, row.pk, by.now) if may_cancel else None,
        "reason_form": ReasonForm(initial={"version": row.version}),
        "problem": refusal_text(refused),
        **forms,
    }
    return render(request, "bookings/plans/chain.html", context, status=status)

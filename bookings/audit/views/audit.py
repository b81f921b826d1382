"""The auditors' desk: exceptions, findings and samples."""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import batched
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.errors import Invalid, Refused
from accounts.domain.roles import By
from accounts.letters import words
from accounts.models import Organisation, Region
from accounts.permissions import actor_of, require_somewhere
from accounts.selectors.memberships import place_of
from bookings.audit.domain.audit import may_become
from bookings.audit.forms.audit import (
    CloseForm,
    ExceptionFilterForm,
    ExceptionForm,
    ExceptionsForm,
    FindingForm,
    OtherFindingForm,
    ReplyForm,
    ReturnForm,
    SampleForm,
)
from bookings.audit.messages import rule_name
from bookings.audit.models import AuditException, AuditFinding
from bookings.audit.selectors.audit import (
    AUDIT,
    audited_organisations,
    exception_for,
    exceptions_for,
    exceptions_where,
    finding_for,
    finding_records,
    findings_for,
    findings_in,
    instruments_behind,
    organisations_with_exceptions,
    own_case,
    own_drawn,
    own_exceptions,
    own_findings,
    sample_for,
    samples_for,
)
from bookings.audit.selectors.sampling import drawn_rows, population_of
from bookings.audit.selectors.trail import audited_regions, readable_story
from bookings.audit.services.audit import exception_move, exceptions_decide, exceptions_find
from bookings.audit.services.findings import (
    Raised,
    finding_close,
    finding_raise,
    finding_reply,
    finding_return,
)
from bookings.audit.services.sampling import Sampling, sample_draw
from bookings.record.adapters.figures import Cell
from bookings.record.messages import sentence
from bookings.record.views.lists import csv_answer, wants_csv


@login_required
@require_safe
def exceptions(request: HttpRequest) -> HttpResponseBase:
    return _exceptions_page(request)


def _exceptions_page(
    request: HttpRequest, status: int = 200, many: ExceptionsForm | None = None
) -> HttpResponseBase:
    actor = actor_of(request.user)
    require_somewhere(actor, AUDIT)
    form = ExceptionFilterForm(
        request.GET,
        organisations=_choices(organisations_with_exceptions(actor)),
        regions=_choices(audited_regions(actor)),
    )
    form.is_valid()
    asked = {name: form.cleaned_data.get(name, "") for name in form.fields}
    found = exceptions_where(actor, **asked)
    if wants_csv(request):
        return csv_answer(request, "exceptions", HEADS, _exception_cells(found))
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "own": own_exceptions(actor, page.object_list),
        "instruments": instruments_behind(page.object_list),
        "decidable": {row.pk for row in page.object_list if may_become(row.state, "explained")},
        "many": many or ExceptionsForm(),
        "rule": asked["rule"],
        "is_filtered": any(asked.values()),
    }
    return render(request, "bookings/audit/exceptions.html", context, status=status)


@login_required
@require_POST
def decide_many(request: HttpRequest) -> HttpResponseBase:
    """One word on several; what could not be decided is named, and stays as it was."""
    actor = actor_of(request.user)
    require_somewhere(actor, AUDIT)
    form = ExceptionsForm(request.POST)
    if form.is_valid():
        try:
            done, refused = exceptions_decide(By(actor, timezone.now()), **form.cleaned_data)
        except Invalid as error:
            _say(form, error)
    if not form.is_valid():
        return _exceptions_page(request, 400, form)
    if done:
        text = ngettext("{n} exception decided.", "{n} exceptions decided.", len(done))
        messages.success(request, text.format(n=len(done)))
    rows = exceptions_for(actor).in_bulk([pk for pk, _ in refused])
    instruments = instruments_behind(rows.values())
    for pk, refusal in refused:
        row, instrument = rows.get(pk), instruments.get(pk)
        named = [rule_name(row.rule) if row else str(pk)]
        if instrument is not None:
            named.append(words.named(instrument))
        messages.error(request, f"{' · '.join(named)}: {sentence(refusal.code, refusal.numbers)}")
    return redirect(reverse("bookings:exceptions", query=request.GET))


def _choices(rows: Iterable[Organisation | Region]) -> list[tuple[str, str]]:
    """To choose one by its name in the reader's language."""
    return [(row.code, words.named(row)) for row in rows]


HEADS = (
    "exception", "rule", "rule_version", "state", "happened", "found", "organisation",
    "organisation_name", "numbers", "evidence", "reason", "decided", "instrument",
    "instrument_name",
)  # fmt: skip


def _exception_cells(found: QuerySet[AuditException]) -> Iterator[tuple[Cell, ...]]:
    for rows in batched(found.iterator(2000), 2000):
        instruments = instruments_behind(rows)
        for row in rows:
            instrument = instruments.get(row.pk)
            named = (str(instrument.pk), instrument.name) if instrument else ("", "")
            yield (*_cells(row), *named)


def _cells(row: AuditException) -> tuple[Cell, ...]:
    return (
        str(row.pk),
        row.rule,
        row.rule_version,
        row.state,
        row.happened_at.isoformat(),
        row.found_at.isoformat(),
        row.organisation.code,
        row.organisation.name,
        "; ".join(f"{name}={value}" for name, value in row.numbers.items()),
        "; ".join(f"{item['type']}={item['id']}" for item in row.evidence),
        row.reason,
        row.decided_at.isoformat() if row.decided_at else "",
    )


@login_required
@require_POST
def run(request: HttpRequest) -> HttpResponse:
    done = exceptions_find(now=timezone.now(), actor=actor_of(request.user))
    count = sum(done.counts.values())
    text = ngettext("{count} new exception.", "{count} new exceptions.", count)
    messages.success(request, text.format(count=count))
    return redirect("bookings:audit")


@login_required
@require_safe
def exception(request: HttpRequest, exception_id: UUID) -> HttpResponse:
    return _exception_page(request, exception_id)


def _exception_page(
    request: HttpRequest, exception_id: UUID, status: int = 200, **forms: Any
) -> HttpResponse:
    actor = actor_of(request.user)
    row = exception_for(actor, exception_id)
    own = own_exceptions(actor, [row])
    context = {
        "row": row,
        "refused": own_case(actor, row.region_ids) if own and row.state != "confirmed" else None,
        "finding": getattr(row, "finding", None),
        "story": readable_story(actor, row.pk),
        "may": {
            state: not own and may_become(row.state, state)
            for state in ("review", "explained", "confirmed")
        },
        "form": ExceptionForm(),
        "finding_form": FindingForm(),
        **forms,
    }
    return render(request, "bookings/audit/exception.html", context, status=status)


@login_required
@require_POST
def decide(request: HttpRequest, exception_id: UUID) -> HttpResponse:
    actor = actor_of(request.user)
    exception_for(actor, exception_id)
    form = ExceptionForm(request.POST)
    if not form.is_valid():
        return _exception_page(request, exception_id, 400, form=form)
    try:
        exception_move(By(actor, timezone.now()), exception_id=exception_id, **form.cleaned_data)
    except Invalid as refused:
        _say(form, refused)
        return _exception_page(request, exception_id, 400, form=form)
    messages.success(request, gettext("Noted, with your name and the time."))
    return redirect("bookings:exception", exception_id)


@login_required
@require_POST
def confirm(request: HttpRequest, exception_id: UUID) -> HttpResponse:
    """An exception becomes a finding."""
    actor = actor_of(request.user)
    exception_for(actor, exception_id)
    form = FindingForm(request.POST)
    if form.is_valid():
        try:
            made = finding_raise(
                By(actor, timezone.now()),
                raised=Raised(**form.cleaned_data, exception_id=exception_id),
            )
        except Invalid as refused:
            _say(form, refused)
        else:
            messages.success(request, gettext("The finding is raised, and its organisation told."))
            return redirect("bookings:finding", made.pk)
    return _exception_page(request, exception_id, 400, finding_form=form)


@login_required
def findings(request: HttpRequest) -> HttpResponseBase:
    """Those to see; auditors raise one that no exception led to."""
    actor, status = actor_of(request.user), 200
    sample_id = request.GET.get("sample", "")
    audited = _choices(audited_organisations(actor)) if actor.has("auditor") else []
    form = OtherFindingForm(initial={"sample": sample_id}, organisations=audited)
    if request.method == "POST":
        require_somewhere(actor, AUDIT)
        form, status = OtherFindingForm(request.POST, organisations=audited), 400
        if form.is_valid():
            data = form.cleaned_data
            try:
                made = finding_raise(
                    By(actor, timezone.now()), raised=Raised(sample_id=data.pop("sample"), **data)
                )
            except Invalid as refused:
                _say(form, refused)
            else:
                messages.success(
                    request, gettext("The finding is raised, and its organisation told.")
                )
                return redirect("bookings:finding", made.pk)
    asked_state, today = request.GET.get("state", ""), timezone.now().date()
    rows = findings_in(findings_for(actor), asked_state, today)
    if wants_csv(request):
        cells = map(_finding_cells, rows.iterator(2000))
        return csv_answer(request, "findings", FINDING_HEADS, cells)
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "own": own_findings(actor, page.object_list),
        "form": form,
        "state": asked_state if asked_state in FINDING_STATES else "",
        "states": [(code, str(label)) for code, label in FINDING_STATES.items()],
        "today": today,
        "raising": bool(sample_id or request.GET.get("raise")),
        "may_raise": actor.has("auditor"),
    }
    return render(request, "bookings/audit/findings.html", context, status=status)


# Besides the states of a finding what they ask for.
FINDING_STATES = {
    "unclosed": _("not closed"),
    "overdue": _("overdue"),
    "replied": AuditFinding.State.REPLIED.label,
    "closed": AuditFinding.State.CLOSED.label,
}
FINDING_HEADS = (
    "finding", "title", "severity", "state", "organisation", "organisation_name", "raised", "due",
    "replied", "closed", "text", "reply", "evidence",
)  # fmt: skip


def _finding_cells(row: AuditFinding) -> tuple[Cell, ...]:
    return (
        str(row.pk),
        row.title,
        row.severity,
        row.state,
        row.organisation.code,
        row.organisation.name,
        row.raised_at.isoformat(),
        row.due_date.isoformat(),
        row.replied_at.isoformat() if row.replied_at else "",
        row.closed_at.isoformat() if row.closed_at else "",
        row.text,
        row.reply,
        row.evidence,
    )


@login_required
@require_safe
def finding(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    return _finding_page(request, finding_id)


def _finding_page(
    request: HttpRequest, finding_id: UUID, status: int = 200, **forms: Any
) -> HttpResponse:
    actor = actor_of(request.user)
    row = finding_for(actor, finding_id)
    place = place_of(row.organisation)
    audits, answers = actor.may(AUDIT, place), actor.may("manage-charges", place)
    own = own_findings(actor, [row])
    context = {
        "row": row,
        "refused": own_case(actor, row.organisation.region.lineage)
        if audits and own and row.state != "closed"
        else None,
        "today": timezone.now().date(),
        "may_reply": answers and row.state == "open",
        "may_return": audits and not own and row.state == "replied",
        "may_close": audits and not own and row.state != "closed",
        "audits": audits,
        "records": finding_records(actor, row),
        "most": 200,
        "reply_form": ReplyForm(),
        "return_form": ReturnForm(),
        "close_form": CloseForm(),
        **forms,
    }
    return render(request, "bookings/audit/finding.html", context, status=status)


@login_required
@require_POST
def reply(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    return _finding_act(request, finding_id, ReplyForm(request.POST), "reply_form", finding_reply)


@login_required
@require_POST
def give_back(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    return _finding_act(
        request, finding_id, ReturnForm(request.POST), "return_form", finding_return
    )


@login_required
@require_POST
def close(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    return _finding_act(request, finding_id, CloseForm(request.POST), "close_form", finding_close)


def _finding_act(
    request: HttpRequest, finding_id: UUID, form: Any, name: str, act: Any
) -> HttpResponse:
    actor = actor_of(request.user)
    finding_for(actor, finding_id)
    if form.is_valid():
        try:
            act(By(actor, timezone.now()), finding_id=finding_id, **form.cleaned_data)
        except Invalid as refused:
            _say(form, refused)
        else:
            messages.success(request, gettext("Noted, with your name and the time."))
            return redirect("bookings:finding", finding_id)
    return _finding_page(request, finding_id, 400, **{name: form})


@login_required
def samples(request: HttpRequest) -> HttpResponse:
    actor, status, form = actor_of(request.user), 200, SampleForm(initial=_last_month())
    require_somewhere(actor, AUDIT)
    if request.method == "POST":
        form, status = SampleForm(request.POST), 400
        if form.is_valid():
            try:
                asked = Sampling(**form.cleaned_data)
                made = sample_draw(By(actor, timezone.now()), asked=asked)
            except Invalid as refused:
                _say(form, refused)
            except Refused as refused:
                form.add_error(None, sentence(refused.code, refused.numbers))
            else:
                return redirect("bookings:sample", made.pk)
    page = Paginator(samples_for(actor), 50).get_page(request.GET.get("page"))
    context = {"page": page, "form": form}
    return render(request, "bookings/audit/samples.html", context, status=status)


def _last_month() -> dict[str, date]:
    today = timezone.now().date()
    first = today.replace(day=1)
    last = date(first.year - 1, 12, 1) if first.month == 1 else first.replace(month=first.month - 1)
    return {"since": last, "until": first}


@login_required
@require_safe
def sample(request: HttpRequest, sample_id: UUID) -> HttpResponse:
    actor = actor_of(request.user)
    row = sample_for(actor, sample_id)
    drawn = drawn_rows(row)
    own = own_drawn(actor, drawn)
    refused = own_case(actor, row.region_ids) if own else None
    context = {"row": row, "drawn": drawn, "own": own, "refused": refused}
    return render(request, "bookings/audit/sample.html", context)


@login_required
@require_safe
def population(request: HttpRequest, sample_id: UUID) -> HttpResponse:
    row = sample_for(actor_of(request.user), sample_id)
    answer = HttpResponse(population_of(row), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="population-{row.pk}.csv"'
    return answer


def _say(form: Any, refused: Invalid) -> None:
    """What a service found wrong, beside its field."""
    for problem in refused.problems:
        field = problem.field if problem.field in form.fields else None
        form.add_error(field, sentence(problem.code, problem.numbers))

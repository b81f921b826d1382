"""The auditors' desk: exceptions, findings and samples."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from itertools import batched
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from accounts.letters import words
from accounts.models import Organisation, Region
from accounts.permissions import actor_of, require_somewhere
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, edits, reads, writes
from bookings.audit.domain.audit import may_become
from bookings.audit.domain.sampling import Sampling
from bookings.audit.forms.audit import (
    AuditForm,
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
from bookings.audit.services.sampling import sample_draw
from bookings.record.adapters.figures import Cell
from bookings.record.messages import sentence
from bookings.record.views.lists import csv_answer, wants_csv


@reads
def exceptions(request: HttpRequest) -> HttpResponseBase:
    return _exceptions_page(request)


def _exceptions_page(request: HttpRequest, status: int = 200, **forms: Any) -> HttpResponseBase:
    actor = actor_of(request.user)
    require_somewhere(actor, AUDIT)
    form = ExceptionFilterForm(
        request.GET,
        organisations=_choices(organisations_with_exceptions(actor)),
        regions=_choices(audited_regions(actor)),
    )
    form.is_valid()
    filters = {name: form.cleaned_data.get(name, "") for name in form.fields}
    rows = exceptions_where(actor, **filters)
    if wants_csv(request):
        return csv_answer(request, "exceptions", HEADS, _exception_cells(rows))
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "own": own_exceptions(actor, page.object_list),
        "instruments": instruments_behind(page.object_list),
        "decidable": {row.pk for row in page.object_list if may_become(row.state, "explained")},
        "many": ExceptionsForm(),
        "rule": filters["rule"],
        "is_filtered": any(filters.values()),
        **forms,
    }
    return render(request, "bookings/audit/exceptions.html", context, status=status)


@writes
def decide_many(request: HttpRequest) -> HttpResponseBase:
    """Decide several alike; those that could not be decided are named, and stay as they were."""
    actor = actor_of(request.user)
    require_somewhere(actor, AUDIT)

    def decided(result: tuple[list[AuditException], list[tuple[UUID, Refused]]]) -> str:
        done, refused = result
        if done:
            text = ngettext("{n} exception decided.", "{n} exceptions decided.", len(done))
            messages.success(request, text.format(n=len(done)))
        rows = exceptions_for(actor).in_bulk([pk for pk, _ in refused])
        instruments = instruments_behind(rows.values())
        for pk, refusal in refused:
            row, instrument = rows.get(pk), instruments.get(pk)
            names = [rule_name(row.rule) if row else str(pk)]
            if instrument is not None:
                names.append(words.named(instrument))
            text = sentence(refusal.code, refusal.numbers)
            messages.error(request, f"{' · '.join(names)}: {text}")
        return reverse("bookings:exceptions", query=request.GET)

    return act(
        request,
        partial(_exceptions_page, request),
        lambda by, data: exceptions_decide(by, **data),
        to=decided,
        form=ExceptionsForm(request.POST),
        name="many",
    )


def _choices(rows: Iterable[Organisation | Region]) -> list[tuple[str, str]]:
    """Offer rows by their names in the reader's language."""
    return [(row.code, words.named(row)) for row in rows]


HEADS = (
    "exception", "rule", "rule_version", "state", "happened", "found", "organisation",
    "organisation_name", "numbers", "evidence", "reason", "decided", "instrument",
    "instrument_name",
)  # fmt: skip


def _exception_cells(rows: QuerySet[AuditException]) -> Iterator[tuple[Cell, ...]]:
    for batch in batched(rows.iterator(2000), 2000):
        instruments = instruments_behind(batch)
        for row in batch:
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


@writes
def run(request: HttpRequest) -> HttpResponse:
    count = sum(exceptions_find(by_of(request)).counts.values())
    text = ngettext("{count} new exception.", "{count} new exceptions.", count)
    messages.success(request, text.format(count=count))
    return redirect("bookings:audit")


@reads
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


@writes
def decide(request: HttpRequest, exception_id: UUID) -> HttpResponse:
    return _exception_act(
        request,
        exception_id,
        ExceptionForm(request.POST),
        "form",
        lambda by, data: exception_move(by, exception_id=exception_id, **data),
        lambda _: reverse("bookings:exception", args=[exception_id]),
        gettext("Noted, with your name and the time."),
    )


@writes
def confirm(request: HttpRequest, exception_id: UUID) -> HttpResponse:
    """Confirm an exception: it becomes a finding."""
    return _exception_act(
        request,
        exception_id,
        FindingForm(request.POST),
        "finding_form",
        lambda by, data: finding_raise(by, raised=Raised(**data, exception_id=exception_id)),
        _address,
        gettext("The finding is raised, and its organisation told."),
    )


def _exception_act(
    request: HttpRequest,
    exception_id: UUID,
    form: AuditForm,
    name: str,
    work: Callable[[By, dict[str, Any]], Any],
    to: Callable[[Any], str],
    done: str,
) -> HttpResponse:
    exception_for(actor_of(request.user), exception_id)
    page = partial(_exception_page, request, exception_id)
    return act(request, page, work, to=to, done=done, form=form, name=name, shows=_shows(request))


def _address(row: AuditFinding) -> str:
    return reverse("bookings:finding", args=[row.pk])


def _shows(request: HttpRequest) -> Callable[[Refused], None]:
    """Say above the page what refuses an act."""
    return lambda refused: messages.error(request, sentence(refused.code, refused.numbers))


@edits
def findings(request: HttpRequest) -> HttpResponseBase:
    """List the findings one may see; POST raises one that no exception led to."""
    actor = actor_of(request.user)
    is_sent = request.method == "POST"
    if is_sent:
        require_somewhere(actor, AUDIT)
    form = OtherFindingForm(
        request.POST if is_sent else None,
        initial={"sample": request.GET.get("sample", "")},
        organisations=_choices(audited_organisations(actor)) if actor.has("auditor") else [],
    )
    return act(
        request,
        partial(_findings_page, request),
        lambda by, data: finding_raise(by, raised=Raised(sample_id=data.pop("sample"), **data)),
        to=_address,
        done=gettext("The finding is raised, and its organisation told."),
        form=form,
        shows=_shows(request),
    )


def _findings_page(request: HttpRequest, status: int = 200, **forms: Any) -> HttpResponseBase:
    actor, today = actor_of(request.user), timezone.now().date()
    state = request.GET.get("state", "")
    rows = findings_in(findings_for(actor), state, today)
    if wants_csv(request):
        cells = map(_finding_cells, rows.iterator(2000))
        return csv_answer(request, "findings", FINDING_HEADS, cells)
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "own": own_findings(actor, page.object_list),
        "state": state if state in FINDING_STATES else "",
        "states": [(code, str(label)) for code, label in FINDING_STATES.items()],
        "today": today,
        "raising": bool(request.GET.get("sample") or request.GET.get("raise")),
        "may_raise": actor.has("auditor"),
        **forms,
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


@reads
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


@writes
def reply(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    return _finding_act(request, finding_id, ReplyForm(request.POST), "reply_form", finding_reply)


@writes
def give_back(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    return _finding_act(
        request, finding_id, ReturnForm(request.POST), "return_form", finding_return
    )


@writes
def close(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    return _finding_act(request, finding_id, CloseForm(request.POST), "close_form", finding_close)


def _finding_act(
    request: HttpRequest, finding_id: UUID, form: AuditForm, name: str, service: Any
) -> HttpResponse:
    finding_for(actor_of(request.user), finding_id)
    return act(
        request,
        partial(_finding_page, request, finding_id),
        lambda by, data: service(by, finding_id=finding_id, **data),
        to=reverse("bookings:finding", args=[finding_id]),
        done=gettext("Noted, with your name and the time."),
        form=form,
        name=name,
        shows=_shows(request),
    )


@edits
def samples(request: HttpRequest) -> HttpResponse:
    """The samples that were drawn; POST draws one."""
    actor = actor_of(request.user)
    require_somewhere(actor, AUDIT)
    form = SampleForm(request.POST if request.method == "POST" else None, initial=_last_month())

    def page(status: int = 200, **forms: Any) -> HttpResponse:
        rows = Paginator(samples_for(actor), 50).get_page(request.GET.get("page"))
        context = {"page": rows, **forms}
        return render(request, "bookings/audit/samples.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: sample_draw(by, sampling=Sampling(**data)),
        to=lambda row: reverse("bookings:sample", args=[row.pk]),
        form=form,
        shows=lambda refused: form.add_error(None, sentence(refused.code, refused.numbers)),
    )


def _last_month() -> dict[str, date]:
    today = timezone.now().date()
    first = today.replace(day=1)
    last = date(first.year - 1, 12, 1) if first.month == 1 else first.replace(month=first.month - 1)
    return {"since": last, "until": first}


@reads
def sample(request: HttpRequest, sample_id: UUID) -> HttpResponse:
    actor = actor_of(request.user)
    row = sample_for(actor, sample_id)
    drawn = drawn_rows(row)
    own = own_drawn(actor, drawn)
    refused = own_case(actor, row.region_ids) if own else None
    context = {"row": row, "drawn": drawn, "own": own, "refused": refused}
    return render(request, "bookings/audit/sample.html", context)


@reads
def population(request: HttpRequest, sample_id: UUID) -> HttpResponse:
    row = sample_for(actor_of(request.user), sample_id)
    answer = HttpResponse(population_of(row), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="population-{row.pk}.csv"'
    return answer

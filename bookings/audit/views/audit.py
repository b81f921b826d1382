"""Pages of the auditors' desk: exceptions, findings and samples."""

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from accounts.letters import words
from accounts.models import Organisation, Region
from accounts.permissions import actor_of, require_somewhere
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, bare, by_of, edits, reads, writes
from bookings.audit.domain.audit import may_become
from bookings.audit.domain.sampling import Sampling
from bookings.audit.forms import audit
from bookings.audit.forms.actions import (
    AgreeForm,
    AttachForm,
    DoneForm,
    OwnerForm,
    SendBackForm,
    VerifyForm,
    WithdrawForm,
    offer_members,
)
from bookings.audit.models import AuditAction, AuditException, AuditFinding
from bookings.audit.selectors import audit as audit_selectors
from bookings.audit.selectors.actions import (
    finding_actions,
    finding_files,
    is_action_overdue,
    may_do,
    why_not_closed,
)
from bookings.audit.selectors.audit import finding_day
from bookings.audit.selectors.rules import rule_name
from bookings.audit.selectors.sampling import drawn_rows, population_of
from bookings.audit.selectors.trail import audited_regions, finding_steps, readable_story
from bookings.audit.services.audit import exceptions_decide, exceptions_find
from bookings.audit.services.findings import Raised, finding_raise
from bookings.audit.services.sampling import sample_draw
from bookings.record.messages import sentence
from bookings.record.views.lists import ListPage


@reads
def exceptions(request: HttpRequest) -> HttpResponseBase:
    return _exceptions_page(request)


def _exceptions_page(request: HttpRequest, status: int = 200, **forms: Any) -> HttpResponseBase:
    by = by_of(request)
    require_somewhere(by.actor, audit_selectors.AUDIT)
    form = audit.ExceptionFilterForm(
        request.GET,
        organisations=_choices(audit_selectors.organisations_with_exceptions(by.actor)),
        regions=_choices(audited_regions(by.actor)),
    )
    context = {"many": audit.ExceptionsForm()} | forms
    return EXCEPTIONS.answer(request, by, form=form, status=status, **context)


def _about(rows: list[AuditException], by: By) -> dict[str, Any]:
    return {
        "own": audit_selectors.own_exceptions(by.actor, rows),
        "decidable": {row.pk for row in rows if may_become(row.state, "explained")},
    }


EXCEPTIONS = ListPage("bookings/audit/exceptions.html", audit_selectors.EXCEPTIONS, about=_about, size=50)


@writes
def decide_many(request: HttpRequest) -> HttpResponseBase:
    """Decide several exceptions in the same way; the page names those that could not be decided."""
    actor = actor_of(request.user)
    require_somewhere(actor, audit_selectors.AUDIT)

    def decided(result: tuple[list[AuditException], list[tuple[UUID, Refused]]]) -> str:
        done, refused = result
        if done:
            text = ngettext("{n} exception decided.", "{n} exceptions decided.", len(done))
            messages.success(request, text.format(n=len(done)))
        rows = audit_selectors.exceptions_for(actor).in_bulk([pk for pk, _ in refused])
        audit_selectors.with_instruments(list(rows.values()))
        for pk, refusal in refused:
            row: Any = rows.get(pk)
            names = [rule_name(row.rule) if row else str(pk)]
            if row and row.about:
                names.append(words.named(row.about))
            text = sentence(refusal.code, refusal.numbers)
            messages.error(request, f"{' · '.join(names)}: {text}")
        return reverse("bookings:exceptions", query=request.GET)

    return act(
        request,
        partial(_exceptions_page, request),
        lambda by, data: exceptions_decide(by, **data),
        to=decided,
        form=audit.ExceptionsForm(request.POST),
        name="many",
    )


def _choices(rows: Iterable[Organisation | Region]) -> list[tuple[str, str]]:
    """Return organisations or regions as choices: the code, and the name in the reader's language."""
    return [(row.code, words.named(row)) for row in rows]


@writes
def run(request: HttpRequest) -> HttpResponse:
    count = sum(exceptions_find(by_of(request)).counts.values())
    text = ngettext("{count} new exception.", "{count} new exceptions.", count)
    messages.success(request, text.format(count=count))
    return redirect("bookings:audit")


@reads
def exception(request: HttpRequest, exception_id: UUID, status: int = 200, **forms: Any) -> HttpResponse:
    actor = actor_of(request.user)
    row = audit_selectors.exception_for(actor, exception_id)
    audit_selectors.with_details([row])
    own = audit_selectors.own_exceptions(actor, [row])
    context = {
        "row": row,
        "charge": audit_selectors.charge_behind(actor, row),
        "own_case": audit_selectors.own_case(actor, row.region_ids)
        if own and row.state != "confirmed"
        else None,
        "finding": getattr(row, "finding", None) or row.raised_in,
        "story": readable_story(actor, row.pk),
        "may": {
            state: not own and may_become(row.state, state) for state in ("review", "explained", "confirmed")
        },
        "form": audit.ExceptionForm(initial={"version": row.version}),
        "finding_form": audit.FindingForm(),
        **forms,
    }
    return render(request, "bookings/audit/exception.html", context, status=status)


@writes
def confirm(request: HttpRequest, exception_id: UUID) -> HttpResponse:
    """Confirm an exception: it becomes a finding."""
    return act(
        request,
        partial(bare(exception), request, exception_id),
        lambda by, data: finding_raise(by, raised=Raised(**data, exception_id=exception_id)),
        to=_address,
        done=gettext("The finding has been raised, and the organisation notified."),
        form=audit.FindingForm(request.POST),
        name="finding_form",
    )


def _address(row: AuditFinding) -> str:
    return reverse("bookings:finding", args=[row.pk])


def _shows(request: HttpRequest) -> Callable[[Refused], None]:
    """Return a function that shows a refusal as a message above the page."""
    return lambda refused: messages.error(request, sentence(refused.code, refused.numbers))


@edits
def findings(request: HttpRequest) -> HttpResponseBase:
    """List the findings that the reader may see; POST raises one without an exception."""
    actor = actor_of(request.user)
    is_sent = request.method == "POST"
    if is_sent:
        require_somewhere(actor, audit_selectors.AUDIT)
    form = audit.OtherFindingForm(
        request.POST if is_sent else None,
        initial={"sample": request.GET.get("sample", "")},
        organisations=_choices(audit_selectors.audited_organisations(actor)) if actor.has("auditor") else [],
    )
    return act(
        request,
        partial(_findings_page, request),
        lambda by, data: finding_raise(by, raised=Raised(sample_id=data.pop("sample"), **data)),
        to=_address,
        done=gettext("The finding has been raised, and the organisation notified."),
        form=form,
        shows=_shows(request),
    )


def _findings_page(request: HttpRequest, status: int = 200, **forms: Any) -> HttpResponseBase:
    by = by_of(request)
    now, actor = by.now, by.actor
    rows, working = FOUND.narrowed(request, by, audit_selectors.findings_for(actor))
    if file := FOUND.file(request, by, rows):
        return file
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    for row in page.object_list:
        row.is_overdue = audit_selectors.is_finding_overdue(row, now)
    context = {
        "page": page,
        "own": audit_selectors.own_findings(actor, page.object_list),
        "state": working["narrowing"].get("state", ""),
        "listing": audit_selectors.FINDINGS,
        "sort": working["sort"],
        "states": [(code, str(label)) for code, label in audit_selectors.FINDING_STATES.items()],
        "raising": bool(request.GET.get("sample") or request.GET.get("raise")),
        "may_raise": actor.has("auditor"),
        **forms,
    }
    return render(request, "bookings/audit/findings.html", context, status=status)


FOUND = ListPage("bookings/audit/findings.html", audit_selectors.FINDINGS)


@reads
def finding(
    request: HttpRequest, finding_id: UUID, status: int = 200, about: UUID | None = None, **forms: Any
) -> HttpResponse:
    by = by_of(request)
    row = audit_selectors.finding_for(by.actor, finding_id)
    place = place_of(row.organisation)
    audits, answers = by.actor.may(audit_selectors.AUDIT, place), by.actor.may("manage-charges", place)
    own, read = audit_selectors.own_findings(by.actor, [row]), {"version": row.version}
    is_open = row.state != "closed"
    may_audit = audits and not own and is_open
    is_overdue = audit_selectors.is_finding_overdue(row, by.now)
    exceptions = audit_selectors.exceptions_of(row)
    context = {
        "row": row,
        "own_case": audit_selectors.own_case(by.actor, row.organisation.region.lineage)
        if audits and own and is_open
        else None,
        "is_overdue": is_overdue,
        "is_follow_up_due": row.follow_up_date and is_open and row.follow_up_date <= finding_day(row, by.now),
        "may_reply": answers and row.state == "open",
        "may_return": may_audit and row.state == "replied",
        "may_state": may_audit and is_overdue,
        "may_close": may_audit,
        "may_agree": may_audit or (answers and is_open),
        "audits": audits,
        "records": audit_selectors.finding_records(by.actor, row),
        "most": 200,
        "exceptions": exceptions,
        "at_stake": sorted(audit_selectors.amounts_of(exceptions).items()),
        "amounts": audit_selectors.amounts_by_record(exceptions),
        "steps": finding_steps(row),
        "files": finding_files(row),
        "reply_form": audit.ReplyForm(initial=read),
        "return_form": audit.ReturnForm(initial=read),
        "close_form": audit.CloseForm(initial=read),
        "unanswered_form": audit.UnansweredForm(initial=read),
        "follow_up_form": audit.FollowUpForm(initial=read | {"follow_up_date": row.follow_up_date}),
        "agree_form": AgreeForm(initial=read),
        "attach_form": AttachForm(),
        **forms,
    }
    actions = finding_actions(row)
    context["agreed"] = [
        _action(each, by, context, may_audit=may_audit, answers=answers, about=about) for each in actions
    ]
    for form in (context["agree_form"], *(each.get("owner_form") for each in context["agreed"])):
        if form is not None:
            offer_members(form, row.organisation)
    if refused := why_not_closed(row, actions, by.now):
        context["not_closed"] = sentence(refused.code, refused.numbers)
    return render(request, "bookings/audit/finding.html", context, status=status)


def _action(
    row: AuditAction, by: By, context: dict[str, Any], *, may_audit: bool, answers: bool, about: UUID | None
) -> dict[str, Any]:
    """Return an action as the page of its finding shows it, with the forms that the reader may send; one that
    was refused keeps what was typed."""
    row.finding = context["row"]
    offered: dict[str, Any] = {
        "done_form": DoneForm if row.state == "agreed" and may_do(by.actor, row) else None,
        "verify_form": VerifyForm if may_audit and row.state == "done" else None,
        "back_form": SendBackForm if may_audit and row.state == "done" else None,
        "owner_form": OwnerForm if row.state == "agreed" and (may_audit or answers) else None,
        "withdraw_form": WithdrawForm if may_audit and row.state in {"agreed", "done"} else None,
    }
    if context["row"].state == "closed":
        offered = {}
    shown = {
        name: context[name]
        if about == row.pk and name in context
        else form(initial={"version": row.version}, auto_id=f"id_%s_{name}_{row.pk.hex[-6:]}")
        for name, form in offered.items()
        if form
    }
    is_refused = about == row.pk
    return {"row": row, "is_overdue": is_action_overdue(row, by.now), "is_refused": is_refused, **shown}


@edits
def samples(request: HttpRequest) -> HttpResponse:
    """List the samples that were drawn; POST draws one."""
    actor = actor_of(request.user)
    require_somewhere(actor, audit_selectors.AUDIT)
    form = audit.SampleForm(request.POST if request.method == "POST" else None, initial=_last_month())

    def page(status: int = 200, **forms: Any) -> HttpResponse:
        rows = Paginator(audit_selectors.samples_for(actor), 50).get_page(request.GET.get("page"))
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
    today = timezone.localdate()  # the reader's
    first = today.replace(day=1)
    last = date(first.year - 1, 12, 1) if first.month == 1 else first.replace(month=first.month - 1)
    return {"since": last, "until": first}


@reads
def sample(request: HttpRequest, sample_id: UUID) -> HttpResponse:
    actor = actor_of(request.user)
    row = audit_selectors.sample_for(actor, sample_id)
    drawn = drawn_rows(row)
    own = audit_selectors.own_drawn(actor, drawn)
    refused = audit_selectors.own_case(actor, row.region_ids) if own else None
    context = {"row": row, "drawn": drawn, "own": own, "refused": refused}
    return render(request, "bookings/audit/sample.html", context)


@reads
def population(request: HttpRequest, sample_id: UUID) -> HttpResponse:
    row = audit_selectors.sample_for(actor_of(request.user), sample_id)
    answer = HttpResponse(population_of(row), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="population-{row.pk}.csv"'
    return answer

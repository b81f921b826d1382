"""The page on which all exceptions of a rule and an organisation are decided at once."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.permissions import require_somewhere
from accounts.views.pages import act, by_of, edits
from bookings.audit.domain.audit import CONFIRMED
from bookings.audit.forms.risk import DecideAllForm
from bookings.audit.selectors import audit
from bookings.audit.services.bulk import MOST, DecidedAll, Verdict, exceptions_decide_all
from bookings.record.forms.working import WorkingForm

SHOWN = 10


@edits
def decide_all(request: HttpRequest) -> HttpResponse:
    """Show how many exceptions match the address, and decide them all."""
    by = by_of(request)
    require_somewhere(by.actor, audit.AUDIT)
    of = WorkingForm(request.GET, audit.EXCEPTIONS, orders={}).narrowing
    if not of.get("rule") or not of.get("organisation"):
        messages.error(request, gettext("Filter the list by a rule and an organisation first."))
        return redirect(reverse("bookings:exceptions", query=request.GET))
    form = DecideAllForm(request.POST if request.method == "POST" else None)

    def page(status: int = 200, **more: Any) -> HttpResponse:
        matching = list(audit.exceptions_matching(by, of, CONFIRMED)[: MOST + 1])
        own = audit.own_exceptions(by.actor, matching) if matching else frozenset()
        rows = [row for row in matching if row.pk not in own]
        context = {
            "rule": of["rule"],
            "organisation": rows[0].organisation if rows else None,
            "count": len(rows),
            "own": len(own),
            "is_too_many": len(matching) > MOST,
            "most": MOST,
            "amounts": sorted(audit.amounts_of(rows).items()),
            "shown": audit.with_details(rows[:SHOWN]),
            "form": form,
            **more,
        }
        return render(request, "bookings/audit/decide_all.html", context, status=status)

    def work(by: Any, data: dict[str, Any]) -> DecidedAll:
        count = data.pop("count")
        return exceptions_decide_all(by, of=of, count=count, verdict=Verdict(**data))

    def decided(result: DecidedAll) -> str:
        text = ngettext("{n} exception decided.", "{n} exceptions decided.", result.decided)
        messages.success(request, text.format(n=result.decided))
        if result.finding is not None:
            return reverse("bookings:finding", args=[result.finding.pk])
        return reverse("bookings:exceptions", query=request.GET)

    return act(request, page, work, to=decided, form=form)

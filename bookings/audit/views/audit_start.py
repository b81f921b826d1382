"""The page where an auditor begins: what waits, where how much is used, and whether the trail is intact."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.permissions import actor_of, require_somewhere
from accounts.selectors.verification import last_verified
from accounts.views.pages import reads
from bookings.audit.selectors.audit import AUDIT, exception_counts, findings_for, is_finding_overdue
from bookings.audit.selectors.hits import last_run
from bookings.hours.selectors.reading import use_by_region, used_of_open

# Of findings, the first to fall due.
SHOWN = 6
DAYS = 90


@reads
def audit(request: HttpRequest) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    require_somewhere(actor, AUDIT)
    today = timezone.localdate(now)  # the reader's
    since, until = today - timedelta(days=DAYS), today
    counts = exception_counts(actor)
    unclosed = list(findings_for(actor).exclude(state="closed").order_by("due_date", "id"))
    for row in unclosed:
        row.is_overdue = is_finding_overdue(row, now)  # type: ignore[attr-defined]
    regions = use_by_region(actor, since=since, until=until)
    context = {
        "counts": sorted(
            ((code, states) for code, states in counts.items() if states),
            key=lambda pair: -pair[1].get("open", 0) - pair[1].get("review", 0),
        ),
        "open": sum(states.get("open", 0) for states in counts.values()),
        "review": sum(states.get("review", 0) for states in counts.values()),
        "run": last_run(),
        "findings": unclosed[:SHOWN],
        "unclosed": len(unclosed),
        "overdue": sum(row.is_overdue for row in unclosed),  # type: ignore[attr-defined]
        "replied": sum(1 for row in unclosed if row.state == "replied"),
        "since": since,
        "until": until,
        "days": DAYS,
        "regions": regions,
        "used": sum(row.minutes.productive for row in regions),
        "used_of_open": used_of_open(regions),
        "verified": last_verified(),
    }
    return render(request, "bookings/audit/start.html", context)

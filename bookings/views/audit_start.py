"""Where an auditor begins: what waits, how much is used where, whether the trail holds."""

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.permissions import actor_of, require_somewhere
from accounts.selectors.seals import seals, unsealed_count
from accounts.selectors.verification import last_verified
from bookings.selectors.audit import AUDIT, exception_counts, findings_for, last_run
from bookings.selectors.utilisation_reading import figures_for

# Of findings, the first to fall due.
SHOWN = 6
DAYS = 90


@login_required
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    require_somewhere(actor, AUDIT)
    today = now.date()
    since, until = today - timedelta(days=DAYS), today
    counts = exception_counts(actor)
    unclosed = list(findings_for(actor).exclude(state="closed").order_by("due_date", "id"))
    used = figures_for(actor, narrowed={}, since=since, until=until, by=["region"])
    context = {
        "counts": sorted(
            ((code, found) for code, found in counts.items() if found),
            key=lambda pair: -pair[1].get("open", 0) - pair[1].get("review", 0),
        ),
        "open": sum(found.get("open", 0) for found in counts.values()),
        "review": sum(found.get("review", 0) for found in counts.values()),
        "run": last_run(),
        "findings": unclosed[:SHOWN],
        "unclosed": len(unclosed),
        "overdue": sum(1 for row in unclosed if row.state == "open" and row.due_date < today),
        "replied": sum(1 for row in unclosed if row.state == "replied"),
        "since": since,
        "until": until,
        "days": DAYS,
        "today": today,
        "regions": used.rows,
        "total": used.total,
        "newest": seals().first(),
        "waiting": unsealed_count(),
        "verified": last_verified(),
    }
    return render(request, "bookings/audit/start.html", context)

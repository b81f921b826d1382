"""The clock in words: jobs, how long they took, how long records are kept."""

from datetime import timedelta

from django import template
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import JobRun
from bookings.domain.retention import Kept

register = template.Library()

JOBS = {
    "carry out effects": _("Inbox, charges, freed slots, hours marked anew"),
    "make calls": _("Calls to others' addresses"),
    "deliver messages": _("Mails"),
    "lapse reservations": _("Requests and holds that lapse"),
    "complete reservations": _("Bookings that end, no-shows"),
    "overruns": _("People over their time"),
    "final charges": _("Charges that become final"),
    "melting fees": _("Cancellation fees that melt"),
    "settle waiting": _("Wishes that end"),
    "end enrolments": _("Waiting for courses that are over"),
    "look for waiting": _("Looking for the waiting list"),
    "hours": _("Hours"),
    "imports": _("Imports"),
    "harvests": _("Harvests"),
    "open windows": _("Opening hours ahead"),
    "statements": _("Statements and settlements"),
    "overdue statements": _("Reminders of overdue statements"),
    "certificates that run out": _("Certificates that run out"),
    "stale records": _("Stale records"),
    "file the register": _("The register filed anew"),
    "saved searches": _("Saved searches"),
    "seal the trail": _("Seals of the trail"),
    "verify the trail": _("The trail computed anew"),
    "newest seal": _("Mails of the newest seal"),
    "own calendars": _("Own calendars"),
    "exports of hours": _("Exports of hours"),
    "bundles": _("Bundles of the trail"),
    "exceptions": _("Exceptions for auditors"),
    "findings to answer": _("Reminders of findings"),
    "gather words": _("Words for the search"),
    "remove records": _("Removing old records"),
}
KEPT = {
    "outbox": _("Effects and messages that were had"),
    "outbox-failed": _("Effects and messages given up"),
    "messages": _("Messages in the inbox"),
    "idempotency-keys": _("Answers to requests with an Idempotency-Key"),
    "job-runs": _("Runs of the timetable"),
    "job-failures": _("Failures of jobs"),
    "import-rows": _("Rows and files of imports"),
    "trail-bundles": _("Bundles of the trail"),
    "hours-exports": _("Exports of hours"),
    "fetchings": _("What harvests fetched, and when"),
    "webhook-deliveries": _("What webhooks were told, and what they answered"),
    "holds": _("Holds that came to nothing"),
    "sessions": _("Sessions of signing in"),
    "tokens": _("Expired and revoked API tokens"),
    "invitations": _("Invitations nobody took"),
}
SINCE = {
    "done": _("after they were had"),
    "given-up": _("after they were given up"),
    "made": _("after they were made"),
    "last-tried": _("after the last attempt"),
    "ended": _("after they ended"),
    "expired": _("after they expired"),
}


@register.filter
def job(name: str) -> str:
    """What a job is called; a kind of effect by its code."""
    return str(JOBS.get(name, name))


@register.filter
def kept_kind(kind: str) -> str:
    return str(KEPT.get(kind, kind))


@register.filter
def kept_for(kept: Kept) -> str:
    """`90 days after they were had`."""
    since = str(SINCE.get(kept.since, kept.since))
    if not kept.span:
        return gettext("the night %(since)s") % {"since": since}
    if kept.span < timedelta(days=2):
        hours = int(kept.span.total_seconds() // 3600)
        text = ngettext("%(n)d hour %(since)s", "%(n)d hours %(since)s", hours)
        return text % {"n": hours, "since": since}
    text = ngettext("%(n)d day %(since)s", "%(n)d days %(since)s", kept.span.days)
    return text % {"n": kept.span.days, "since": since}


@register.filter
def took(run: JobRun) -> str:
    """How long a run took: `0.4 s`."""
    if run.ended_at is None:
        return "–"
    return f"{(run.ended_at - run.started_at).total_seconds():.1f} s"

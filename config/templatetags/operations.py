"""The clock in words: jobs, how long they took, how long records are kept."""

from datetime import timedelta

from django import template
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import JobRun
from bookings.record.domain.retention import Kept

register = template.Library()

JOBS = {
    "carry out effects": _("Inbox, charges, freed slots, hours to recompute"),
    "make calls": _("Calls to external addresses"),
    "deliver messages": _("Mails"),
    "lapse reservations": _("Expiring requests and holds"),
    "complete reservations": _("Ending bookings and no-shows"),
    "overruns": _("Overrunning use"),
    "final charges": _("Finalising charges"),
    "melting fees": _("Expiring cancellation fees"),
    "settle waiting": _("Expiring waiting-list entries"),
    "end enrolments": _("Waiting for courses that are over"),
    "moves of organisations": _("Moves of organisations"),
    "look for waiting": _("Matching free times to the waiting list"),
    "hours": _("Hours"),
    "imports": _("Imports"),
    "harvests": _("Harvests"),
    "meanings of needs": _("Meanings of needs"),
    "open windows": _("Upcoming opening hours"),
    "maintenance counters": _("Maintenance counters"),
    "purchases followed up": _("What became of purchase cases"),
    "enquiries": _("Enquiries and bids that end"),
    "batches": _("Batches of flexible needs"),
    "offers of batches": _("Offers of batches that lapse"),
    "samples to come": _("Reminders of samples that have not arrived"),
    "check results": _("Checksums of uploaded results"),
    "expire uploads": _("Expiring uploads"),
    "files of no answer": _("Deleting files that no answer names"),
    "overdue results": _("Reminders of overdue results"),
    "results that end": _("Announced deletions of results"),
    "results to delete": _("Deletions of results after retention"),
    "statements": _("Statements and settlements"),
    "overdue statements": _("Reminders of overdue statements"),
    "certificates that run out": _("Expiring certificates"),
    "stale records": _("Stale records"),
    "file the register": _("Search re-index"),
    "saved searches": _("Saved searches"),
    "matches": _("Instruments for what could not be had"),
    "ratings": _("Ratings that are shown"),
    "alarms": _("Alarms of idle instruments"),
    "hosts": _("How hosts kept to bookings"),
    "seal the trail": _("Seals of the trail"),
    "verify the trail": _("Verification of the trail"),
    "newest seal": _("Mails of the newest seal"),
    "own calendars": _("Own calendars"),
    "exports of hours": _("Exports of hours"),
    "bundles": _("Bundles of the trail"),
    "exceptions": _("Exceptions for auditors"),
    "findings to answer": _("Reminders of findings"),
    "gather words": _("Search vocabulary"),
    "remove records": _("Removing old records"),
}
KEPT = {
    "outbox": _("Completed actions and messages"),
    "outbox-failed": _("Abandoned actions and messages"),
    "messages": _("Messages in the inbox"),
    "idempotency-keys": _("Answers to requests with an Idempotency-Key"),
    "job-runs": _("Runs of the timetable"),
    "job-failures": _("Failures of jobs"),
    "import-rows": _("Rows and files of imports"),
    "trail-bundles": _("Bundles of the trail"),
    "hours-exports": _("Exports of hours"),
    "fetchings": _("History of harvests"),
    "webhook-deliveries": _("Webhook deliveries and their responses"),
    "holds": _("Holds not completed"),
    "sessions": _("Sign-in sessions"),
    "tokens": _("Expired and revoked API tokens"),
    "invitations": _("Invitations not accepted"),
}
SINCE = {
    "done": _("after completion"),
    "given-up": _("after abandonment"),
    "made": _("after creation"),
    "last-tried": _("after the last attempt"),
    "ended": _("after the end"),
    "expired": _("after expiry"),
}


@register.filter
def job(name: str) -> str:
    """Return what a job is called; a kind of effect by its code."""
    return str(JOBS.get(name, name))


@register.filter
def kept_kind(kind: str) -> str:
    return str(KEPT.get(kind, kind))


@register.filter
def kept_for(kept: Kept) -> str:
    """`90 days after completion`."""
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
    """Return how long a run took: `0.4 s`."""
    if run.ended_at is None:
        return "–"
    seconds = (run.ended_at - run.started_at).total_seconds()
    return gettext("{seconds} s").format(seconds=f"{seconds:.1f}")

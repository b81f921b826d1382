"""Format jobs for operators: their names, how long they took, how long records are kept."""

import re
from datetime import timedelta

from django import template
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.findings import Finding
from accounts.models import JobRun
from accounts.work import Kept
from bookings.operations.domain.failures import cause_of
from bookings.operations.messages import CAUSES, NOT_DONE, PARTS, UNFORESEEN, cause_remedy, cause_title, job

register = template.Library()
register.filter("job", job)
register.filter("cause_title", cause_title)
register.filter("cause_remedy", cause_remedy)

SINCE = {
    "done": _("after completion"),
    "given-up": _("after abandonment"),
    "made": _("after creation"),
    "last-tried": _("after the last attempt"),
    "ended": _("after the end"),
    "expired": _("after expiry"),
}


@register.filter
def unchecked_part(finding: Finding) -> str:
    """Return the name of a part that could not be examined, whose finding says only why."""
    part = PARTS.get(finding.area) if finding.code.endswith("-unchecked") else None
    return str(part or "")


@register.filter
def cause(error: str) -> str:
    """Return in a sentence what went wrong, from the text of an error."""
    address = re.search(r"[^\s'\"<>]+@[^\s'\"<>]+", error)
    words = CAUSES.get(cause_of(error), UNFORESEEN)[1]
    return str(words).format(address=address[0] if address else "–")


@register.filter
def not_done(name: str) -> str:
    """Return what will not happen once work of this name is given up."""
    words = NOT_DONE.get(name) or NOT_DONE.get(name.partition(".")[0])
    return str(
        words or _("This is not carried out: the people concerned are not told, or their books lack it.")
    )


@register.filter
def kept_for(kept: Kept) -> str:
    """Return how long a kind of record is kept: `90 days after completion`."""
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

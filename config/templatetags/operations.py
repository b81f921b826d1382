"""Format jobs for operators: their names, how long they took, how long records are kept."""

import re
from datetime import timedelta

from django import template
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import JobRun
from accounts.work import Kept, jobs

register = template.Library()

# Sentences for what errors say, by the first pattern that their text has.
CAUSES = (
    (r"SMTPRecipientsRefused.*(5\.2\.2|\(452|\(552)", _("The mailbox of {address} is full.")),
    (r"SMTPRecipientsRefused(?!.*5\.7\.).*(5\.1\.1|5\.1\.2|\(550)", _("There is no mailbox {address}.")),
    (r"SMTPRecipientsRefused", _("The mail server does not accept mail to {address}.")),
    (r"SMTPSenderRefused", _("The mail server does not accept the sender's address.")),
    (r"SMTPAuthenticationError", _("The mail server does not accept the user name or the password.")),
    (r"SMTP(ServerDisconnected|ConnectError|HeloError)", _("The mail server does not answer.")),
    (r"SMTP", _("The mail server does not accept the mail.")),
    (r"Errno 28\b", _("No space is left on the disk.")),
    (r"TimeoutError|timed out", _("There was no answer in time.")),
    (r"Connection(Refused|Reset|Aborted)Error", _("The connection was refused or broken off.")),
    (r"gaierror|Name or service not known", _("The name of the server is not known.")),
    (r"worker died", _("The worker stopped each time it tried.")),
)

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
    """Return the name of a job; for a kind of effect, its code."""
    if name == "letter.send":  # of the kinds of effects the one that fails most
        return gettext("Mails")
    found = jobs().get(name)
    return str(found.words) if found else name


@register.filter
def cause(error: str) -> str:
    """Return in a sentence what went wrong, from the text of an error."""
    address = re.search(r"[^\s'\"<>]+@[^\s'\"<>]+", error)
    for pattern, words in CAUSES:
        if re.search(pattern, error):
            return str(words).format(address=address[0] if address else "–")
    return gettext("It failed in a way that nobody foresaw.")


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

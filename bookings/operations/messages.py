"""The words of *operations*: names of jobs and parts, what went wrong, and what to do."""

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.work import jobs, letters

# By code of the cause (bookings/operations/domain/failures.py): what went wrong as a heading and as a
# sentence about one failure, and what to do.
CAUSES = {
    "mailbox-full": (
        _("mailbox full"), _("The mailbox of {address} is full."),
        _("Ask these people to empty their mailbox, or change their address; then retry."),
    ),
    "no-mailbox": (
        _("no such mailbox"), _("There is no mailbox {address}."),
        _("Correct the address of these people and retry, or give up."),
    ),
    "recipient-refused": (
        _("recipient refused"), _("The mail server does not accept mail to {address}."),
        _("Ask whoever runs the mail server of this address to accept mail of the platform; then retry."),
    ),
    "sender-refused": (
        _("sender refused"), _("The mail server does not accept the sender's address."),
        _("Correct MAIL_FROM, or let the mail server accept it; then retry."),
    ),
    "mail-password": (
        _("mail password refused"), _("The mail server does not accept the user name or the password."),
        _("Correct MAIL_USER and MAIL_PASSWORD, restart the workers, and retry."),
    ),
    "mail-server-away": (
        _("mail server away"), _("The mail server does not answer."),
        _("Bring the mail server back; what waits is then sent by itself."),
    ),
    "mail-refused": (
        _("mail refused"), _("The mail server does not accept the mail."),
        _("Read the answer of the mail server under Details."),
    ),
    "disk-full": (
        _("disk full"), _("No space is left on the disk."), _("Make room on the disk, then retry."),
    ),
    "no-answer": (
        _("no answer in time"), _("There was no answer in time."),
        _("Look whether the other system is up; then retry."),
    ),
    "refused-connection": (
        _("connection refused"), _("The connection was refused or broken off."),
        _("Look whether the other system is up; then retry."),
    ),
    "unknown-host": (
        _("unknown host"), _("The name of the server is not known."),
        _("Correct the address, or the name server of this machine; then retry."),
    ),
    "worker-died": (
        _("worker stopped"), _("The worker stopped each time it tried."),
        _("Look at the log of the worker, often for lack of memory; then retry."),
    ),
    "receiver-gone": (
        _("address gone"), _("The receiver says that this address is gone."),
        _("Ask the organisation for the new address of its webhook, or give up."),
    ),
    "receiver-fails": (
        _("receiver fails"), _("The receiver answers that it failed."),
        _("Tell the organisation; retry when its system works again."),
    ),
    "receiver-refuses": (
        _("receiver refuses"), _("The receiver refuses what is sent."),
        _("Tell the organisation: its system has to accept the message. Then retry."),
    ),
    "certificate": (
        _("certificate not valid"), _("The certificate of the server is not valid."),
        _("Tell whoever runs the server to renew its certificate; then retry."),
    ),
    "address": (
        _("address not usable"), _("Nothing usable is found at the address."),
        _("Tell the organisation to correct the address; then retry."),
    ),
    "file-failed": (
        _("file not written"), _("The file could not be written."),
        _("Look at the log of the worker, then retry; or give up, and it can be requested again."),
    ),
    "file-unreadable": (
        _("file not readable"), _("The file could not be read."),
        _("Tell the organisation to correct the file; then retry."),
    ),
}  # fmt: skip
UNFORESEEN = (
    _("unforeseen error"), _("It failed in a way that nobody foresaw."),
    _("Read the error under Details and in the log; report it, and retry after an upgrade that corrects it."),
)  # fmt: skip

# What does not happen once it is given up, by the name of the work or the part before its first full stop.
NOT_DONE = {
    "letter": _("These mails are not sent. The messages stay in the inboxes on the platform."),
    "digest": _("These digests are not sent. The messages stay in the inboxes on the platform."),
    "people": _("These people do not get the message or code; they can request another."),
    "webhook": _("The receivers are not told of these events; the organisations can replay each."),
    "harvests": _("These harvests are paused: nothing is fetched until a manager resumes them."),
    "imports": _("These imports stay as they are; the files have to be uploaded again."),
    "exports of hours": _("These files are not written; they can be requested again."),
    "papers of auditors": _("These files are not written; they can be requested again."),
    "bundles": _("These files are not written; they can be requested again."),
}

# The parts of the installation (config/operations/doctor.py, bookings/operations/selectors/health.py).
PARTS: dict[str, str | Promise] = {
    "examined": _("Examination"),
    "versions": _("Versions"),
    "database": _("Database"),
    "keys": pgettext_lazy("secret", "Keys"),
    "connection": _("Database connection"),
    "clocks": _("Clocks"),
    "broker": _("Broker"),
    "eviction": _("Memory of the broker"),
    "workers": _("Workers"),
    "timetable": _("Timetable"),
    "work": _("Background jobs"),
    "mail": _("Mail server"),
    "sender": _("Sender of mail"),
    "proxies": _("Proxies"),
    "encryption": _("Encryption"),
    "certificate": _("TLS certificate"),
    "mails": _("Mails"),
    "failures": _("Failures"),
    "files": _("Uploaded files"),
    "disk": _("Disk"),
    "uploads": _("Upload service"),
    "safety": _("Archive and standbys"),
    "maintenance": _("Maintenance"),
    "backups": _("Backups"),
    "replica": _("Replica for reading"),
    "installation": _("Installation"),
}


def job(name: str) -> str:
    """Return the name of a job; for a kind of effect, its code."""
    if name == "letter.send":  # of the kinds of effects the one that fails most
        return gettext("Mails")
    if name == "people.sign-in":
        return gettext("Sign-in mail")
    if name == "webhook.deliver":
        return gettext("Webhooks")
    found = jobs().get(name)
    if found is None and name in letters():
        return gettext("Messages") + f" ({name})"
    return str(found.words) if found else name


def cause_title(code: str) -> str:
    """Return what a cause is called; an error that nobody foresaw has its type behind it."""
    if code in CAUSES or code == "unforeseen":
        return str(CAUSES.get(code, UNFORESEEN)[0])
    return f"{UNFORESEEN[0]} ({code})"


def cause_remedy(code: str) -> str:
    """Return what to do about a cause."""
    return str(CAUSES.get(code, UNFORESEEN)[2])

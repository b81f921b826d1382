"""Rules for failures: what the text of an error says about its cause, and which work is never given up."""

import re

# Codes of causes, by the first pattern that the text of an error has.
CAUSES = (
    ("mailbox-full", r"SMTPRecipientsRefused.*(5\.2\.2|\(452|\(552)"),
    ("no-mailbox", r"SMTPRecipientsRefused(?!.*5\.7\.).*(5\.1\.1|5\.1\.2|\(550)"),
    ("recipient-refused", r"SMTPRecipientsRefused"),
    ("sender-refused", r"SMTPSenderRefused"),
    ("mail-password", r"SMTPAuthenticationError"),
    ("mail-server-away", r"SMTP(ServerDisconnected|ConnectError|HeloError)"),
    ("mail-refused", r"SMTP"),
    ("disk-full", r"Errno 28\b"),
    ("no-answer", r"TimeoutError|timed out|^too-slow"),
    ("refused-connection", r"Connection(Refused|Reset|Aborted)Error|^unreachable"),
    ("unknown-host", r"gaierror|Name or service not known|^host-unknown"),
    ("worker-died", r"worker died|^import-failed"),
    ("receiver-gone", r"^HTTP 410"),
    ("receiver-fails", r"^HTTP 5"),
    ("receiver-refuses", r"^HTTP \d"),
    ("certificate", r"^bad-certificate"),
    ("address", r"^(address-|answer-|sent-elsewhere|too-many-redirects)"),
    ("file-failed", r"^file-failed"),
    ("file-unreadable", r"^(?!unforeseen$)[a-z]+(-[a-z]+)+$"),
)
_TYPE = re.compile(r"([A-Za-z]\w{0,38})(?::|$)")
UNFORESEEN = "unforeseen"


def cause_of(error: str) -> str:
    """Return the code of the cause that the text of an error names. For an error that nobody foresaw it is
    the type of the error, or `unforeseen`."""
    for code, pattern in CAUSES:
        if re.search(pattern, error):
            return code
    kind = _TYPE.match(error)
    return kind[1] if kind else UNFORESEEN


def may_give_up(is_job: bool) -> bool:
    """Return whether people may give up work that fails. The things of a job are never given up, because the
    books are wrong until nothing is missing."""
    return not is_job

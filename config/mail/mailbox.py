"""Show the mail of the demonstration in the browser (local mode only).

No mail leaves the machine: config/mail/backend.py writes each message to a folder, and this page shows
readers theirs. Administrators see all. A visitor who is not signed in sees what their own sign-up or password
reset has sent, because they could not continue without its link.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses
from itertools import islice
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.adapters.allauth import MAIL_ADDRESS_KEY
from accounts.domain.errors import NotFound
from accounts.models import User
from accounts.permissions import actor_of

MOST = 200  # messages shown
SEARCHED = 5000  # newest files looked into
STEM = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True)
class Mail:
    """A message as the page shows it."""

    stem: str
    subject: str
    sender: str
    recipients: tuple[str, ...]
    sent_at: datetime | None
    text: str


@never_cache
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """Show the list of messages, or with `?message=` one of them."""
    if not settings.LOCAL_MODE:
        raise NotFound
    own = addresses_of(request)
    if not own:
        return redirect_to_login(request.get_full_path())
    everybodys = actor_of(request.user).has("administrator")
    message = request.GET.get("message")
    if message is not None:
        mail = read_mail(settings.LOCAL_MAIL, message)
        if mail is None or not (everybodys or is_for(mail, own)):
            raise NotFound
        return render(request, "mailbox.html", {"mail": mail})
    stems = list_mail(settings.LOCAL_MAIL, None if everybodys else own)
    page = Paginator(stems, 25).get_page(request.GET.get("page"))
    mails = [mail for stem in page if (mail := read_mail(settings.LOCAL_MAIL, stem))]
    context = {"mails": mails, "page": page, "everybodys": everybodys, "own": sorted(own), "most": MOST}
    return render(request, "mailbox.html", context)


def addresses_of(request: HttpRequest) -> frozenset[str]:
    """Return the reader's addresses, including one they have yet to confirm unless it is another person's.
    For a visitor, return the address that their own sign-up or password reset wrote to."""
    if isinstance(request.user, User):
        own = {request.user.email.lower()}
        for address in EmailAddress.objects.filter(user=request.user):
            if address.verified or not _is_anothers(address.email, request.user):
                own.add(address.email.lower())
        return frozenset(own)
    address = request.session.get(MAIL_ADDRESS_KEY)
    return frozenset({address.lower()} if address else ())


def _is_anothers(address: str, reader: User) -> bool:
    """Return whether another person signs in with the address or has confirmed it."""
    people = User.objects.filter(email__iexact=address).exclude(pk=reader.pk)
    confirmed = EmailAddress.objects.filter(email__iexact=address, verified=True)
    return people.exists() or confirmed.exclude(user=reader).exists()


def list_mail(folder: Path, own: frozenset[str] | None) -> list[str]:
    """Return the names of the newest messages to the addresses `own`, or to anybody without it. Messages that
    cannot be read are skipped; only the headers of the others are read."""
    # Names begin with the time of writing (UUID version 7).
    stems = sorted((path.stem for path in folder.glob("*.eml")), reverse=True)[:SEARCHED]
    mine = (stem for stem in stems if own is None or _is_to(folder / f"{stem}.eml", own))
    return list(islice(mine, MOST))


def _is_to(path: Path, own: frozenset[str]) -> bool:
    try:
        with path.open("rb") as file:
            header = b""
            for line in file:
                if not line.strip():
                    break
                header += line.lower()
    except OSError:
        return False
    if not any(address.encode() in header for address in own):
        return False
    mail = read_mail(path.parent, path.stem)
    return mail is not None and is_for(mail, own)


def read_mail(folder: Path, stem: str) -> Mail | None:
    """Return a message of the mail folder; None if there is none of this name or it cannot be read."""
    if not STEM.fullmatch(stem):
        return None
    try:
        content = (folder / f"{stem}.eml").read_bytes()
        message = BytesParser(EmailMessage, policy=policy.default).parsebytes(content)
        return Mail(
            stem=stem,
            subject=str(message["subject"] or ""),
            sender=str(message["from"] or ""),
            recipients=tuple(
                address for _, address in getaddresses([*map(str, message.get_all("to", []))]) if address
            ),
            sent_at=_sent_at(message),
            text=_text(message),
        )
    except Exception:  # the standard library's parser has no one error for a broken message
        return None


def is_for(mail: Mail, own: frozenset[str]) -> bool:
    return any(recipient.lower() in own for recipient in mail.recipients)


def _sent_at(message: EmailMessage) -> datetime | None:
    sent_at: datetime | None = getattr(message["date"], "datetime", None)
    if sent_at is not None and sent_at.tzinfo is None:
        return sent_at.replace(tzinfo=UTC)
    return sent_at


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError):  # an encoding nobody knows
        return bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")

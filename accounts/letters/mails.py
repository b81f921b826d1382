"""Letters to people, and how they become mail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from accounts.letters.words import listed, site_name
from accounts.models import Message, User
from accounts.selectors.installation import installation
from accounts.selectors.messages import all_topics

# What mail programs show is what stands in the tags.
STYLES = {
    "body": "margin:0;padding:0;background:#f1f4f7",
    "around": "padding:24px 8px",
    "sheet": "width:100%;max-width:600px;background:#ffffff;border:1px solid #dce3ea;"
    "border-radius:6px;font-family:-apple-system,Segoe UI,Roboto,Noto Sans SC,"
    "PingFang SC,Microsoft YaHei,Arial,sans-serif;font-size:15px;line-height:1.5;"
    "color:#182433;text-align:left",
    "top": "padding:14px 24px;border-bottom:3px solid #0a5c8c;font-weight:600;color:#0a5c8c",
    "inside": "padding:20px 24px 8px",
    "p": "margin:0 0 14px",
    "lead": "margin:0 0 16px;font-size:17px",
    "head": "margin:0 0 6px;font-weight:600",
    "facts": "border-collapse:collapse;margin:0 0 18px",
    "th": "text-align:left;vertical-align:top;padding:5px 16px 5px 0;color:#5a6877;font-weight:normal",
    "td": "vertical-align:top;padding:5px 0",
    "button": "display:inline-block;padding:10px 18px;background:#0a5c8c;color:#ffffff;"
    "text-decoration:none;border-radius:4px;font-weight:600",
    "link": "color:#0a5c8c;word-break:break-all",
    "code": "margin:0 0 16px;font-size:24px;font-weight:600;letter-spacing:2px",
    "list": "margin:0 0 14px;padding-left:20px",
    "foot": "padding:14px 24px;border-top:1px solid #dce3ea;font-size:13px;color:#5a6877",
    "quiet": "color:#5a6877",
}
UNSUBSCRIBE_SALT = "messages.unsubscribe"


@dataclass(frozen=True)
class Stranger:
    """A reader without an account, with their probable language and time zone. They are written to by mail
    only."""

    email: str
    language: str
    time_zone: str
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.email


@dataclass(frozen=True)
class Letter:
    """A message to one person. `text` says everything; `html` says the same in the platform's design;
    `calendar` is iCalendar with a METHOD; `link` is a path on this site; `about` is the id of the row it is
    about; after `matters_until` it would come too late; if it `is_urgent`, it leaves in quiet hours too."""

    person: Any  # a `User`, or a `Stranger`
    topic: str
    kind: str
    subject: str
    text: str
    html: str
    link: str = ""
    calendar: str = ""
    about: UUID | None = None
    matters_until: datetime | None = None
    is_urgent: bool = False

    @property
    def is_to_stranger(self) -> bool:
        return isinstance(self.person, Stranger)


class Mail(EmailMultiAlternatives):
    """A mail whose calendar part, if any, states its method, so that the reader's program offers to enter,
    change or remove the event."""

    def message(self, **kwargs: Any) -> EmailMessage:
        message: EmailMessage = super().message(**kwargs)
        for part in message.walk():
            if part.get_content_type() == "text/calendar":
                part.set_param("method", method_of(str(part.get_content())))
        return message


def method_of(calendar: str) -> str:
    """Return the method of an iCalendar text: REQUEST or CANCEL."""
    return calendar.partition("METHOD:")[2].split(maxsplit=1)[0]


def framed(
    template: str, topics: Sequence[str], person: User | Stranger, context: Mapping[str, Any]
) -> tuple[str, str]:
    """Return the text and the HTML of a letter, from `<template>.txt` and from `<template>.html` in the
    frame."""
    content = {
        "site": settings.SITE_URL,
        **context,
        "person": person,
        "mail_footer": footer(topics, person),
        "style": STYLES,
        "installation": installation(),
    }
    text = render_to_string(f"{template}.txt", content)
    return text.strip() + "\n", render_to_string(f"{template}.html", content)


def footer(topics: Sequence[str], person: User | Stranger) -> dict[str, str]:
    """Return what the footer says in the current language: why the mail came, and the links to change that. A
    person without an account has nothing to change."""
    if isinstance(person, Stranger):
        return {"settings": "", "stop": ""}
    return {
        "topics": listed(all_topics()[topic].label for topic in topics),
        "settings": settings.SITE_URL + reverse("accounts:message-settings"),
        "stop": unsubscribe_address(person, topics),
    }


def unsubscribe_address(person: User, topics: Sequence[str]) -> str:
    """Return the address that switches off mail of the topics without signing in; empty if all are
    required."""
    free = [topic for topic in topics if not all_topics()[topic].is_required]
    if not free:
        return ""
    token = signing.dumps([person.pk.hex, *free], salt=UNSUBSCRIBE_SALT)
    return settings.SITE_URL + reverse("accounts:unsubscribe", kwargs={"token": token})


def unsubscribed_by(token: str) -> tuple[UUID, list[str]] | None:
    """Return the person and the topics of an unsubscribe address; None if we did not make its token."""
    try:
        person, *topics = signing.loads(token, salt=UNSUBSCRIBE_SALT)
        return UUID(person), topics
    except (signing.BadSignature, ValueError):
        return None


def mail_of(
    letter: Letter | Message, person: User | Stranger, name: str, *, topics: Sequence[str] = ()
) -> Mail:
    """Return a letter, or a message of the inbox, as mail. `name` determines its Message-ID, which stays the
    same when it is sent again. `topics` are given if it covers several. A topic that can be switched off gets
    a one-click header (RFC 8058)."""
    headers = {"Message-ID": f"<{name}@instrument-commons>", "Auto-Submitted": "auto-generated"}
    language = letter.language if isinstance(letter, Message) else person.language
    with translation.override(language):
        mail_footer = footer(topics or [letter.topic], person)
        below = render_to_string(
            "accounts/mail/footer.txt", {"mail_footer": mail_footer, "installation": installation()}
        )
    if mail_footer["stop"]:
        headers["List-Unsubscribe"] = f"<{mail_footer['stop']}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = Mail(subject=letter.subject, body=letter.text + below, to=[person.email], headers=headers)
    mail.attach_alternative(letter.html, "text/html")
    if letter.calendar:
        # Calendars offer to enter the alternative; every other program can open the file.
        mail.attach_alternative(letter.calendar, "text/calendar")
        mail.attach("booking.ics", letter.calendar, "text/calendar")
    return mail


def digest_mail(messages: Sequence[Message], person: User, name: str) -> Mail:
    """Return several messages as one mail, grouped by topic, in the person's language."""
    with translation.override(person.language), timezone.override(ZoneInfo(person.time_zone)):
        groups: dict[str, list[Message]] = {}
        for message in messages:
            groups.setdefault(message.topic, []).append(message)
        topics = list(groups)
        context = {
            "count": len(messages),
            "groups": [(all_topics()[topic].label, group) for topic, group in groups.items()],
            "link": settings.SITE_URL + reverse("accounts:messages"),
        }
        subject = ngettext("{n} message", "{n} messages", len(messages)).format(n=len(messages))
        letter = Letter(
            person,
            topics[0],
            "digest",
            f"{site_name()}: {subject}",
            *framed("accounts/mail/digest", topics, person, context),
        )
        return mail_of(letter, person, name, topics=topics)

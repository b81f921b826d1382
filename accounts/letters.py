"""Letters to people: what one is, how it becomes mail, and those about people's places.

Whoever has something to say composes `Letter`s; `services/messages.py` puts them into inboxes and
sends them, as each reader has chosen.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.account import app_settings as sign_in
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.messages import TOPICS
from accounts.domain.roles import ADMINISTRATOR, FINANCE, MANAGER, NO_SECOND, SECOND_ROLE
from accounts.models import (
    Invitation,
    JoinRequest,
    Membership,
    Message,
    Organisation,
    OrganisationMove,
    OrganisationRequest,
    OutboxMessage,
    Region,
    RoleGrant,
    User,
)
from accounts.selectors.installation import installation
from accounts.selectors.joining import (
    invitation_token,
    invitations,
    inviter_organisation,
    join_requests,
)
from accounts.selectors.memberships import (
    coordinators_of,
    holders_of,
    is_member,
    managers_or_administrators,
    no_second,
)
from accounts.selectors.messages import readers_of
from accounts.selectors.organisations import organisation_requests
from accounts.selectors.secrets import digest_of
from accounts.selectors.users import user_by_email

TOPIC_NAMES = {
    "confirmation": _("Bookings made"),
    "request": _("Requests to approve"),
    "decision": _("Answers to my requests"),
    "reminder": _("Reminders"),
    "change": _("Changes and cancellations"),
    "displacement": _("Displaced by a closure"),
    "offer": _("Waiting-list offers"),
    "expiry": _("About to expire"),
    "no-show": _("Bookings not used"),
    "charge": _("Charges"),
    "statement": _("Statements and settlements"),
    "use": _("During and after use"),
    "account": _("My account and memberships"),
    "training": _("Courses"),
    "record": _("Records of instruments"),
    "search": _("Saved searches"),
    "connection": _("Connections to other systems"),
    "audit": _("Audit desk"),
    "seal": _("Seals of the trail"),
}
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
    "th": "text-align:left;vertical-align:top;padding:5px 16px 5px 0;color:#5a6877;"
    "font-weight:normal",
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
class Letter:
    """Something to say to one person. `text` says everything; `html` is the same in our look;
    `calendar` is iCalendar with a METHOD. `link`: a path of ours; `about`: the row it is about;
    `matters_until`: after that it comes too late."""

    person: Any  # a `User`, or a `Stranger` where it lies in no inbox
    topic: str
    kind: str
    subject: str
    text: str
    html: str
    link: str = ""
    calendar: str = ""
    about: UUID | None = None
    matters_until: datetime | None = None


class Mail(EmailMultiAlternatives):
    """A mail whose calendar part, if it has one, says what it is for: calendars offer to enter,
    change or remove what it speaks of."""

    def message(self, **kwargs: Any) -> EmailMessage:
        made: EmailMessage = super().message(**kwargs)
        for part in made.walk():
            if part.get_content_type() == "text/calendar":
                part.set_param("method", method_of(str(part.get_content())))
        return made


def method_of(calendar: str) -> str:
    """REQUEST or CANCEL."""
    return calendar.partition("METHOD:")[2].split(maxsplit=1)[0]


def framed(template: str, topic: str, person: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    """Text and HTML of a letter: `<template>.txt`, and `<template>.html` in the frame."""
    content = {
        **context,
        "person": person,
        "mail_footer": footer([topic], person),
        "style": STYLES,
        "installation": installation(),
    }
    text = render_to_string(f"{template}.txt", content)
    return text.strip() + "\n", render_to_string(f"{template}.html", content)


def is_chinese() -> bool:
    return (translation.get_language() or "").startswith("zh")


def site_name() -> str:
    """What this installation is called in the language in force."""
    site = installation()
    return site.name_zh if is_chinese() and site.name_zh else site.name


def dated(value: Any, english: str, chinese: str) -> str:
    """A date by the pattern of the language; Chinese weekdays in their short form."""
    if is_chinese():
        return date_format(value, chinese).replace("星期", "周")
    return date_format(value, english)


def day_words(value: Any) -> str:
    """A day in the language in force: `Fri 6 Mar 2026`."""
    return dated(value, "D j M Y", "Y年n月j日 D")


def listed(items: Iterable[Any]) -> str:
    """Several things, as a sentence in the language in force lists them: `a, b`, `甲、乙`."""
    return ("、" if is_chinese() else ", ").join(str(item) for item in items)


def footer(topics: Sequence[str], person: Any) -> dict[str, str]:
    """Why a mail came, and where that is changed, in the language in force."""
    known = isinstance(person, User)
    return {
        "topics": listed(TOPIC_NAMES[topic] for topic in topics),
        "settings": settings.SITE_URL + reverse("accounts:message-settings") if known else "",
        "stop": unsubscribe_address(person, topics) if known else "",
    }


def unsubscribe_address(person: User, topics: Sequence[str]) -> str:
    """Where mail of the topics is switched off without signing in; empty for what is required."""
    free = [topic for topic in topics if not TOPICS[topic].is_required]
    if not free:
        return ""
    token = signing.dumps([person.pk.hex, *free], salt=UNSUBSCRIBE_SALT)
    return settings.SITE_URL + reverse("accounts:unsubscribe", kwargs={"token": token})


def unsubscribed_by(token: str) -> tuple[UUID, list[str]] | None:
    """The person and the topics of such an address; None for one that we did not make."""
    try:
        person, *topics = signing.loads(token, salt=UNSUBSCRIBE_SALT)
        return UUID(person), topics
    except (signing.BadSignature, ValueError):
        return None


def mail_of(
    subject: str,
    text: str,
    html: str,
    *,
    to: str,
    name: str,
    topics: Sequence[str],
    person: User | None = None,
    calendar: str = "",
) -> Mail:
    """The mail itself. `name` makes its Message-ID, the same whenever it is sent again. Where a
    topic can be switched off, one click does it (RFC 8058)."""
    headers = {"Message-ID": f"<{name}@instrument-commons>", "Auto-Submitted": "auto-generated"}
    said = footer(topics, person)
    if said["stop"]:
        headers["List-Unsubscribe"] = f"<{said['stop']}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    below = render_to_string(
        "accounts/mail/footer.txt", {"mail_footer": said, "installation": installation()}
    )
    mail = Mail(subject=subject, body=text + below, to=[to], headers=headers)
    mail.attach_alternative(html, "text/html")
    if calendar:
        # Calendars offer to enter the alternative; every other program can open the file.
        mail.attach_alternative(calendar, "text/calendar")
        mail.attach("booking.ics", calendar, "text/calendar")
    return mail


def message_mail(message: Message, person: User) -> Mail:
    """A message of the inbox as mail."""
    with translation.override(message.language):
        return mail_of(
            message.subject,
            message.text,
            message.html,
            to=person.email,
            name=str(message.pk),
            topics=[message.topic],
            person=person,
            calendar=message.calendar,
        )


def digest_mail(messages: Sequence[Message], person: User, name: str) -> Mail:
    """Several messages in one mail, by topic, in the person's language."""
    with translation.override(person.language), timezone.override(ZoneInfo(person.time_zone)):
        groups: dict[str, list[Message]] = {}
        for message in messages:
            groups.setdefault(message.topic, []).append(message)
        context = {
            "count": len(messages),
            "groups": [(TOPIC_NAMES[topic], group) for topic, group in groups.items()],
            "site": settings.SITE_URL,
            "link": settings.SITE_URL + reverse("accounts:messages"),
        }
        topics = list(groups)
        content = {
            **context,
            "person": person,
            "mail_footer": footer(topics, person),
            "style": STYLES,
            "installation": installation(),
        }
        subject = ngettext("{n} message", "{n} messages", len(messages)).format(n=len(messages))
        return mail_of(
            f"{site_name()}: {subject}",
            render_to_string("accounts/mail/digest.txt", content).strip() + "\n",
            render_to_string("accounts/mail/digest.html", content),
            to=person.email,
            name=name,
            topics=topics,
            person=person,
        )


@dataclass(frozen=True)
class Words:
    """Subject and first sentence of a kind of letter."""

    subject: object
    lead: object
    topic: str = "account"


KINDS = {
    "invitation": Words(
        _("Invitation: {organisation}"),
        _("{person} invites you to join {organisation} on {site}."),
    ),
    "asked": Words(
        _("A request to join: {person}"),
        _("{person} ({email}) asks to become a member of {organisation}."),
        "request",
    ),
    "approved": Words(
        _("You are a member: {organisation}"),
        _("Your request was accepted: you belong to {organisation} now."),
    ),
    "rejected": Words(
        _("Not accepted: {organisation}"),
        _("{organisation} did not accept your request to become a member."),
    ),
    "moves": Words(
        _("{organisation}: move to {region}"),
        _(
            "From {day} on, {organisation} belongs to {region}, no longer to {from_region}."
            " Bookings that begin from that day on are priced accordingly; bookings already made"
            " keep their price."
        ),
        "change",
    ),
    "merged": Words(
        _("{organisation} is now part of {into}"),
        _(
            "{organisation} was merged into {into}. Members and their roles, instruments, upcoming"
            " bookings and remaining money now belong to {into}. What had begun or was over stays"
            " with {organisation}, and {into} accounts for it."
        ),
        "change",
    ),
    "second": Words(
        _("A second person is needed: {organisation}"),
        _(
            "{person} ({email}) cannot go on alone: an act at {organisation} needs another person,"
            " and nobody else may do it. Please give somebody else the role {role}."
        ),
        "request",
    ),
    "organisation-asked": Words(
        _("A missing organisation: {organisation}"),
        _("{person} ({email}) does not find {organisation} here and asks you to enter it."),
        "request",
    ),
    "organisation-approved": Words(
        _("You are a member: {organisation}"),
        _("{organisation} is on the platform now, and you belong to it as a researcher."),
    ),
    "organisation-named": Words(
        _("On the platform already: {organisation}"),
        _(
            "{organisation} is on the platform already. Its managers have been asked to accept you"
            " as a member."
        ),
    ),
    "organisation-rejected": Words(
        _("Not entered: {organisation}"),
        _("Your request to enter {organisation} was declined."),
    ),
    "left": Words(
        _("{person} has left"),
        _("{person} ({email}) has left {organisation}. Their roles there have ended."),
    ),
    "ended": Words(
        _("Your membership has ended: {organisation}"),
        _("You are no longer a member of {organisation}. Your roles there have ended."),
    ),
    "bank-account": Words(
        _("Bank account changed: {organisation}"),
        _(
            "{person} ({email}) changed the bank account that statements of {organisation} ask"
            " payers to pay to. If nobody agreed to this, change it back at once and tell your"
            " payers."
        ),
    ),
}


_ROLES: dict[Any, Any] = dict(RoleGrant._meta.get_field("role").choices or [])


@dataclass(frozen=True)
class Stranger:
    """Where a letter goes whose reader has no account, and how they are likely to like it."""

    email: str
    language: str
    time_zone: str
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.email


def letters_of(row: OutboxMessage, now: datetime) -> list[Letter]:
    """The letters of an outbox row to people with an account; none where it no longer says
    anything true."""
    match row.kind.partition(".")[2]:
        case "invitation":
            return _invitation(row, now)
        case "asked" | "answered":
            return _request(row)
        case "second":
            return _second(row)
        case "organisation-asked" | "organisation-answered":
            return _missing(row)
        case "left" | "ended" as kind:
            return _ended(row, kind)
        case "moves":
            return _moves(row)
        case "merged":
            return _merged(row)
        case "bank-account":
            return _bank_account(row)
        case _:
            return []


def mails_of(row: OutboxMessage, now: datetime) -> list[Mail]:
    """The mails of an outbox row that lie in no inbox: to people without an account (those asked
    in, whose account is closed), and of signing in, which may hold a secret."""
    match row.kind.partition(".")[2]:
        case "invitation":
            found = _open_invitation(row, now)
            if found is None or user_by_email(found.email):
                return []
            # Whoever has no account reads the usual language of an installation that has one.
            usual = installation()
            language = usual.languages[0] if usual.version else found.invited_by.language
            stranger = Stranger(found.email, language, found.invited_by.time_zone)
            subject, text, html = _written(
                "invitation", stranger, found.organisation, found.invited_by, _invited(found, True)
            )
            named = f"{row.pk}.{digest_of(found.email).hex()[:16]}"
            with translation.override(language):
                return [
                    mail_of(subject, text, html, to=found.email, name=named, topics=["account"])
                ]
        case "closed":
            return [_closed(row)]
        case "sign-in":
            mail = sign_in_mail(row, now)
            return [mail] if mail else []
        case _:
            return []


def _open_invitation(row: OutboxMessage, now: datetime) -> Invitation | None:
    found = invitations().filter(pk=UUID(row.payload["invitation"])).first()
    if found is None or found.accepted_at or found.withdrawn_at or found.expires_at <= now:
        return None
    # A token made with a secret that is no more cannot be made again.
    return found if invitation_token(found.pk, bytes(found.digest)) else None


def _invited(found: Invitation, is_new: bool) -> dict[str, Any]:
    token = invitation_token(found.pk, bytes(found.digest))
    address = reverse("accounts:invitation", kwargs={"token": token})
    return {
        "link": address,
        "until": found.expires_at,
        "is_new": is_new,
        "sender": found.invited_by,
        "sender_organisation": inviter_organisation(found),
        "roles": found.roles,
    }


def _invitation(row: OutboxMessage, now: datetime) -> list[Letter]:
    found = _open_invitation(row, now)
    known = user_by_email(found.email) if found else None
    if found is None or known is None:
        return []
    context = _invited(found, False)
    return [
        _letter("invitation", reader, found.organisation, found.invited_by, context)
        for reader in readers_of([known], "account")
    ]


def _request(row: OutboxMessage) -> list[Letter]:
    found = join_requests().filter(pk=UUID(row.payload["request"])).first()
    if found is None:
        return []
    if row.kind == "people.asked":
        if found.state != JoinRequest.State.REQUESTED:
            return []
        context: dict[str, Any] = {"text": found.text, "link": _members(found.organisation)}
        people = managers_or_administrators(found.organisation_id)
        return [
            _letter("asked", reader, found.organisation, found.user, context)
            for reader in readers_of(people, KINDS["asked"].topic)
        ]
    if found.state not in {"approved", "rejected"}:
        return []
    context = {"reason": found.reason, "link": reverse("accounts:organisations")}
    return [
        _letter(found.state, reader, found.organisation, found.user, context)
        for reader in readers_of([found.user], "account")
    ]


def _second(row: OutboxMessage) -> list[Letter]:
    """To whoever may give the role; nobody once there is a second person."""
    payload = row.payload
    asker = User.objects.filter(pk=UUID(payload["user"]), is_active=True).first()
    organisation = Organisation.objects.filter(pk=payload["organisation"]).first()
    region = Region.objects.filter(pk=payload["region"]).first()
    place = organisation or region
    code = payload["code"]
    capability = next(key for key, value in NO_SECOND.items() if value == code)
    if (
        asker is None
        or place is None
        or not no_second(capability, besides=[asker.pk], organisation=organisation, region=region)
    ):
        return []
    people = {person.pk: person for person in holders_of(ADMINISTRATOR, None)}
    if organisation is not None:
        people |= {person.pk: person for person in holders_of(MANAGER, organisation.pk)}
    people.pop(asker.pk, None)
    link = _members(organisation) if organisation else reverse("accounts:roles")
    return [
        _letter("second", reader, place, asker, {"link": link, "role": SECOND_ROLE[code]})
        for reader in readers_of(people.values(), KINDS["second"].topic)
    ]


def _missing(row: OutboxMessage) -> list[Letter]:
    """To whom a request for a missing organisation waits for, and the answer to who asked."""
    found = organisation_requests().filter(pk=UUID(row.payload["request"])).first()
    if found is None:
        return []
    if row.kind == "people.organisation-asked":
        if found.state != OrganisationRequest.State.REQUESTED:
            return []
        link = reverse("bookings:organisation-request", args=[found.pk])
        context: dict[str, Any] = {"text": found.text, "link": link}
        people = coordinators_of(found.region.lineage).exclude(pk=found.user_id)
        return [
            _letter("organisation-asked", reader, found, found.user, context)
            for reader in readers_of(
                list(people) or list(holders_of(ADMINISTRATOR, None)), "request"
            )
        ]
    if found.state not in {"approved", "rejected"}:
        return []
    context = {"reason": found.reason, "link": reverse("accounts:organisations")}
    kind = f"organisation-{found.state}"
    if found.organisation and not is_member(found.user, found.organisation):
        kind = "organisation-named"
    return [
        _letter(kind, reader, found.organisation or found, found.user, context)
        for reader in readers_of([found.user], "account")
    ]


def _ended(row: OutboxMessage, kind: str) -> list[Letter]:
    found = (
        Membership.objects.select_related("organisation", "user")
        .filter(pk=UUID(row.payload["membership"]))
        .first()
    )
    if found is None:
        return []
    people, context = [found.user], {"reason": row.payload["reason"]}
    if kind == "left":
        people = managers_or_administrators(found.organisation_id)
        context["link"] = _members(found.organisation)
    return [
        _letter(kind, reader, found.organisation, found.user, context)
        for reader in readers_of(people, "account")
    ]


def _moves(row: OutboxMessage) -> list[Letter]:
    """To those who manage or account for the organisation, unless the move was withdrawn."""
    move = (
        OrganisationMove.objects.select_related(
            "organisation", "from_region", "region", "decided_by"
        )
        .filter(pk=UUID(row.payload["move"]), withdrawn_at=None)
        .first()
    )
    if move is None:
        return []

    def facts() -> dict[str, str]:
        return {
            "region": _named(move.region),
            "from_region": _named(move.from_region),
            "day": day_words(move.starts_on),
        }

    return _to_those_in_charge("moves", move.organisation, move.decided_by, facts)


def _merged(row: OutboxMessage) -> list[Letter]:
    """To those who manage or account for the organisation that went on."""
    gone = Organisation.objects.select_related("merged_into").get(
        pk=UUID(row.payload["organisation"])
    )
    person = User.objects.get(pk=UUID(row.payload["by"]))

    def facts() -> dict[str, str]:
        return {"into": _named(gone.merged_into)}

    return _to_those_in_charge("merged", gone, person, facts)


def _to_those_in_charge(
    kind: str, organisation: Organisation, person: User, facts: Callable[[], dict[str, str]]
) -> list[Letter]:
    """Letters to managers and finance; `facts` are put into words in each reader's language."""
    found = {
        user.pk: user for role in (MANAGER, FINANCE) for user in holders_of(role, organisation.pk)
    }
    return [
        _letter(kind, reader, organisation, person, {"facts": facts, "link": ""})
        for reader in readers_of(found.values(), KINDS[kind].topic)
    ]


def _named(place: Any) -> str:
    """Its name in the language in force."""
    return str((is_chinese() and place.name_zh) or place.name)


def _bank_account(row: OutboxMessage) -> list[Letter]:
    """To the organisation's finance people and managers, except whoever changed it."""
    organisation = Organisation.objects.get(pk=UUID(row.payload["organisation"]))
    person = User.objects.get(pk=UUID(row.payload["user"]))
    people = holders_of("finance", organisation.pk) | holders_of("manager", organisation.pk)
    context = {
        "account_before": row.payload["before"],
        "account_after": row.payload["after"],
        "changed_at": row.created_at,
        "link": reverse("accounts:invoice-details", args=[organisation.pk]),
    }
    return [
        _letter("bank-account", reader, organisation, person, context)
        for reader in readers_of(people.exclude(pk=person.pk), "account")
    ]


def _closed(row: OutboxMessage) -> Mail:
    user = User.objects.get(pk=UUID(row.payload["user"]))
    with translation.override(user.language):
        lead = gettext(
            "Your account is closed, as you requested. Your name and addresses will be removed "
            "from the platform within minutes; this is the last mail you receive from it."
        )
        gone = Stranger(user.email, user.language, user.time_zone)
        text, html = framed(
            "accounts/mail/letter", "account", gone, {"kind": "closed", "lead": lead}
        )
        subject = gettext("Your account is closed")
        return mail_of(subject, text, html, to=user.email, name=str(row.pk), topics=["account"])


# Signing in


@dataclass(frozen=True)
class SignInMail:
    """A mail about an account itself: its subject, what stands before the address or the code,
    and what stands after it."""

    subject: object
    lead: object
    note: object = ""


_NOT_YOU = _("If it was not you, you can ignore this mail.")
_CONFIRM = SignInMail(
    _("Confirm your e-mail address"),
    _("Open this address to confirm that this mailbox is yours:"),
    _("If you did not ask for an account, do nothing: without the confirmation it cannot be used."),
)
_STILL_OPEN = _(
    "Other browsers are signed out. API tokens and calendar addresses that you created still "
    "work; review them here:"
)
# By the names that allauth has for them.
SIGN_IN_MAILS = {
    "email_confirmation": _CONFIRM,
    "email_confirmation_signup": _CONFIRM,
    "password_reset_key": SignInMail(
        _("Set a new password"),
        _("Somebody, probably you, asked for a new password for this address. Set it here:"),
        _("If it was not you, you can ignore this mail: the password stays as it is."),
    ),
    "administrator": SignInMail(
        _("You administer this platform"),
        _("The platform was set up with you as its administrator. Set your password here:"),
        _(
            "The address works once and for three days; whoever set the platform up can have"
            " another one sent. Signing in then asks you for a second factor."
        ),
    ),
    "entered": SignInMail(
        _("You have been given a role"),
        _(
            "An administrator has made an account for this address and given it a role. Set your"
            " password here:"
        ),
        _(
            "The address works once and for three days; afterwards have a new password sent from"
            " the sign-in page. Signing in then asks you for a second factor."
        ),
    ),
    "account_already_exists": SignInMail(
        _("You have an account already"),
        _(
            "Somebody, probably you, tried to create an account with this address. There is one"
            " already; if its password is forgotten, set a new one here:"
        ),
        _(
            "If you came from your institution's sign-in: sign in to the account first, then"
            " connect it in your profile, under “Ways to sign in”."
        ),
    ),
    "unknown_account": SignInMail(
        _("There is no account for this address"),
        _(
            "Somebody, probably you, wanted to sign in or to set a new password with this address,"
            " but it has no account here. Perhaps another of your addresses has; or create an"
            " account:"
        ),
        _NOT_YOU,
    ),
    "unknown_account_closed": SignInMail(
        _("There is no account for this address"),
        _(
            "Somebody, probably you, wanted to sign in or to set a new password with this address,"
            " but it has no account here. Perhaps another of your addresses has. Accounts are for"
            " people who were invited: ask a manager of your organisation."
        ),
        _NOT_YOU,
    ),
    "login_code": SignInMail(
        _("Your code to sign in"),
        _("Enter this code in the window in which you requested it:"),
        _(
            "It is valid for ten minutes and can be used once. Our staff will never ask you for "
            "it. If you did not request it, you can ignore this mail."
        ),
    ),
    "email_changed": SignInMail(
        _("Your e-mail address was changed"),
        _("You now sign in with {to_email} in place of {from_email}."),
    ),
    "email_confirm": SignInMail(
        _("Your e-mail address is confirmed"), _("Your e-mail address is confirmed.")
    ),
    "email_deleted": SignInMail(
        _("An e-mail address was removed"), _("{deleted_email} was removed from your account.")
    ),
    "password_changed": SignInMail(
        _("Your password was changed"), _("Your password was changed."), _STILL_OPEN
    ),
    "password_reset": SignInMail(
        _("Your password was changed"), _("Your password was changed."), _STILL_OPEN
    ),
    "password_set": SignInMail(
        _("Your password was set"), _("Your password was set."), _STILL_OPEN
    ),
    "recovery_codes_generated": SignInMail(
        _("New recovery codes"),
        _("New recovery codes were made for your account; the old ones stopped working."),
    ),
    "totp_activated": SignInMail(
        _("The authenticator app is on"),
        _("Signing in now also asks for a code from your authenticator app."),
    ),
    "totp_deactivated": SignInMail(
        _("The authenticator app is off"), _("Your password alone is now enough to sign in.")
    ),
    "webauthn_added": SignInMail(
        _("A passkey was added"),
        _("A passkey was added to your account: it can be used to sign in."),
    ),
    "webauthn_removed": SignInMail(
        _("A passkey was removed"),
        _("A passkey was removed from your account: it can no longer be used to sign in."),
    ),
    "account_connected": SignInMail(
        _("A way to sign in was added"), _("{provider} now signs you in to your account.")
    ),
    "account_disconnected": SignInMail(
        _("A way to sign in was removed"),
        _("{provider} can no longer sign you in to your account."),
    ),
}


def sign_in_mail(row: OutboxMessage, now: datetime) -> Mail | None:
    """A mail about an account, with keys made only now; None where its code has expired, its
    person is gone, or its address was confirmed meanwhile."""
    if (payload := row.payload.get("private")) is None:  # tried again by hand after all
        return None
    user = User.objects.filter(pk=payload["user"], is_active=True).first()
    name = payload["mail"]
    if name == "unknown_account" and not installation().admits_strangers:
        name = "unknown_account_closed"
    link = _sign_in_link(name, user, payload["email"])
    expiry = timedelta(seconds=sign_in.LOGIN_BY_CODE_TIMEOUT)
    is_late = payload["code"] and row.created_at + expiry <= now
    if (payload["user"] and user is None) or link is None or is_late:
        return None
    reader = Stranger(
        payload["email"],
        user.language if user else payload["language"],
        user.time_zone if user else "UTC",
        user.name if user else "",
    )
    words, facts = SIGN_IN_MAILS[name], payload["facts"]
    with translation.override(reader.language):
        context = {
            "lead": str(words.lead).format_map(facts),
            "note": words.note,
            "link": settings.SITE_URL + link if link else "",
            "code": payload["code"],
            "facts": facts,
            "at": datetime.fromisoformat(facts["timestamp"]) if "timestamp" in facts else None,
            "zone": reader.time_zone,
        }
        text, html = framed("accounts/mail/sign_in", "account", reader, context)
        subject = str(words.subject)
        return mail_of(subject, text, html, to=reader.email, name=str(row.pk), topics=["account"])


def _sign_in_link(name: str, user: User | None, email: str) -> str | None:
    """The path that a mail leads to; empty without any, None where there is nothing to open. Keys
    are made from the person's row and the platform's secret, and stand in no table."""
    match name:
        case "email_confirmation" | "email_confirmation_signup":
            unconfirmed = EmailAddress.objects.filter(user=user, email__iexact=email)
            address = unconfirmed.filter(verified=False).first()
            if address is None:
                return None
            return reverse("account_confirm_email", args=[EmailConfirmationHMAC(address).key])
        case "password_reset_key" | "administrator" | "entered":
            return password_path(user) if user else None
        case "account_already_exists":
            return reverse("account_reset_password")
        case "unknown_account":
            return reverse("account_signup")
        case "password_changed" | "password_reset" | "password_set":
            return reverse("bookings:access")
        case _:
            return ""


def password_path(user: User) -> str:
    """Where a person sets a password: once, and for three days (PASSWORD_RESET_TIMEOUT)."""
    key = sign_in.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    where = {"uidb36": user_pk_to_url_str(user), "key": key}
    return reverse("account_reset_password_from_key", kwargs=where)


def _members(organisation: Organisation) -> str:
    return reverse("accounts:members", args=[organisation.pk])


def _letter(
    kind: str,
    reader: User,
    organisation: Organisation | OrganisationRequest | Region,
    person: User,
    context: dict[str, Any],
) -> Letter:
    subject, text, html = _written(kind, reader, organisation, person, context)
    return Letter(
        person=reader,
        topic=KINDS[kind].topic,
        kind=f"people.{kind}",
        subject=subject,
        text=text,
        html=html,
        link=context.get("link", ""),
        about=organisation.pk,
    )


def _written(
    kind: str,
    reader: User | Stranger,
    organisation: Organisation | OrganisationRequest | Region,
    person: User,
    context: dict[str, Any],
) -> tuple[str, str, str]:
    """Subject, text and HTML in the reader's language and zone."""
    words = KINDS[kind]
    with translation.override(reader.language), timezone.override(ZoneInfo(reader.time_zone)):
        name = organisation.name
        if reader.language == "zh-hans" and organisation.name_zh:
            name = organisation.name_zh
        facts = {
            "organisation": name,
            "person": str(person),
            "email": person.email,
            "site": site_name(),
            "role": str(_ROLES.get(context.get("role", ""), "")),
        }
        facts |= context.get("facts", dict)()
        link = context.get("link", "")
        content = context | {
            "kind": kind,
            "lead": str(words.lead).format_map(facts),
            "link": settings.SITE_URL + link if link else "",
            "zone": reader.time_zone,
        }
        text, html = framed("accounts/mail/letter", words.topic, reader, content)
        return " ".join(str(words.subject).format_map(facts).split()), text, html

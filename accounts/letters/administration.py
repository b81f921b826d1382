"""Messages about what administrators have done with a person's account."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.core import signing
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, in_state, row_of, table
from accounts.letters.mails import Stranger
from accounts.letters.words import brief_words, zone_name
from accounts.models import AddressChange, FactorReset, OutboxMessage, TrailText, User, Viewing
from accounts.selectors.administration import other_administrators
from accounts.selectors.installation import installation

ADDRESS_SALT = "people.address-change"


def address_path(change: AddressChange, *, is_new: bool) -> str:
    """Return the address of the page on which the new or the old mailbox answers a change of an address."""
    token = signing.dumps([change.pk.hex, is_new], salt=ADDRESS_SALT)
    return reverse("bookings:address-change", args=[token])


def address_signed(token: str) -> tuple[UUID, bool] | None:
    """Return the change that a link is about and whether it went to the new address; None if it is forged."""
    try:
        change, is_new = signing.loads(token, salt=ADDRESS_SALT)
        return UUID(change), bool(is_new)
    except (signing.BadSignature, ValueError):
        return None


def _content(user: User, row: OutboxMessage, now: datetime, *, page: str = "", **words: Any) -> Content:
    """Return the content of a message to a person, with the reason as the trail has it."""
    text = TrailText.objects.filter(entry_id=UUID(row.payload["entry"])).first()
    reason = text.content.get("reason", "") if text else ""
    named = {"site": installation(), "person": str(user), "email": user.email, **words}
    return Content(user.pk, reverse(page) if page else "", named, {"reason": reason})


def _to_confirm(user: User, row: OutboxMessage, now: datetime) -> Content:
    content = _content(user, row, now)
    link = reverse("bookings:operations-person", args=[user.pk])
    return Content(user.pk, link, content.words, content.context)


def _is_asked(user: User, row: OutboxMessage, now: datetime) -> bool:
    asks = FactorReset.objects.filter(pk=UUID(row.payload["reset"]), state=FactorReset.State.REQUESTED)
    return asks.filter(expires_at__gt=now).exists()


def _who_confirms(user: User) -> Iterable[User]:
    asked = FactorReset.objects.filter(user=user, state=FactorReset.State.REQUESTED)
    return other_administrators([user.pk, *asked.values_list("asked_by_id", flat=True)])


def _new_administrator(user: User, row: OutboxMessage, now: datetime) -> Content:
    giver = User.objects.filter(pk=row.payload["by"]).first() if row.payload["by"] else None
    words = {"site": installation(), "person": str(user), "email": user.email}
    words["giver"] = str(giver) if giver else _("the command line of the server")
    return Content(user.pk, reverse("bookings:operations-person", args=[user.pk]), words)


def _clock(moment: datetime) -> str:
    zone = zone_name(str(timezone.get_current_timezone()))
    return gettext("{when} ({zone})").format(when=brief_words(moment), zone=zone)


# Written when the letter is composed, in the reader's language and by the reader's clock.
_start, _until = lazy(brief_words, str), lazy(_clock, str)


def _looked(user: User, row: OutboxMessage, now: datetime) -> Content:
    viewing = Viewing.objects.select_related("viewer").get(pk=UUID(row.payload["viewing"]))
    until = min(viewing.ended_at or viewing.expires_at, viewing.expires_at)
    times = {"start": _start(viewing.created_at), "until": _until(until)}
    return _content(user, row, now, viewer=str(viewing.viewer), **times)


def _address(
    change: AddressChange, row: OutboxMessage, now: datetime, *, is_new: bool, has_link: bool = True
) -> Content:
    """Return the content of a message about a change of an address, with the link for one of the two."""
    content = _content(change.user, row, now, old=change.old, new=change.new)
    link = address_path(change, is_new=is_new) if has_link else reverse("account_login")
    late = change.expires_at if is_new and has_link else None
    return Content(change.user_id, link, content.words, content.context, matters_until=late)


def _address_admin(change: AddressChange, row: OutboxMessage, now: datetime) -> Content:
    content = _content(change.user, row, now)
    link = reverse("bookings:operations-person", args=[change.user_id])
    return Content(change.user_id, link, content.words, content.context)


def _reader(change: AddressChange, *, is_new: bool) -> list[Stranger]:
    """Return the reader of one of the two addresses, whichever the account has now."""
    user, email = change.user, change.new if is_new else change.old
    return [Stranger(email, user.language, user.time_zone, user.name)]


_changing = partial(
    Kind, template="accounts/mail/letter", load=row_of(AddressChange.objects.select_related("user"), "change")
)
_to_new = partial(_changing, readers=partial(_reader, is_new=True), content=partial(_address, is_new=True))
_to_old = partial(_changing, readers=partial(_reader, is_new=False), content=partial(_address, is_new=False))
_kind = partial(
    Kind,
    template="accounts/mail/letter",
    load=row_of(User.objects.all(), "user"),
    readers=lambda user: [user],
    content=_content,
)
KINDS = table(
    _kind(
        "people.unlocked",
        _("You can sign in again"),
        _("An administrator has unlocked sign-in to your account after wrong passwords."),
        content=partial(_content, page="account_login"),
    ),
    _kind(
        "people.sessions-ended",
        _("You were signed out"),
        _("An administrator has ended sessions of your account. Sign in again to go on."),
        content=partial(_content, page="usersessions_list"),
        is_urgent=True,
    ),
    _kind(
        "people.tokens-revoked",
        _("Your API tokens were revoked"),
        _("An administrator has revoked API tokens of yours; they no longer work."),
        content=partial(_content, page="accounts:profile"),
        is_urgent=True,
    ),
    _kind(
        "people.suspended",
        _("Your account is suspended"),
        _(
            "An administrator has suspended your account: you cannot sign in, and your API tokens do "
            "not work. Your bookings stay. To object, ask an administrator of {site}."
        ),
        is_still_true=lambda user, row, now: user.suspended_at is not None,
        readers=lambda user: [Stranger(user.email, user.language, user.time_zone, user.name)],
        is_urgent=True,
    ),
    _kind(
        "people.restored",
        _("Your account works again"),
        _("Your account is no longer suspended: sign in as before."),
        content=partial(_content, page="account_login"),
    ),
    _kind(
        "people.factor-asked",
        _("Your second factor is to be reset"),
        _(
            "An administrator asks to reset the second factor of your account; another one has to "
            "confirm it within a day. If you did not ask for this, tell an administrator at once."
        ),
        is_urgent=True,
    ),
    _kind(
        "people.factor-to-confirm",
        _("Confirm the reset of a second factor: {person}"),
        _(
            "Another administrator asks to reset the second factor of {person} ({email}). Make sure that "
            "{person} has asked for it, by telephone or in person, and confirm within a day."
        ),
        "request",
        readers=_who_confirms,
        content=_to_confirm,
        is_still_true=_is_asked,
        is_urgent=True,
    ),
    _kind(
        "people.factor-reset",
        _("Your second factor was reset"),
        _(
            "Administrators have removed the second factor and the recovery codes of your account and "
            "signed you out everywhere; your API tokens and secret calendar addresses no longer work. "
            "Sign in with your password and set up a new one. If you did not "
            "ask for this, tell an administrator at once."
        ),
        content=partial(_content, page="account_login"),
        is_urgent=True,
    ),
    _to_new(
        "people.address-proof",
        _("Confirm your new mail address"),
        _(
            "An administrator of {site} has entered {new} as the new address of your account. If this is "
            "right, open the address below within a day: you then sign in with {new}. If you know nothing of "
            "it, ignore this mail."
        ),
        is_still_true=in_state("requested"),
    ),
    _to_old(
        "people.address-asked",
        _("Your mail address is to be changed"),
        _(
            "An administrator of {site} has entered {new} as the new address of your account, in place of "
            "{old}. It changes when the link that was sent to {new} is opened. If you did not ask for this, "
            "stop it at the address below."
        ),
        is_still_true=in_state("requested", "taken"),
    ),
    _to_old(
        "people.address-changed",
        _("Your mail address was changed"),
        _(
            "Your account on {site} now has the address {new} in place of {old}. If you did not ask for "
            "this, undo it at the address below within seven days."
        ),
        is_still_true=in_state("taken"),
    ),
    _to_new(
        "people.address-new",
        _("Your mail address was changed"),
        _("You now sign in to {site} with {new} in place of {old}. Your password stays as it is."),
        content=partial(_address, is_new=True, has_link=False),
        is_still_true=in_state("taken"),
    ),
    _to_old(
        "people.address-undone",
        _("Your mail address is {old} again"),
        _(
            "The change of your address on {site} is undone. Everybody who was signed in to your account was "
            "signed out, and what was added to it since the change was removed. Set a new password: the link "
            "comes in another mail."
        ),
        content=partial(_address, is_new=False, has_link=False),
        is_still_true=in_state("undone"),
    ),
    _changing(
        "people.address-stopped",
        _("Stopped: another mail address for {person}"),
        _(
            "Somebody who reads the old address of {person} has stopped or undone the change of it that an "
            "administrator asked for. Find out what {person} wants, and who asked for the change."
        ),
        readers=lambda change: other_administrators([change.user_id]),
        content=_address_admin,
        is_still_true=in_state("stopped", "undone"),
    ),
    _kind(
        "people.new-administrator",
        _("New administrator: {person}"),
        _(
            "{person} ({email}) is now an administrator of {site}; the role came from: {giver}. If "
            "administrators did not agree on this, revoke the role and find out what happened."
        ),
        readers=lambda user: other_administrators([user.pk]),
        content=_new_administrator,
    ),
    _kind(
        "people.looked-at",
        _("An administrator looked at your pages"),
        _(
            "{viewer} saw your pages on {site} from {start} until {until}. Nothing could be changed, and "
            "what is confidential to you could be seen."
        ),
        content=_looked,
    ),
)

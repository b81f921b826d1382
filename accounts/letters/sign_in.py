"""Mails about signing in. They go to whoever has the address, appear in no inbox, and carry keys and
codes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account import app_settings as sign_in
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, table
from accounts.letters.mails import Stranger
from accounts.models import OutboxMessage, User
from accounts.selectors.installation import installation, usual_zone


@dataclass(frozen=True)
class SignIn:
    """A mail to send: the name of its kind, its reader, and the path that it leads to."""

    name: str
    reader: Stranger
    link: str


def _load(row: OutboxMessage, now: datetime) -> SignIn | None:
    """Return the mail, whose keys are made only now; None if its code has expired, its person is gone, or its
    address has been confirmed meanwhile."""
    if (payload := row.payload.get("private")) is None:  # a finished row that was retried by hand
        return None
    user = User.objects.filter(pk=payload["user"], is_active=True).first()
    name = payload["mail"]
    if name == "unknown_account" and not installation().admits_strangers:
        name = "unknown_account_closed"
    link = _link(name, user, payload["email"])
    expiry = timedelta(seconds=sign_in.LOGIN_BY_CODE_TIMEOUT)
    is_late = payload["code"] and row.created_at + expiry <= now
    if (payload["user"] and user is None) or link is None or is_late:
        return None
    language = user.language if user else payload["language"]
    zone, called = (user.time_zone, user.name) if user else (usual_zone(), "")
    return SignIn(name, Stranger(payload["email"], language, zone, called), link)


def _link(name: str, user: User | None, email: str) -> str | None:
    """Return the path that a mail leads to: empty if it needs none, None if there is no longer anything to
    open. Keys are derived from the person's row and the platform's secret, and are not stored."""
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
    """Return the path where a person sets a password; it works once, for three days
    (PASSWORD_RESET_TIMEOUT)."""
    key = sign_in.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    where = {"uidb36": user_pk_to_url_str(user), "key": key}
    return reverse("account_reset_password_from_key", kwargs=where)


def _content(mail: SignIn, row: OutboxMessage, now: datetime) -> Content:
    payload = row.payload["private"]
    facts = payload["facts"]
    at = datetime.fromisoformat(facts["timestamp"]) if "timestamp" in facts else None
    context = {"code": payload["code"], "facts": facts, "at": at}
    return Content(None, mail.link, facts, context)


def _kind(name: str, subject: object, lead: object, note: object = "") -> Kind:
    """Return a kind of mail: its subject, the text before the address or the code, and the text after it."""
    return Kind(
        name,
        subject,
        lead,
        load=_load,
        is_still_true=lambda mail, row, now: mail.name == name,
        readers=lambda mail: [mail.reader],
        content=_content,
        template="accounts/mail/sign_in",
        note=note,
        on="people.sign-in",
    )


_NOT_YOU = _("If it was not you, you can ignore this mail.")
_CONFIRM = (
    _("Confirm your e-mail address"),
    _("Open this address to confirm that this mailbox is yours:"),
    _("If you did not ask for an account, do nothing: without the confirmation it cannot be used."),
)
_STILL_OPEN = _(
    "Other browsers are signed out. API tokens and calendar addresses that you created still "
    "work; review them here:"
)
# By the names that allauth has for them, where it sends them.
KINDS = table(
    _kind("email_confirmation", *_CONFIRM),
    _kind("email_confirmation_signup", *_CONFIRM),
    _kind(
        "password_reset_key",
        _("Set a new password"),
        _("Somebody, probably you, asked for a new password for this address. Set it here:"),
        _("If it was not you, you can ignore this mail: the password stays as it is."),
    ),
    _kind(
        "administrator",
        _("You administer this platform"),
        _("The platform was set up with you as its administrator. Set your password here:"),
        _(
            "The link works once, within three days; whoever set up the platform can "
            "request another one. When you sign in, you are asked for a second factor."
        ),
    ),
    _kind(
        "entered",
        _("You have been given a role"),
        _(
            "An administrator has created an account for this address and given it a role. Set your "
            "password here:"
        ),
        _(
            "The link works once, within three days; after that, request a new password on the "
            "sign-in page. When you sign in, you are asked for a second factor."
        ),
    ),
    _kind(
        "account_already_exists",
        _("You already have an account"),
        _(
            "Somebody, probably you, tried to create an account with this address. It already "
            "has one; if you forgot the password, set a new one here:"
        ),
        _(
            "If you came from your institution's sign-in: sign in to the account first, then"
            " connect it in your profile, under “Ways to sign in”."
        ),
    ),
    _kind(
        "unknown_account",
        _("There is no account for this address"),
        _(
            "Somebody, probably you, wanted to sign in or to set a new password with this address,"
            " but it has no account here. Perhaps another of your addresses has; or create an"
            " account:"
        ),
        _NOT_YOU,
    ),
    _kind(
        "unknown_account_closed",
        _("There is no account for this address"),
        _(
            "Somebody, probably you, tried to sign in or to set a new password with this "
            "address, but it has no account here. Perhaps you used another address. Accounts are "
            "by invitation only: ask a manager of your organisation."
        ),
        _NOT_YOU,
    ),
    _kind(
        "login_code",
        _("Your code to sign in"),
        _("Enter this code in the window in which you requested it:"),
        _(
            "It is valid for ten minutes and can be used once. Our staff will never ask you for "
            "it. If you did not request it, you can ignore this mail."
        ),
    ),
    _kind(
        "email_changed",
        _("Your e-mail address was changed"),
        _("You now sign in with {to_email} in place of {from_email}."),
    ),
    _kind("email_confirm", _("Your e-mail address is confirmed"), _("Your e-mail address is confirmed.")),
    _kind(
        "email_deleted",
        _("An e-mail address was removed"),
        _("{deleted_email} was removed from your account."),
    ),
    _kind("password_changed", _("Your password was changed"), _("Your password was changed."), _STILL_OPEN),
    _kind("password_reset", _("Your password was changed"), _("Your password was changed."), _STILL_OPEN),
    _kind("password_set", _("Your password was set"), _("Your password was set."), _STILL_OPEN),
    _kind(
        "recovery_codes_generated",
        _("New recovery codes"),
        _("New recovery codes were made for your account; the old ones stopped working."),
    ),
    _kind(
        "totp_activated",
        _("The authenticator app is on"),
        _("Signing in now also asks for a code from your authenticator app."),
    ),
    _kind(
        "totp_deactivated",
        _("The authenticator app is off"),
        _("Your password alone is now enough to sign in."),
    ),
    _kind(
        "webauthn_added",
        _("A passkey was added"),
        _("A passkey was added to your account: it can be used to sign in."),
    ),
    _kind(
        "webauthn_removed",
        _("A passkey was removed"),
        _("A passkey was removed from your account: it can no longer be used to sign in."),
    ),
    _kind(
        "account_connected",
        _("A way to sign in was added"),
        _("{provider} now signs you in to your account."),
    ),
    _kind(
        "account_disconnected",
        _("A way to sign in was removed"),
        _("{provider} can no longer sign you in to your account."),
    ),
)

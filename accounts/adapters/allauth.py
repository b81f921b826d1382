"""Adapt allauth's hooks: who may sign in, what a new account starts with, and what the trail records.

allauth reports changes of passwords, addresses and second factors only by signals. They are received here and
nowhere else (`connect`, called once by accounts/apps.py).
"""

import time
from contextlib import suppress
from typing import Any

from allauth.account import app_settings
from allauth.account import signals as account_signals
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.forms import SignupForm
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.core import context
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.messages import SUCCESS, add_message
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.adapters.limits import attempt, forget_attempts, remember_browser
from accounts.domain.errors import NotFound, Refused
from accounts.domain.roles import By
from accounts.middleware import remember_language
from accounts.models import Invitation, User
from accounts.permissions import actor_of
from accounts.prepared import Prepared
from accounts.selectors.installation import installation
from accounts.selectors.joining import invitation_by_token
from accounts.selectors.messages import with_unread
from accounts.selectors.users import user_by_email
from accounts.services import users
from accounts.services.federation import signed_in_elsewhere
from accounts.services.invitations import invitation_accept, why_closed

# In local mode: the address of the mail that a visitor's sign-up or password reset has sent, so that the
# mail page can show them the link they need (config/mail/mailbox.py).
MAIL_ADDRESS_KEY = "local_mail_address"
# The facts that mails state about what happened.
MAIL_FACTS = {"ip", "user_agent", "provider", "from_email", "to_email", "deleted_email"}


def may_sign_in(user: User) -> bool:
    """Return whether the user may sign in. Demonstration accounts, whose passwords are known, may in local
    mode only."""
    return user.is_active and (settings.LOCAL_MODE or not user.is_demo)


_BY_ID = Prepared(lambda pk: with_unread(User.objects.filter(pk=pk)))


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """Authenticates a person at sign-in, and loads them again for every request of an open session."""

    def user_can_authenticate(self, user: Any) -> bool:
        return may_sign_in(user)

    def get_user(self, user_id: Any) -> User | None:
        """Return the user of a session, with the number of their unread messages, which every page shows."""
        user = _BY_ID.first(pk=user_id)
        return user if user and may_sign_in(user) else None


def invitation_followed(request: HttpRequest) -> Invitation | None:
    """Return the open invitation that the visitor will return to after this page (`next`), or None."""
    path = request.POST.get("next") or request.GET.get("next", "")
    try:
        match = resolve(path)
        if match.view_name != "accounts:invitation":
            return None
        invitation = invitation_by_token(match.kwargs["token"])
    except (Resolver404, NotFound):
        return None
    return None if why_closed(invitation, timezone.now()) else invitation


class InvitedForm(SignupForm):  # type: ignore[misc]
    """The sign-up form. Somebody who follows an invitation signs up with the address of the invitation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if invitation := invitation_followed(context.request):
            self.initial["email"] = invitation.email
            self.fields["email"].disabled = True

    def try_save(self, request: HttpRequest) -> Any:
        # allauth answers both cases alike, but hashes a password only for a new account, which takes a
        # hundred times as long as all the rest: otherwise the time would tell whether the account exists.
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Adapts allauth's account pages to this platform."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _(
            "The e-mail address or the password is wrong. Check both, or set a new password."
        ),
        "incorrect_password": _("The password is wrong."),
        "too_many_login_attempts": _(
            "Too many attempts. Wait a few minutes, or sign in another way: a code by mail, a"
            " passkey, your institution."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return whether the visitor may sign up: everybody where the installation admits strangers,
        otherwise only somebody who follows an open invitation."""
        return installation().admits_strangers or invitation_followed(request) is not None

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        self._login_failed_rl_usage = attempt(request, str(credentials.get("email") or ""))
        if self._login_failed_rl_usage is None:
            raise self.validation_error("too_many_login_attempts")

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """Forget failed sign-in attempts of a person who has set a new password by mail."""
        forget_attempts(request, credentials["email"])

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        # allauth hands on an inactive person to its own page; a demonstration account is
        # answered like a wrong password.
        return None if user and user.is_demo and not may_sign_in(user) else user

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if response is None and not may_sign_in(user):
            response = self.respond_user_inactive(request, user)
        elif response is None and user.is_demo:
            users.demo_address_vouch(user=user)
        return response

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if kwargs.get("signup") and user.has_usable_password():
            record_authentication(request, user, method="password")  # they have just chosen the password
        if kwargs.get("signup") and (invitation := invitation_followed(request)):
            with suppress(Refused):  # its page says why
                invitation_accept(By(actor_of(user), timezone.now()), invitation_id=invitation.pk)
                add_message(request, SUCCESS, gettext("You are a member now."))
        if sociallogin := (kwargs.get("signal_kwargs") or {}).get("sociallogin"):
            affiliations = sociallogin.account.extra_data.get("affiliations", [])
            signed_in_elsewhere(user=user, affiliations=affiliations, now=timezone.now())
        # A language chosen in this browser stays; otherwise the browser takes the person's language,
        # except for demonstration accounts, whose visitors keep their own.
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES and not user.is_demo:
            remember_language(response, user.language)
        remember_browser(request, response, user)
        return response

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Return whether the address counts as confirmed. The link of an invitation is mailed to its address
        only, so whoever follows it has shown that the mailbox is theirs and needs no confirmation mail."""
        invitation = invitation_followed(request)
        return invitation is not None and invitation.email == email.lower()

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        user = super().save_user(request, user, form, commit=False)
        user.name = form.cleaned_data.get("name", "")
        user.language = translation.get_language() or settings.LANGUAGE_CODE
        user.time_zone = str(timezone.get_current_timezone())
        return users.user_register(user=user, now=timezone.now()) if commit else user

    def get_login_stages(self) -> list[str]:
        own = {"allauth.mfa.stages.AuthenticateStage": "accounts.adapters.second_factor.SecondFactorStage"}
        return [own.get(path, path) for path in super().get_login_stages()]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Return whether the person has to prove again who they are: they have neither signed in nor
        confirmed within the last minutes, or not with the second factor that they have. allauth would ask
        even right after signing in."""
        records = get_authentication_records(self.request, self.request.user)
        if is_mfa_enabled(self.request.user):
            records = [record for record in records if record["method"] == "mfa"]
        age = time.time() - records[-1]["at"] if records else float("inf")
        return bool(age > app_settings.REAUTHENTICATION_TIMEOUT)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return how the person may confirm who they are: with their second factor if they have one,
        otherwise with the password."""
        methods = super().get_reauthentication_methods(user)
        stronger = [method for method in methods if method["id"] != "reauthenticate"]
        return stronger or methods

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("bookings:access")

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        super().send_notification_mail(template_prefix, user, {**(context or {}), "user": user}, email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Put the mail into the outbox, from which a worker writes and sends it
        (accounts/letters/sign_in.py): no request waits for the mail server or fails because of it."""
        if settings.LOCAL_MODE and self.request and not self.request.user.is_authenticated:
            self.request.session[MAIL_ADDRESS_KEY] = email
        facts = {name: str(context[name]) for name in MAIL_FACTS & context.keys()}
        if "timestamp" in context:
            facts["timestamp"] = context["timestamp"].isoformat()
        users.sign_in_mail_send(
            mail=template_prefix.rpartition("/")[2],
            email=email,
            user=context.get("user") or user_by_email(email),
            language=translation.get_language() or settings.LANGUAGE_CODE,
            facts=facts,
            code=str(context.get("code", "")),
            now=timezone.now(),
        )


def _email_confirmed(email_address: Any, **kwargs: Any) -> None:
    _record(email_address.user, "user.email-verify")


def _email_changed(user: Any, from_email_address: Any, **kwargs: Any) -> None:
    if from_email_address is not None:  # a first address replaces no other
        _record(user, "user.email-change")


def _password_changed(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    keep, now = request.session.session_key, timezone.now()
    users.password_changed(user=user, action="user.password-change", keep=keep, now=now)


def _password_reset(user: Any, **kwargs: Any) -> None:
    users.password_changed(user=user, action="user.password-reset", keep=None, now=timezone.now())


def _factor_added(request: Any, user: Any, authenticator: Any, **kwargs: Any) -> None:
    _record(user, "user.factor-add", {"type": str(authenticator.type)})
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        # Setting it up has proved it, so this session need not be asked for it at once.
        record_authentication(request, user, "mfa", id=authenticator.pk, type=str(authenticator.type))


def _factor_removed(user: Any, authenticator: Any, **kwargs: Any) -> None:
    _record(user, "user.factor-remove", {"type": str(authenticator.type)})


def _factor_renewed(user: Any, authenticator: Any, **kwargs: Any) -> None:
    _record(user, "user.factor-renew", {"type": str(authenticator.type)})


def _record(user: Any, action: str, after: dict[str, Any] | None = None) -> None:
    users.sign_in_changed(user=user, action=action, now=timezone.now(), after=after)


def connect() -> None:
    """Connect the functions that handle allauth's signals."""
    for signal, receiver in (
        (account_signals.email_confirmed, _email_confirmed),
        (account_signals.email_changed, _email_changed),
        (account_signals.password_changed, _password_changed),
        (account_signals.password_set, _password_changed),
        (account_signals.password_reset, _password_reset),
        (mfa_signals.authenticator_added, _factor_added),
        (mfa_signals.authenticator_removed, _factor_removed),
        (mfa_signals.authenticator_reset, _factor_renewed),
    ):
        signal.connect(receiver, dispatch_uid=f"accounts.{receiver.__name__}")

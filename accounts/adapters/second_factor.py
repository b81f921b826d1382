"""Adapt allauth's second factors to this platform."""

import base64
import hashlib
from typing import Any

from allauth.account.internal.stagekit import clear_login
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.utils import is_mfa_enabled
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import WrongState
from accounts.letters.words import site_name
from accounts.messages import REFUSALS
from accounts.permissions import needs_second_factor

MARK = "fernet:"
UNREAD = "second-factor-unread"


def _cipher() -> MultiFernet:
    """Return the cipher whose keys are derived from SECRET_KEY and its fallbacks, the newest first."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (hashlib.sha256(f"second factors:{secret!s}".encode()).digest() for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


class SecretUnread(ValidationError, WrongState):  # type: ignore[misc]  # both have a code
    """A second factor was stored under another SECRET_KEY: a form says so beside its field, any other page as
    a refusal."""

    def __init__(self) -> None:
        WrongState.__init__(self, UNREAD)
        # As the other has them.
        self.message = REFUSALS[UNREAD]  # type: ignore[assignment]
        self.params, self.error_list = None, [self]


def second_factors_unread(most: int) -> tuple[int, int]:
    """Return how many stored secrets of second factors no key in force reads, and how many were tried: the
    oldest and the newest, at most so many of each."""
    rows = Authenticator.objects.filter(type__in=(Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES))
    kept = dict(rows.order_by("pk").values_list("pk", "data")[:most])
    kept |= dict(rows.order_by("-pk").values_list("pk", "data")[:most])
    read, unread = SecondFactorAdapter().decrypt, 0
    for data in kept.values():
        try:
            read(data.get("secret") or data.get("seed") or "")
        except SecretUnread:
            unread += 1
    return unread, len(kept)


class SecondFactorStage(AuthenticateStage):  # type: ignore[misc]
    """The step of signing in that asks for the second factor."""

    def is_resumable(self, request: HttpRequest) -> bool:
        """Return whether the person still has a second factor. If it was reset after they had given the
        password, forget this sign-in: the page for the code would send them to the sign-in page, and that one
        back to the code, for ever."""
        user, types = self.login.user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        if user is not None and is_mfa_enabled(user, types):
            return True
        clear_login(request)
        messages.info(request, gettext("Your second factor was reset meanwhile. Sign in again."))
        return False


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts the secrets of second factors, so that a copy of the database is not enough to produce
    codes."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _(
            "The code or key is wrong, or was already used: each works only once. Wait up to "
            "half a minute for the next code, or try again."
        ),
        "unverified_email": _("Confirm your e-mail address first."),
        "cannot_delete_authenticator": _(
            "Your role needs a second factor. Add another one before you remove this."
        ),
    }

    def encrypt(self, text: str) -> str:
        return MARK + _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        if not encrypted_text.startswith(MARK):
            return encrypted_text
        try:
            return _cipher().decrypt(encrypted_text.removeprefix(MARK)).decode()
        except InvalidToken:
            raise SecretUnread from None

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        others = Authenticator.objects.filter(user=authenticator.user).exclude(pk=authenticator.pk)
        is_last = not others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()
        return not (is_last and needs_second_factor(authenticator.user))

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Passkey {number}").format(number=number + 1)

    def _get_site_name(self) -> str:
        return site_name()

"""Run `manage.py account`: let people in again whom the pages keep out, administrators too."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.domain.errors import Invalid, Refused, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.selectors.users import user_by_email
from bookings.operations.services import address_changes
from bookings.operations.services import people as administration

ACTS: dict[str, Callable[..., object]] = {
    "unlock": administration.sign_in_unlock,
    "reset-second-factor": administration.factor_reset_here,
    "end-sessions": administration.sessions_end,
    "revoke-tokens": administration.tokens_revoke,
    "suspend": administration.person_suspend,
    "restore": administration.person_restore,
    "change-address": address_changes.address_change_ask,
}


class Command(BaseCommand):
    help = (
        "Unlock sign-in, reset a second factor, end sessions, revoke tokens, suspend an account, bring it "
        "back, or send a link to a new address. The person is told, and the trail records it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="e-mail address of the person")
        parser.add_argument("act", choices=ACTS)
        parser.add_argument("--reason", required=True, help="why; the person reads it")
        parser.add_argument("--to", metavar="ADDRESS", help="the new address, for change-address")

    def handle(self, *args: Any, email: str, act: str, reason: str, to: str | None, **options: Any) -> None:
        user = user_by_email(email)
        if user is None:
            raise CommandError(f"There is no account with the address {email}.")
        if (act == "change-address") != (to is not None):
            raise CommandError("--to ADDRESS belongs to change-address, and only to it.")
        more = {} if to is None else {"email": to}
        try:
            ACTS[act](By(PLATFORM, timezone.now()), user_id=user.pk, reason=reason, **more)
        except Invalid as refused:
            if refused.problems[0].field == "email":
                raise CommandError(f"{to} is not a mail address.") from refused
            raise CommandError("--reason must not be empty or longer than 500 characters.") from refused
        except WrongState as refused:
            raise CommandError(f"This does not fit the state of the account ({refused.code}).") from refused
        except Refused as refused:
            raise CommandError(f"Refused: {refused.code}.") from refused
        self.stdout.write(f"Done: {act}, {user.email}.")

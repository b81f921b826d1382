"""Run `manage.py issue_token`: issue a token for a program."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.domain.errors import NotPermitted
from accounts.selectors.users import user_by_email
from accounts.services.tokens import LONGEST, token_issue


class Command(BaseCommand):
    help = "Create an API token for a person and print it on the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="e-mail address of the person")
        parser.add_argument(
            "--days",
            type=int,
            default=settings.TOKEN_LIFETIME.days,
            help=f"number of days for which it is valid, 1 to {LONGEST.days} (default %(default)s)",
        )

    def handle(self, *args: Any, email: str, days: int, **options: Any) -> None:
        user = user_by_email(email)
        if user is None:
            raise CommandError(f"There is no account with the address {email}.")
        if not user.is_active:
            raise CommandError(f"The account {email} is closed: a token would not work.")
        if not 1 <= days <= LONGEST.days:
            raise CommandError(f"--days must be between 1 and {LONGEST.days}.")
        try:
            row, token = token_issue(
                user=user, label="manage.py issue_token", lifetime=timedelta(days=days), now=timezone.now()
            )
        except NotPermitted as refused:
            raise CommandError(
                f"The roles of {email} require a second factor, which has to be set up first: "
                "sign in and open Second factor in the profile."
            ) from refused
        self.stdout.write(
            f"Token for {user.email}, valid until {row.expires_at:%Y-%m-%d %H:%M} UTC, for all "
            f"scopes ({', '.join(row.scopes)}).\n"
            "It is shown only once. Send it as: Authorization: Bearer TOKEN\n"
        )
        self.stdout.write(token)

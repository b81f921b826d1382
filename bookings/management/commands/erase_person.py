"""Erase somebody who asked for it in another way than on the page."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.domain.errors import WrongState
from accounts.selectors.users import user_by_email
from bookings.privacy.services.persons import person_close
from bookings.record.messages import sentence


class Command(BaseCommand):
    help = "Close an account permanently; a job then removes name and addresses everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="e-mail address of the account")
        parser.add_argument(
            "--reason", required=True, help="who asked and how; kept in the erasable part of the trail"
        )

    def handle(self, *args: Any, email: str, reason: str, **options: Any) -> None:
        user = user_by_email(email)
        if user is None or not user.is_active:
            raise CommandError(f"There is no open account with the address {email}.")
        try:
            cancelled = person_close(user=user, now=timezone.now(), by_platform=True, reason=reason)
        except WrongState as refused:
            raise CommandError(sentence(refused.code, refused.numbers)) from None
        self.stdout.write(
            f"The account {email} is closed; bookings cancelled: {cancelled}. A worker removes "
            "name and addresses within minutes."
        )

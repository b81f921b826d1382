"""Retry failed effects or jobs, or list them: manage.py retry_failed [NAME]"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.errors import Invalid
from accounts.domain.roles import PLATFORM, By
from accounts.selectors.jobs import failures
from accounts.services.jobs import failures_retry


class Command(BaseCommand):
    help = (
        "Retry everything that failed of a kind of effect (mail.confirmed) or of a job (final "
        "charges) at once. Without a name: list the failures."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="name of a kind of effect or of a job")

    def handle(self, *args: Any, **options: Any) -> None:
        if (name := options["name"]) is None:
            for failure in failures():
                again = f"again at {failure.due_at:%Y-%m-%d %H:%M} UTC" if failure.due_at else "given up"
                self.stdout.write(
                    f"{failure.name}  {failure.about}  {failure.attempts} attempts, {again}: {failure.error}"
                )
            return
        try:
            count = failures_retry(By(PLATFORM, timezone.now()), name=name)
        except Invalid:
            raise CommandError(f"There are no failures called {name!r}.") from None
        self.stdout.write(f"{count} retried.")

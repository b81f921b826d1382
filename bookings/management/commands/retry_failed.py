"""List failures, retry them, or give them up: manage.py retry_failed [NAME] [--cause C] [--give-up WHY]"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.errors import Invalid, WrongState
from accounts.domain.roles import PLATFORM, By
from bookings.operations.domain.failures import cause_of
from bookings.operations.selectors.failures import load_failures, load_named
from bookings.operations.services.failures import group_give_up, group_retry


class Command(BaseCommand):
    help = (
        "Retry everything that failed of a kind of effect (mail.confirmed) or of a job (final "
        "charges) at once, or give it up. Without a name: list the failures."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="name of a kind of effect or of a job")
        parser.add_argument("--cause", default="", help="only failures with this cause, as the list has it")
        parser.add_argument("--give-up", metavar="WHY", help="end the attempts, for this reason")

    def handle(self, *args: Any, **options: Any) -> None:
        if (name := options["name"]) is None:
            for failure in (row.failure for row in load_named(load_failures(cause=options["cause"]))):
                again = f"again at {failure.due_at:%Y-%m-%d %H:%M} UTC" if failure.due_at else "given up"
                self.stdout.write(
                    f"{failure.name}  {cause_of(failure.error)}  {failure.to or failure.about}  "
                    f"{failure.attempts} attempts, {again}: {failure.error}"
                )
            return
        by, which = By(PLATFORM, timezone.now()), {"name": name, "cause": options["cause"]}
        try:
            if options["give_up"] is None:
                self.stdout.write(f"{group_retry(by, **which)} retried.")
            else:
                self.stdout.write(f"{group_give_up(by, **which, reason=options['give_up'])} given up.")
        except Invalid as problem:
            if problem.problems[0].field == "reason":
                raise CommandError("Say why: --give-up WHY.") from None
            raise CommandError(f"There are no failures called {name!r}.") from None
        except WrongState:
            raise CommandError("The work of a job is never given up.") from None

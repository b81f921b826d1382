"""`manage.py seed_demo [--if-empty]`"""

import argparse
import gc
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.selectors.verification import VERIFYING, trail_found_right
from accounts.services.jobs import run_begin, run_end
from bookings.demo.services import ACCOUNTS, PASSWORD, NotEmpty, NotLocal, demo_seed
from instruments.models import Parameter


class Command(BaseCommand):
    help = (
        "Build the demonstration world, the same every time: regions, organisations, people, "
        "instruments, and use that is generated. Only where `make run` brings its own servers."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing where there are data already"
        )

    def handle(self, *args: Any, if_empty: bool, **options: Any) -> None:
        gc.disable()  # the world is held whole until it is stored: there is nothing to collect
        now = timezone.now().replace(microsecond=0)
        try:
            demo_seed(now=now, say=self.stdout.write)
        except NotLocal:
            raise CommandError(
                "The demonstration has accounts with a known password. It is made only with the "
                'bundled servers that "make run" starts.'
            ) from None
        except NotEmpty:
            if not if_empty:
                raise CommandError(
                    "There are data already; the demonstration is made in an empty database. "
                    '"make reset" deletes the local data.'
                ) from None
            self.stdout.write("There are data already; nothing was made.")
            if not Parameter.objects.exists():  # a world of a version before them
                call_command("import_techniques", stdout=self.stdout)
        else:
            # As the nightly job does: auditors see that the trail holds.
            run = run_begin(VERIFYING, now)
            trail_found_right()
            run_end(run, outcome="done", now=timezone.now())
            self.stdout.write("Past use in this demonstration is generated.")
        self._accounts()

    def _accounts(self) -> None:
        self.stdout.write(f"\nAccounts, each with the password: {PASSWORD}")
        for account in ACCOUNTS:
            self.stdout.write(f"  {account['email']:22} {account['does']}")

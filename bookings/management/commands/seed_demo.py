"""Build the demonstration world: `manage.py seed_demo [--if-empty]`"""

import argparse
import gc
from itertools import groupby
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.selectors.verification import VERIFYING, trail_found_right
from accounts.services.jobs import run_begin, run_end
from bookings.catalogue.services.feed import feed_refresh
from bookings.demo.services import ACCOUNTS, PASSWORD, NotEmpty, NotLocal, demo_seed
from instruments.vocabulary.models import Parameter


class Command(BaseCommand):
    help = (
        "Create the demonstration data, the same every time: regions, organisations, people, "
        "instruments and generated use. Only with the bundled servers that `make run` starts."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing if the database already contains data"
        )

    def handle(self, *args: Any, if_empty: bool, **options: Any) -> None:
        gc.disable()  # the whole world is kept until it is stored, so there is nothing to collect
        now = timezone.now().replace(microsecond=0)
        try:
            demo_seed(now=now, say=self.stdout.write)
        except NotLocal:
            raise CommandError(
                "The demonstration has accounts with a known password. It can only be created with the "
                'bundled servers that "make run" starts.'
            ) from None
        except NotEmpty:
            if not if_empty:
                raise CommandError(
                    "The database already contains data; the demonstration needs an empty one. "
                    '"make reset" deletes the local data.'
                ) from None
            self.stdout.write("The database already contains data; nothing was created.")
            if not Parameter.objects.exists():  # a world of a version before them
                call_command("import_techniques", stdout=self.stdout)
        else:
            # As the nightly job does, so that auditors see an intact trail.
            run = run_begin(VERIFYING, now)
            trail_found_right()
            run_end(run, outcome="done", now=timezone.now())
            feed_refresh(now=timezone.now())  # else whoever follows it meets nothing for five minutes
            self.stdout.write("The past use in this demonstration is generated.")
        self._accounts()

    def _accounts(self) -> None:
        self.stdout.write(f"\nAccounts, all with the password {PASSWORD}")
        for role, accounts in groupby(ACCOUNTS, key=lambda account: account["roles"][0]):
            self.stdout.write(f"  {role}")
            for account in accounts:
                self.stdout.write(f"    {account['email']:26} {account['does']}")

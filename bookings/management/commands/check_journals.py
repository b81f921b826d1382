"""Hold the closed months of all journals against their digests: manage.py check_journals"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bookings.journal.models import JournalMonth
from bookings.journal.selectors.kept import months_astray


class Command(BaseCommand):
    help = "Compute the SHA-256 of every closed month of a journal again from the lines that are stored."

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = months_astray()
        for row in wrong:
            self.stderr.write(f"journal of {row.organisation.code} as {row.side}, {row.month:%Y-%m}")
        if wrong:
            raise CommandError(f"{len(wrong)} closed months are not as they were closed.")
        self.stdout.write(f"{JournalMonth.objects.count()} closed months are as they were closed.")

"""manage.py verify_trail"""

import os
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.selectors.verification import trail_verify

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Computes every entry, seal and side row of the trail anew and names what is not as it "
        "was written, the first place first. Ends with 1 where anything is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seal", type=int, help="Number of a seal whose digest you know.")
        parser.add_argument("--digest", help="That digest, as it was mailed: 64 hex digits.")
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)

    def handle(self, *args: Any, **options: Any) -> None:
        known = None
        if options["digest"]:
            try:
                known = (options["seal"] or 0, bytes.fromhex(options["digest"]))
            except ValueError:
                raise CommandError("The digest is 64 hex digits.") from None
        began = time.monotonic()
        found = trail_verify(processes=options["processes"], known=known)
        for problem in found.problems[:SHOWN]:
            self.stderr.write(str(problem))
        if found.problems:
            raise CommandError(f"{len(found.problems)} places are not as they were written.")
        self.stdout.write(
            f"{found.entries} entries in {found.seals} seals are as they were written "
            f"({found.forgotten} with erased text); {found.unsealed} wait for the next seal. "
            f"{time.monotonic() - began:.1f} s"
        )

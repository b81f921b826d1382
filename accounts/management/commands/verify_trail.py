"""manage.py verify_trail"""

import os
import time
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.domain.errors import Invalid
from accounts.domain.seals import known_seal
from accounts.selectors.verification import trail_verify

SHOWN = 20


def _expected(text: str) -> tuple[int, bytes]:
    try:
        return known_seal(text)
    except Invalid:
        raise ArgumentTypeError("a seal is NUMBER:DIGEST, the digest 64 hex digits") from None


class Command(BaseCommand):
    help = (
        "Computes every entry, seal and side row of the trail anew and names what is not as it "
        "was written, the first place first. Ends with 1 where anything is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--expect",
            type=_expected,
            action="append",
            default=[],
            metavar="NUMBER:DIGEST",
            help="A seal whose digest you hold, as it was mailed; may be given again.",
        )
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        report = trail_verify(processes=options["processes"], known=options["expect"])
        for problem in report.problems[:SHOWN]:
            self.stderr.write(str(problem))
        if report.problems:
            raise CommandError(f"{len(report.problems)} places are not as they were written.")
        self.stdout.write(
            f"{report.entries} entries in {report.seals} seals are as they were written "
            f"({report.forgotten} with erased text); {report.unsealed} wait for the next seal. "
            f"{time.monotonic() - began:.1f} s"
        )

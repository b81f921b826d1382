"""Run `manage.py verify_trail`: compare the whole trail with its seals and list every difference."""

import os
import time
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.domain.errors import Invalid
from accounts.domain.seals import known_seal
from accounts.models import Seal
from accounts.selectors.verification import trail_verify

SHOWN = 20


def _expected(text: str) -> tuple[int, bytes]:
    try:
        return known_seal(text)
    except Invalid:
        raise ArgumentTypeError("a seal is NUMBER:DIGEST, the digest 64 hex digits") from None


class Command(BaseCommand):
    help = (
        "Recompute every entry, seal and side row of the trail and list what has changed since it "
        "was written, in order. Exits with 1 if anything is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--expect",
            type=_expected,
            action="append",
            default=[],
            metavar="NUMBER:DIGEST",
            help="a seal that you received by e-mail; may be given several times",
        )
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        report = trail_verify(processes=options["processes"], known=options["expect"])
        for problem in report.problems[:SHOWN]:
            self.stderr.write(str(problem))
        if report.problems:
            raise CommandError(f"{len(report.problems)} places have changed since they were written.")
        self.stdout.write(
            f"{report.entries} entries in {report.seals} seals are unchanged "
            f"({report.forgotten} with erased text); {report.unsealed} are not sealed yet. "
            f"{time.monotonic() - began:.1f} s"
        )
        if report.newest is not None:
            self.stdout.write(_compare(report.newest, [number for number, _ in options["expect"]]))


def _compare(newest: Seal, expected: list[int]) -> str:
    """Say which seal to compare with a digest that was kept outside the database."""
    seal = (
        f"The newest seal is {newest.number}, of {newest.at:%Y-%m-%dT%H:%M:%SZ}, "
        f"SHA-256 {bytes(newest.digest).hex()}."
    )
    if not expected:
        return (
            f"{seal} Compare it with the last one that was sent to auditors or kept elsewhere: "
            "nothing else shows whether the whole trail was rewritten or its end cut off "
            "(--expect NUMBER:DIGEST compares them)."
        )
    if newest.number in expected:
        return f"{seal} It is the expected one."
    return (
        f"{seal} Seal {max(expected)} is the expected one; what was sealed after it is "
        "not covered by the digests that you gave."
    )

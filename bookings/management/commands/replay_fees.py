"""Compute stored quotes and charges again: manage.py replay_fees [--since DATE] [--instrument ID] [--charge
ID]"""

from argparse import ArgumentParser
from datetime import UTC, date, datetime
from time import monotonic
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from bookings.charging.selectors.replay import replay_all


class Command(BaseCommand):
    help = (
        "Recompute every stored quote and charge from its stored inputs and list each field that "
        "differs. Exits with 1 if any does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since", metavar="DATE", help="only quotes and charges made on this UTC day or later"
        )
        parser.add_argument("--instrument", metavar="ID", help="only quotes and charges of this instrument")
        parser.add_argument("--charge", metavar="ID", help="only this charge")

    def handle(self, *args: Any, **options: Any) -> None:
        since = _day(options["since"])
        instrument = _id("--instrument", options["instrument"])
        charge = _id("--charge", options["charge"])
        begun = monotonic()
        counts = {"quote": 0, "charge": 0}
        wrong = fields = unknown = 0
        for row in replay_all(since=since, instrument_id=instrument, charge_id=charge):
            counts[row.kind] += 1
            unknown += row.differences is None
            wrong += bool(row.differences)
            for difference in row.differences or ():
                fields += 1
                self.stdout.write(
                    f"{row.kind} {row.id} {difference.field}: "
                    f"stored {_shown(difference.stored)}, "
                    f"recomputed {_shown(difference.recomputed)}"
                )
        if charge and not counts["charge"]:
            raise CommandError(f"There is no charge {charge}.")
        seconds = max(monotonic() - begun, 0.001)
        self.stdout.write(
            f"Recomputed {counts['quote']} quotes and {counts['charge']} charges in "
            f"{seconds:.1f} s ({sum(counts.values()) / seconds:.0f} per second)."
        )
        if unknown:
            self.stdout.write(f"{unknown} charges are of a kind that cannot be recomputed.")
        if wrong:
            raise CommandError(f"{fields} fields differ in {wrong} of them.")
        self.stdout.write("All agree to the cent.")


def _shown(value: str | None) -> str:
    return "nothing" if value is None else value


def _day(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        if len(given) == len("2026-01-31"):  # fromisoformat also takes 20260131 and 2026-W05
            day = date.fromisoformat(given)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
    except ValueError:
        pass
    raise CommandError(f"--since must be a date like 2026-01-31, not {given!r}.")


def _id(name: str, given: str | None) -> UUID | None:
    try:
        return UUID(given) if given else None
    except ValueError:
        raise CommandError(f"{name} must be an id, not {given!r}.") from None

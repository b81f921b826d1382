"""Turn maintenance on and off: `manage.py maintenance on --minutes 90`, `manage.py maintenance off`"""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from accounts.domain.errors import Invalid, Refused
from accounts.domain.maintenance import Spell
from accounts.domain.roles import PLATFORM, By
from accounts.selectors.installation import maintenance_now
from bookings.operations.services import maintenance

USUAL = ("The platform is being maintained.", "平台正在维护。")


class Command(BaseCommand):
    help = (
        "Let nothing be changed for a time: pages and API answer 503 to whatever writes, workers wait. "
        "With --file it works without the database, in all processes that see the file MAINTENANCE_FILE."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=["on", "off", "status"])
        end = parser.add_mutually_exclusive_group()
        end.add_argument("--until", help="end, with an offset: 2026-12-01T18:00+08:00")
        end.add_argument("--minutes", type=int, help="how long it lasts from now on")
        parser.add_argument("--reason", default=USUAL[0])
        parser.add_argument("--reason-zh", default=USUAL[1])
        parser.add_argument("--file", action="store_true", help="by the file alone, without the database")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            {"on": self._on, "off": self._off, "status": self._status}[options["act"]](now, options)
        except Refused as refused:
            problem = refused.problems[0] if isinstance(refused, Invalid) else None
            told = f"{problem.field}: {problem.code}" if problem else refused.code
            raise CommandError(told) from None
        except OSError as error:
            raise CommandError(f"The file cannot be changed: {error}") from None
        except DatabaseError as error:
            raise CommandError(f"The database did not do it; --file works without it: {error}") from None

    def _on(self, now: datetime, options: dict[str, Any]) -> None:
        until = _end(now, options)
        told = {"reason": options["reason"], "reason_zh": options["reason_zh"]}
        if options["file"]:
            path = maintenance.maintenance_file_write(Spell(now, until, **told))
            self.stdout.write(f"Maintenance until {until.isoformat()}, by {path}.")
            return
        maintenance.maintenance_plan(By(PLATFORM, now), starts_at=None, ends_at=until, **told)
        self.stdout.write(f"Maintenance until {until.isoformat()}.")

    def _off(self, now: datetime, options: dict[str, Any]) -> None:
        removed = maintenance.maintenance_file_remove()
        ended = 0 if options["file"] else maintenance.maintenance_end_all(By(PLATFORM, now))
        self.stdout.write("Maintenance is off." if removed or ended else "There was no maintenance.")

    def _status(self, now: datetime, options: dict[str, Any]) -> None:
        spell = maintenance_now(now)
        until = spell and spell.ends_at.isoformat()
        self.stdout.write(f"Maintenance until {until}: {spell.reason}" if spell else "No maintenance.")


def _end(now: datetime, options: dict[str, Any]) -> datetime:
    if options["minutes"] is not None:
        return now + timedelta(minutes=options["minutes"])
    try:
        until = datetime.fromisoformat(options["until"] or "")
    except ValueError:
        until = None
    if until is None or until.tzinfo is None:
        raise CommandError("Say when it ends: --minutes 90, or --until 2026-12-01T18:00+08:00.")
    return until

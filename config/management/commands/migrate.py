"""Run `manage.py migrate`: Django's command, which tries again while others hold a table that it needs."""

import time
from contextlib import nullcontext
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from accounts.database import is_busy, is_deadlock
from accounts.models.steps import LOCK_TIMEOUT, notes_forget
from config.database.waits import waits_told

PAUSE = 3.0  # seconds, in which who waited behind it has the table
MOST_TRIES = 100  # without a step between them: some eight minutes


class Command(migrate.Command):
    help = (
        "Bring the database up to date while it is in use: if a table stays locked for too long, "
        "say by whom, let the others that wait for it go first, and try again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        is_told = options["verbosity"] > 0
        tries, reached = 0, -1
        while True:
            try:
                _wait_shortly()
                with waits_told(connection, self._tell) if is_told else nullcontext():
                    super().handle(*args, **options)
                break
            except OperationalError as error:
                if not is_busy(error):
                    raise
                now_at = MigrationRecorder(connection).migration_qs.count()
                tries = tries + 1 if now_at == reached else 1
                reached = now_at
                if tries == MOST_TRIES:
                    raise CommandError(
                        "A table that the migration needs is locked (a backup? a large export?)."
                        " Finished steps are kept: start the migration again later."
                    ) from error
                if is_told:
                    why = "a deadlock" if is_deadlock(error) else "no lock in time"
                    self._tell(f"{why}; trying again in {PAUSE:.0f} s")
            time.sleep(PAUSE)
        _run_sql("RESET lock_timeout")
        if not options["plan"] and not options["check_unapplied"]:
            notes_forget()

    def migration_progress_callback(self, action: str, *args: Any, **options: Any) -> None:
        if action in {"apply_start", "unapply_start"}:  # the one before may have changed it
            _wait_shortly()
        super().migration_progress_callback(action, *args, **options)

    def _tell(self, text: str) -> None:
        self.stdout.write(f"\n    {text}", ending="")
        self.stdout.flush()


def _wait_shortly() -> None:
    """Wait for a lock no longer than a step does, whatever form the migration has: everybody who needs the
    same table waits behind it."""
    _run_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")


def _run_sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)

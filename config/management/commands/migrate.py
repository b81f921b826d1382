"""Run `manage.py migrate`: Django's command, which tries again while others hold a table that it needs."""

import time
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from accounts.database import is_busy
from accounts.models.steps import notes_forget

PAUSE = 3.0  # seconds, in which who waited behind it has the table
MOST_TRIES = 100  # without a step between them: some eight minutes


class Command(migrate.Command):
    help = (
        "Bring the database up to date while it is in use: if a table stays locked for too long, "
        "let the others that wait for it go first, and try again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        tries, reached = 0, -1
        while True:
            try:
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
                if options["verbosity"] > 0:
                    self.stdout.write(" the table is locked; trying again")
            time.sleep(PAUSE)
        if not options["plan"] and not options["check_unapplied"]:
            notes_forget()

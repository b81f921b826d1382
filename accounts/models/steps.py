"""Migrations that never lock several busy tables at once."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connection, migrations, transaction
from django.db.migrations.recorder import MigrationRecorder

LOCK_TIMEOUT = "2s"
MARK = " step "


class Stepwise(migrations.Migration):
    """A migration in which each operation, and each foreign key and index of a new table, is a transaction of
    its own. So none holds the lock of one busy table while it waits for another, which could deadlock with
    whoever reads both, and none blocks others for more than two seconds. Each step is noted in its
    transaction: after an interruption the migration continues with the step that failed (`migrate` retries by
    itself)."""

    atomic = False

    def apply(self, project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        recorder = MigrationRecorder(connection)
        done = set() if collect_sql else {name for _, name in recorder.applied_migrations()}
        number = 0

        def step(act: Callable[[], None]) -> bool:
            """Carry out one step, unless it was carried out before."""
            nonlocal number
            number += 1
            name = f"{self.name}{MARK}{number}"
            if collect_sql:
                schema_editor.collected_sql.append("BEGIN;")
                act()
                schema_editor.collected_sql.append("COMMIT;")
            elif name not in done:
                with transaction.atomic():
                    schema_editor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                    act()
                    recorder.record_applied(self.app_label, name)
            else:
                return False
            return True

        for operation in self.operations:
            before = project_state.clone()
            operation.state_forwards(self.app_label, project_state)

            def forwards(editor: Any, operation: Any = operation, before: Any = before) -> None:
                operation.database_forwards(self.app_label, editor, before, project_state)

            if not operation.reduces_to_sql:
                if not collect_sql:
                    step(partial(forwards, schema_editor))
                continue
            if step(partial(forwards, schema_editor)):
                later, schema_editor.deferred_sql = list(schema_editor.deferred_sql), []
            else:  # what follows it is known only from doing it again, for show
                with connection.schema_editor(collect_sql=True, atomic=False) as shown:
                    forwards(shown)
                    later = list(shown.deferred_sql)
            for statement in later:
                step(partial(schema_editor.execute, statement, None))
        return project_state

    def unapply(self, project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        state = super().unapply(project_state, schema_editor, collect_sql)
        if not collect_sql:
            _forget(lambda app, name: (app, name) == (self.app_label, self.name))
        return state


def notes_forget() -> None:
    """Forget the notes of steps whose migration has ended."""
    applied = MigrationRecorder(connection).applied_migrations().keys()
    _forget(lambda app, name: (app, name) in applied)


def _forget(is_over: Callable[[str, str], bool]) -> None:
    """Delete the notes of the migrations for which `is_over` holds."""
    recorder = MigrationRecorder(connection)
    for app, name in recorder.applied_migrations():
        migration, mark, _ = name.partition(MARK)
        if mark and is_over(app, migration):
            recorder.record_unapplied(app, name)

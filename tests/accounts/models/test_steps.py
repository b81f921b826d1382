"""Migrations that go step by step."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import OperationalError, connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from psycopg.errors import DeadlockDetected

from accounts.models import steps
from accounts.models.steps import MARK, Stepwise, notes_forget
from config.database import waits
from config.management.commands import migrate as ours

NAME = "9000_things"


# Tables that this session keeps others from reading or writing as a whole.
LOCKED = """
SELECT now()::text, c.relname FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation AND c.relkind = 'r'
WHERE l.pid = pg_backend_pid() AND l.granted AND c.relname = ANY(%s) AND l.mode IN
    ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""


@contextmanager
def noting_locks() -> Iterator[dict[str, set[str]]]:
    """Note which of the tables that exist now each transaction locks as a whole until its end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        tables = [name for (name,) in cursor.fetchall() if name != "django_migrations"]
    held: dict[str, set[str]] = defaultdict(set)

    def note(execute: Any, statement: Any, values: Any, many: bool, context: Any) -> Any:
        done = execute(statement, values, many, context)
        if connection.in_atomic_block:
            for at, table in connection.connection.execute(LOCKED, [tables]):
                held[at].add(table)
        return done

    with connection.execute_wrapper(note):
        yield held


def notes() -> list[str]:
    rows = MigrationRecorder(connection).migration_qs.filter(name__contains=MARK)
    return sorted(rows.values_list("name", flat=True))


def foreign_keys() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_constraint WHERE conrelid = 'accounts_thing'::regclass AND contype = 'f'"
        )
        return int(cursor.fetchone()[0])


@pytest.fixture
def migration(real_db: None) -> Iterator[Stepwise]:
    """A table that names two of others."""
    made = Stepwise(NAME, "accounts")
    made.operations = [
        migrations.CreateModel(
            "Thing",
            [
                ("id", models.AutoField(primary_key=True)),
                ("user", models.ForeignKey("accounts.User", models.CASCADE)),
                ("region", models.ForeignKey("accounts.Region", models.CASCADE)),
            ],
        )
    ]
    yield made
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS accounts_thing")
    MigrationRecorder(connection).migration_qs.filter(name__startswith=NAME).delete()


def beside() -> psycopg.Connection:
    """Another connection to the same database."""
    at = connection.get_connection_params()
    return psycopg.connect(**{name: at[name] for name in ("host", "port", "user", "password", "dbname")})


def carry_out(migration: Stepwise) -> None:
    with connection.schema_editor(atomic=False) as editor:
        migration.apply(MigrationLoader(connection).project_state(), editor)


def test_one_that_broke_off_goes_on_with_the_step_that_failed(
    migration: Stepwise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "LOCK_TIMEOUT", "50ms")
    with beside() as other:
        other.execute("LOCK TABLE accounts_region IN ROW EXCLUSIVE MODE")
        for _ in range(2):  # whatever is done is not done again
            with pytest.raises(OperationalError, match="lock timeout"):
                carry_out(migration)
            assert foreign_keys() == 1  # that of the user holds nobody up
    carry_out(migration)
    assert foreign_keys() == 2
    assert notes() == [f"{NAME}{MARK}{number}" for number in range(1, len(notes()) + 1)]
    notes_forget()
    assert notes()  # it has not ended: `migrate` says so
    MigrationRecorder(connection).record_applied("accounts", NAME)
    notes_forget()
    assert notes() == []


@pytest.mark.parametrize(("base", "most"), [(migrations.Migration, 2), (Stepwise, 1)])
def test_each_step_locks_one_table_of_others(
    migration: Stepwise, base: type[migrations.Migration], most: int
) -> None:
    """As the database sees it, whatever the statements name: `noting_locks` tells the two forms apart."""
    usual = base(NAME, "accounts")
    usual.operations = migration.operations
    with noting_locks() as held, connection.schema_editor(atomic=usual.atomic) as editor:
        usual.apply(MigrationLoader(connection).project_state(), editor)
    assert set.union(*held.values()) == {"accounts_user", "accounts_region"}
    assert max(map(len, held.values())) == most


def test_one_that_is_taken_back_can_be_carried_out_again(migration: Stepwise) -> None:
    carry_out(migration)
    with connection.schema_editor(atomic=False) as editor:
        migration.unapply(MigrationLoader(connection).project_state(), editor)
    assert notes() == []
    carry_out(migration)
    assert foreign_keys() == 2


def test_migrate_tries_again_while_others_are_first(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def handle(*words: object, **options: object) -> None:
        calls.append("")
        if len(calls) < 3:
            raise OperationalError("deadlock detected") from DeadlockDetected()

    monkeypatch.setattr(migrate.Command, "handle", handle)
    monkeypatch.setattr(ours, "PAUSE", 0)
    call_command("migrate", verbosity=0)
    assert len(calls) == 3


def test_migrate_says_for_whom_it_waits_and_goes_on_when_they_have_ended(
    real_db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A migration of any form waits two seconds for a lock at most: here one that sets no limit itself."""
    other = beside()
    other.execute("SET application_name = 'a report'; LOCK TABLE accounts_region IN ROW EXCLUSIVE MODE")
    tries: list[str] = []

    def handle(self: ours.Command, *words: object, **options: object) -> None:
        self.migration_progress_callback("apply_start")
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            tries.append(cursor.fetchone()[0])
            if len(tries) == 2:
                other.close()
            with transaction.atomic():
                cursor.execute("LOCK TABLE accounts_region")

    monkeypatch.setattr(migrate.Command, "handle", handle)
    monkeypatch.setattr(migrate.Command, "migration_progress_callback", lambda *words: None)
    monkeypatch.setattr(waits, "EVERY", 0.05)
    monkeypatch.setattr(ours, "PAUSE", 0)
    pid = other.info.backend_pid
    call_command("migrate")
    said = capsys.readouterr().out
    assert tries == [steps.LOCK_TIMEOUT] * 2
    assert f"waits for the table accounts_region: session {pid} (a report, " in said
    assert "idle in transaction), in a transaction for " in said and said.count("waits for") == 1
    assert "no lock in time; trying again" in said


def test_migrate_gives_up_in_the_end(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def handle(*words: object, **options: object) -> None:
        raise OperationalError("deadlock detected") from DeadlockDetected()

    monkeypatch.setattr(migrate.Command, "handle", handle)
    monkeypatch.setattr(ours, "PAUSE", 0)
    with pytest.raises(ours.CommandError, match="start the migration again"):
        call_command("migrate", verbosity=0)

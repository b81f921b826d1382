"""Migrations that go step by step."""

from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import OperationalError, connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from psycopg.errors import DeadlockDetected

from accounts.models import steps
from accounts.models.steps import MARK, Stepwise, notes_forget
from config.management.commands import migrate as ours

NAME = "9000_things"


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


def carry_out(migration: Stepwise) -> None:
    with connection.schema_editor(atomic=False) as editor:
        migration.apply(MigrationLoader(connection).project_state(), editor)


def test_one_that_broke_off_goes_on_with_the_step_that_failed(
    migration: Stepwise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "LOCK_TIMEOUT", "50ms")
    at = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{name: at[name] for name in names}) as other:
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


def test_migrate_gives_up_in_the_end(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def handle(*words: object, **options: object) -> None:
        raise OperationalError("deadlock detected") from DeadlockDetected()

    monkeypatch.setattr(migrate.Command, "handle", handle)
    monkeypatch.setattr(ours, "PAUSE", 0)
    with pytest.raises(ours.CommandError, match="start the migration again"):
        call_command("migrate", verbosity=0)

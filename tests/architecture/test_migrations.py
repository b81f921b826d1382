"""The release before works while a migration runs, and until every process has started again."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from psycopg import sql

from accounts.models.indexes import AddIndexConcurrently
from accounts.selectors.guards import APPS

SQUAWK = [Path(sys.executable).with_name("squawk"), "--pg-version=15.0", "--reporter=gcc"]
# All of its rules hold but these.
EXCEPT = {
    "require-lock-timeout": "every session has one (config/settings.py, DATABASE_SESSION)",
    "require-statement-timeout": "what takes long holds no lock that others wait for",
    "prefer-text-field": "the lengths are part of the models, and few change",
    "prefer-bigint-over-int": "what counts or measures; keys are UUIDs",
    "prefer-bigint-over-smallint": "the same",
}
# Each app's first migration is the tables of 0.2.0; those after it are held to the rules for good.
LOADER = MigrationLoader(None)
NEW = {
    f"{app}.{name}": migration
    for (app, name), migration in LOADER.disk_migrations.items()
    if app in APPS and not migration.replaces
}


def objections(migration: migrations.Migration, state: ProjectState) -> str:
    """What squawk says of the statements of a migration, by all rules but those that the migration
    may break: it says why, `safe = {"rule": "why"}`. Needs no server."""
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(state, editor, collect_sql=True)
    lines = editor.collected_sql
    statements = "\n".join(["BEGIN;", *lines, "COMMIT;"] if migration.atomic else lines)
    exclude = [f"--exclude={rule}" for rule in EXCEPT | getattr(migration, "safe", {})]
    done = subprocess.run(
        [*SQUAWK, *exclude, f"--stdin-filepath={migration}.sql"],
        input=statements, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def _without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def composed(query: str, params: tuple[object, ...] | None) -> str:
        return query % tuple(map(sql.quote, params)) if params else query

    monkeypatch.setattr(connection.ops, "compose_sql", composed)


@pytest.mark.parametrize("name", NEW)
def test_migrations_let_the_release_before_go_on(name: str) -> None:
    migration = NEW[name]
    state = LOADER.project_state((migration.app_label, migration.name), at_end=False)
    assert objections(migration, state) == ""


COLUMN = models.IntegerField
INDEX = models.Index(fields=["id"], name="thing_id")


@pytest.mark.parametrize(("operation", "rule"), [
    (migrations.AddField("thing", "new", COLUMN(null=True)), ""),
    (migrations.AddField("thing", "new", COLUMN(db_default=0)), ""),
    (migrations.AddField("thing", "new", COLUMN(default=0)), "ban-drop-default"),
    (migrations.AlterField("thing", "some", COLUMN(db_default=0)), "adding-not-nullable-field"),
    (migrations.RemoveField("thing", "some"), "ban-drop-column"),
    (migrations.RenameField("thing", "some", "other"), "renaming-column"),
    (migrations.DeleteModel("thing"), "ban-drop-table"),
    (migrations.AddIndex("thing", INDEX), "require-concurrent-index-creation"),
    (AddIndexConcurrently("thing", INDEX), ""),
    (migrations.RunSQL("ALTER TABLE bookings_thing RENAME TO other"), "renaming-table"),
])  # fmt: skip
def test_what_squawk_objects_to(operation: migrations.operations.base.Operation, rule: str) -> None:
    migration = migrations.Migration("9999_new", "bookings")
    migration.operations = [operation]
    migration.atomic = not isinstance(operation, AddIndexConcurrently)
    fields = [("id", models.AutoField(primary_key=True)), ("some", COLUMN(null=True))]
    state = ProjectState()
    state.add_model(ModelState("bookings", "Thing", fields))
    assert rule in objections(migration, state.clone())
    migration.safe = {rule: "nobody reads it any more"} if rule else {}
    assert objections(migration, state) == ""

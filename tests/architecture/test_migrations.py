"""The release before works while a migration runs, and until every process has started again."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from psycopg import sql

from accounts.models.at_once import AtOnce
from accounts.models.indexes import AddIndexConcurrently
from accounts.models.steps import Stepwise
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
# The way of a database of 0.2.0, whose tables are each app's first migration; those after it are held to
# the rules for good. An empty database takes the way in one step.
LOADER = MigrationLoader(None, replace_migrations=False)
for key, step in LOADER.replacements.items():
    if isinstance(step, AtOnce):
        LOADER.graph.remove_replacement_node(key, step.replaces)
NEW = {
    f"{app}.{name}": migration
    for (app, name), migration in LOADER.disk_migrations.items()
    if app in APPS and not migration.replaces
}


def transactions(migration: migrations.Migration, state: ProjectState) -> list[list[str]]:
    """The statements of a migration, those of a transaction together. Needs no server."""
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(state, editor, collect_sql=True)
    lines = [line for line in editor.collected_sql if not line.startswith("--")]
    if isinstance(migration, Stepwise):
        steps = "\n".join(lines).split("COMMIT;")
        return [step.replace("BEGIN;", "").strip().split("\n") for step in steps]
    return [lines] if migration.atomic else [[line] for line in lines]


def tables_of(state: ProjectState) -> set[str]:
    """The names of all tables, those of many-to-many fields too."""
    there = set()
    for (app, name), model in state.models.items():
        table = model.options.get("db_table") or f"{app}_{name}"
        joins = (f"{table}_{field}" for field, kind in model.fields.items() if kind.many_to_many)
        there |= {table, *joins}
    return there


def locked_together(steps: list[list[str]], there: set[str]) -> list[set[str]]:
    """The tables locked in one transaction, where those that were there before the migration are
    more than one. A foreign key locks both tables; an UPDATE holds up no reader."""
    named = []
    for lines in steps:
        statements = (each.strip() for each in "\n".join(lines).split(";"))
        locking = " ".join(each for each in statements if not each.startswith("UPDATE "))
        named.append(there & {*re.findall(r"\w+", locking)})
    return [tables for tables in named if len(tables) > 1]


def objections(migration: migrations.Migration, steps: list[list[str]]) -> str:
    """What squawk says of the statements of a migration, by all rules but those that the migration
    may break: it says why, `safe = {"rule": "why"}`."""
    statements = "\n".join(line for lines in steps for line in lines)
    if migration.atomic or isinstance(migration, Stepwise):
        statements = f"BEGIN;\n{statements}\nCOMMIT;"
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


_all_related = ProjectState._find_reload_model


def _changed(
    state: ProjectState, app_label: str, model_name: str, delay: bool = False
) -> set[tuple[str, str]]:
    """Return the models whose classes are made anew; Django calls it a delay where others may wait. It
    makes all anew that lead to the one that changes, which takes ten times as long and gives the same
    statements."""
    if not delay and model_name in state.apps.all_models[app_label]:
        return _all_related(state, app_label, model_name)
    state.is_delayed = state.is_delayed or delay
    return {(app_label, model_name)}


Found = tuple[list[list[str]], set[str]]


@pytest.fixture(scope="module")
def found() -> Iterator[Callable[[str], Found]]:
    """The statements of a migration, and the tables that were there before it. All migrations are gone
    through once, in their order, as far as one is asked for."""
    graph, state = LOADER.graph, ProjectState(real_apps=LOADER.unmigrated_apps)
    left = iter(dict.fromkeys(one for leaf in graph.leaf_nodes() for one in graph.forwards_plan(leaf)))
    by_name: dict[str, Found] = {}

    def find(name: str) -> Found:
        while name not in by_name:
            key = next(left)
            if (one := ".".join(key)) in NEW:
                there = tables_of(state)
                by_name[one] = transactions(NEW[one], state), there
            else:
                graph.nodes[key].mutate_state(state, preserve=False)
        return by_name[name]

    with patch.object(ProjectState, "_find_reload_model", _changed):
        yield find


@pytest.mark.parametrize("name", NEW)
def test_migrations_let_the_release_before_go_on(name: str, found: Callable[[str], Found]) -> None:
    """They lock one table of others a transaction: who holds the lock of one and waits for another
    is in a deadlock with whoever reads both."""
    steps, there = found(name)
    assert objections(NEW[name], steps) == ""
    assert locked_together(steps, there) == []


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
    steps = transactions(migration, state)
    assert rule in objections(migration, steps)
    migration.safe = {rule: "nobody reads it any more"} if rule else {}
    assert objections(migration, steps) == ""


@pytest.mark.parametrize(("base", "together"), [
    (migrations.Migration, [{"bookings_one", "bookings_other"}]),
    (Stepwise, []),
])  # fmt: skip
def test_what_is_locked_together_is_seen(base: type[migrations.Migration], together: list[set[str]]) -> None:
    """A new table that names two of others."""
    key = ("id", models.AutoField(primary_key=True))
    state = ProjectState()
    for name in ("One", "Other"):
        state.add_model(ModelState("bookings", name, [key]))
    migration = base("9999_new", "bookings")
    keys = [(name, models.ForeignKey(f"bookings.{name}", models.CASCADE)) for name in ("one", "other")]
    migration.operations = [migrations.CreateModel("New", [key, *keys])]
    there = tables_of(state)
    assert locked_together(transactions(migration, state), there) == together

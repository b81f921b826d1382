"""Compare the triggers and constraints that protect the books with what migrations and models define.

Whoever owns the tables can drop, disable or replace a trigger, its function or a constraint. The expected
triggers and functions are therefore read from the SQL of the migrations, that is from code, not from the
database.
"""

import re
from collections.abc import Iterator
from functools import cache

from django.apps import apps
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import connection
from django.db.migrations import RunSQL
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

APPS = ("accounts", "instruments", "bookings")
_FUNCTION = re.compile(
    r"CREATE (?:OR REPLACE )?FUNCTION (\w+)\(\) RETURNS trigger LANGUAGE plpgsql AS \$\$(.*?)\$\$", re.DOTALL
)
_TRIGGER = re.compile(r"CREATE (?:CONSTRAINT )?TRIGGER (\w+) [^;]*? ON (\w+)\s[^;]*?(\w+)\(\)(?=;)")
_DROPPED = re.compile(r"DROP TRIGGER (\w+) ON (\w+)")
_EVENTS = re.compile(r"(?<= )(BEFORE|AFTER) (.*?) ON ")

type Trigger = tuple[str, str]  # its name and table

# Triggers of our tables as they stand; an internal one enforces a foreign key.
_TRIGGERS = """
SELECT t.tgname, c.relname, pg_get_triggerdef(t.oid, true), t.tgenabled IN ('O', 'A'),
    l.lanname = 'plpgsql' AND p.proconfig IS NULL, p.prosrc, t.tgisinternal
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_language l ON l.oid = p.prolang
WHERE c.relnamespace = current_schema()::regnamespace
"""
_CONSTRAINTS = """
SELECT c.relname, n.conname, n.convalidated
FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid
WHERE c.relnamespace = current_schema()::regnamespace
AND to_jsonb(n) ->> 'conenforced' IS DISTINCT FROM 'false'
UNION ALL
SELECT c.relname, i.relname, TRUE FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_class i ON i.oid = x.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace AND x.indisunique AND x.indisvalid
"""
# What makes statements do something else, or triggers not fire, without touching a trigger.
_BYPASSES = """
SELECT format('the rule %%s on %%s', r.rulename, r.tablename) FROM pg_rules r
WHERE r.schemaname = current_schema() AND r.tablename = ANY(%(tables)s)
UNION ALL
SELECT format('row security on %%s', c.relname) FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%(tables)s)
AND c.relrowsecurity
UNION ALL
SELECT format('the setting %%s', s.setting)
FROM pg_db_role_setting d, unnest(d.setconfig) s(setting)
WHERE s.setting LIKE 'session_replication_role=%%' AND s.setting NOT LIKE '%%=origin'
AND d.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


@cache
def migrated_triggers() -> dict[Trigger, tuple[str, str]]:
    """Return, by name and table, the definition of each trigger that the migrations create and its function's
    body."""
    triggers: dict[Trigger, tuple[str, str]] = {}
    functions: dict[str, str] = {}
    for operation in _operations():
        if not isinstance(operation, RunSQL) or not isinstance(operation.sql, str):
            continue
        statement = operation.sql
        functions |= dict(_FUNCTION.findall(statement))
        for dropped in _DROPPED.findall(statement):
            triggers.pop(dropped, None)
        for match in _TRIGGER.finditer(statement):
            name, table, function = match.groups()
            triggers[name, table] = (_plain(match[0]), function)
    return {key: (definition, functions[name]) for key, (definition, name) in triggers.items()}


@cache
def _unvalidated() -> frozenset[str]:
    """Return the names of constraints that the migrations have added for new rows only, without validating
    existing ones."""
    names: set[str] = set()
    for operation in _operations():
        if isinstance(operation, AddConstraintNotValid):
            names.add(operation.constraint.name)
        elif isinstance(operation, ValidateConstraint):
            names.discard(operation.name)
    return frozenset(names)


def _operations() -> Iterator[Operation]:
    """Yield the operations of our migrations, in order."""
    migrations = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    for (app, _), migration in sorted(migrations.items()):
        if app in APPS:
            yield from migration.operations


def _plain(definition: str) -> str:
    """Return a trigger's definition in a normal form: its events sorted as the database lists them, and its
    condition in lower case without parentheses."""
    head, when, rest = " ".join(definition.split()).partition(" WHEN ")
    text = head + when + " ".join(rest.translate({40: " ", 41: " "}).lower().split())
    return _EVENTS.sub(lambda m: f"{m[1]} {' OR '.join(sorted(m[2].split(' OR ')))} ON ", text, 1)


def guards_down() -> list[str]:
    """Return the triggers of the migrations, foreign keys and named constraints that are missing, disabled or
    altered, each as a name and its table. It takes a handful of statements."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIGGERS)
        rows = cursor.fetchall()
        cursor.execute(_CONSTRAINTS)
        constraints = {
            (table, name) for table, name, is_valid in cursor.fetchall() if is_valid or name in _unvalidated()
        }
    standing = {
        (name, table): (_plain(definition), body)
        for name, table, definition, is_on, is_plain, body, _ in rows
        if is_on and is_plain
    }
    down = {key for key, value in migrated_triggers().items() if standing.get(key) != value}
    for name, table, _, is_on, _, _, is_internal in rows:
        if is_internal and not is_on:
            down.add((f"foreign key {name}", table))
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            table = model._meta.db_table
            down |= {
                (constraint.name, table)
                for constraint in model._meta.constraints
                if (table, constraint.name) not in constraints
            }
    return [f"{name} on {table}" for name, table in sorted(down)]


def guards_bypassed() -> list[str]:
    """Return what could get around the guards: triggers on guarded tables that no migration created, rules,
    row security, and a setting that keeps triggers from firing."""
    expected = migrated_triggers()
    tables = sorted({table for _, table in expected})
    with connection.cursor() as cursor:
        cursor.execute(_TRIGGERS)
        foreign = [
            f"the trigger {name} on {table}"
            for name, table, *_, is_internal in cursor.fetchall()
            if table in tables and not is_internal and (name, table) not in expected
        ]
        cursor.execute(_BYPASSES, {"tables": tables})
        return sorted(foreign) + sorted(row[0] for row in cursor.fetchall())

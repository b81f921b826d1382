"""Migrations that create all tables of an empty database in one step."""

from importlib import import_module
from typing import Any

from django.contrib.postgres.operations import AddConstraintNotValid, CreateExtension
from django.db import migrations
from django.db.migrations.operations.base import Operation


class AtOnce(migrations.Migration):
    """A migration with the same result as those it `replaces`, but without their intermediate steps. It is
    derived from them: extensions first, then each table in its final form, then their SQL. It depends on what
    they depend on and nothing else; a database that has applied all of them counts as having it."""

    initial = True

    def __init__(self, name: str, app_label: str) -> None:
        super().__init__(name, app_label)
        modules = [import_module(f"{app_label}.migrations.{replaced}") for _, replaced in self.replaces]
        every = [operation for module in modules for operation in module.Migration.operations]
        first = [one for one in every if isinstance(one, CreateExtension)]
        last = [one for one in every if isinstance(one, migrations.RunSQL | AddConstraintNotValid)]
        tables = _Tables([one for one in every if one not in first + last])
        self.operations = [*first, tables, *last]  # type: ignore[misc]


class _Tables(Operation):
    """Creates the tables that a chain of operations results in, each in its final form. Operations on rows
    are left out, since there are no rows."""

    reversible = False

    def __init__(self, chain: list[Operation]) -> None:
        self.chain = chain

    def state_forwards(self, app_label: str, state: Any) -> None:
        state.__dict__.pop("apps", None)  # else each operation makes the classes of all models anew
        for operation in self.chain:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for app, name in to_state.models:
            if app == app_label:
                schema_editor.create_model(to_state.apps.get_model(app, name))

    def describe(self) -> str:
        return "Make all tables"

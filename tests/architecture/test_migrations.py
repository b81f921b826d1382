"""The release before works while a migration runs, and until every process has started again."""

from collections.abc import Iterator

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from accounts.selectors.guards import APPS

GONE = (migrations.RemoveField, migrations.DeleteModel, migrations.RenameField,
        migrations.RenameModel, migrations.AlterModelTable)  # fmt: skip


def breaking(migration: migrations.Migration, state: ProjectState) -> Iterator[str]:
    """What the release before would stumble over: names that go, and columns that refuse the rows
    it writes. A migration that may do so all the same says why: `safe = "..."`."""
    for operation in migration.operations:
        match operation:
            case migrations.AddField(field=field):
                is_lenient = field.null or field.many_to_many or field.generated
                is_breaking = not (is_lenient or field.has_db_default())
            case migrations.AlterField(field=field, name=name):
                table = state.models[migration.app_label, operation.model_name_lower]
                is_breaking = table.fields[name].null and not field.null
            case _:
                is_breaking = isinstance(operation, GONE)
        if is_breaking:
            yield operation.describe()
        operation.state_forwards(migration.app_label, state)


def test_migrations_let_the_release_before_go_on():
    loader = MigrationLoader(None)
    for (app, name), migration in loader.disk_migrations.items():
        if app in APPS and not migration.replaces and not getattr(migration, "safe", ""):
            state = loader.project_state((app, name), at_end=False)
            assert list(breaking(migration, state)) == [], f"{app}.{name}"


@pytest.mark.parametrize(("operation", "is_breaking"), [
    (migrations.AddField("thing", "new", models.IntegerField(null=True)), False),
    (migrations.AddField("thing", "new", models.IntegerField(db_default=0)), False),
    (migrations.AddField("thing", "new", models.IntegerField(default=0)), True),
    (migrations.AlterField("thing", "some", models.IntegerField(db_default=0)), True),
    (migrations.AlterField("thing", "id", models.BigAutoField(primary_key=True)), False),
    (migrations.RemoveField("thing", "some"), True),
    (migrations.RenameField("thing", "some", "other"), True),
    (migrations.DeleteModel("thing"), True),
])  # fmt: skip
def test_the_finder_finds(operation, is_breaking):
    migration = migrations.Migration("9999_new", "bookings")
    migration.operations = [operation]
    fields = [("id", models.AutoField(primary_key=True)), ("some", models.IntegerField(null=True))]
    state = ProjectState()
    state.add_model(ModelState("bookings", "Thing", fields))
    assert bool(list(breaking(migration, state))) is is_breaking

"""From which releases a database upgrades. What else the checks name is tested with its rules."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from accounts.adapters.checks import releases
from config.operations.health import pending_migrations


def rows():
    return MigrationRecorder.Migration.objects.all()


@pytest.mark.parametrize(
    "missing",
    ["0015_closed_organisations", "0014_labels_of_imports", "0017_mergers", "0001_initial"],
)
def test_a_database_of_an_older_release_is_refused(db, missing):
    rows().filter(name__startswith="0001_squashed_").delete()
    rows().filter(name=missing, app__in=["accounts", "instruments", "bookings"]).delete()
    before = set(rows().values_list("app", "name"))
    with pytest.raises(
        SystemCheckError, match=r"accounts\.E001.*before 0\.2\.0(?s:.*)Install 0\.2"
    ):
        call_command("migrate", skip_checks=False, stdout=StringIO(), stderr=StringIO())
    assert set(rows().values_list("app", "name")) == before


def test_a_database_of_the_release_before_only_notes_it(db):
    squashed = set(rows().filter(name__startswith="0001_squashed_").values_list("app", "name"))
    assert len(squashed) == 3
    rows().filter(name__startswith="0001_squashed_").delete()
    assert pending_migrations() == squashed
    with connection.execute_wrapper(refuse_to_change_tables):
        call_command("migrate", skip_checks=False, stdout=(out := StringIO()))
    assert "No migrations to apply" in out.getvalue()
    assert pending_migrations() == set()


def refuse_to_change_tables(execute, sql, *rest):
    assert not sql.lstrip().upper().startswith(("CREATE", "ALTER", "DROP")), sql
    return execute(sql, *rest)


@pytest.mark.parametrize("apps", [["accounts", "instruments", "bookings"], ["bookings"], []])
def test_an_empty_database_and_a_whole_one_pass(db, apps):
    rows().filter(app__in=apps).delete()
    assert releases(databases=["default"]) == []
    assert releases() == []

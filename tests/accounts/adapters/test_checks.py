"""From which releases a database upgrades. What else the checks name is tested with its rules."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from accounts.adapters.checks import releases
from config.operations.health import pending_migrations

OF_0_2_0 = ["0001_squashed_0015_closed_organisations", "0001_squashed_0014_labels_of_imports",
            "0001_squashed_0017_mergers"]  # fmt: skip
AT_ONCE = ["0001_squashed_0017_saved_views", "0001_squashed_0023_words", "0001_squashed_0045_words"]


def rows():
    return MigrationRecorder.Migration.objects.all()


@pytest.mark.parametrize(
    "missing", ["0015_closed_organisations", "0014_labels_of_imports", "0017_mergers", "0001_initial"]
)
def test_a_database_of_an_older_release_is_refused(db, missing):
    rows().filter(name__startswith="0001_squashed_").delete()
    rows().filter(name=missing, app__in=["accounts", "instruments", "bookings"]).delete()
    before = set(rows().values_list("app", "name"))
    with pytest.raises(SystemCheckError, match=r"accounts\.E001.*before 0\.2\.0(?s:.*)Install 0\.2"):
        call_command("migrate", skip_checks=False, stdout=StringIO(), stderr=StringIO())
    assert set(rows().values_list("app", "name")) == before


@pytest.mark.parametrize("names", [AT_ONCE, OF_0_2_0 + AT_ONCE])
def test_a_database_that_has_all_that_is_squashed_only_notes_it(db, names):
    squashed = set(rows().filter(name__in=names).values_list("app", "name"))
    assert len(squashed) == len(names)
    rows().filter(name__in=names).delete()
    assert pending_migrations() == squashed
    with connection.execute_wrapper(refuse_to_change_tables):
        call_command("migrate", skip_checks=False, stdout=(out := StringIO()))
    assert "No migrations to apply" in out.getvalue()
    assert pending_migrations() == set()


def refuse_to_change_tables(execute, sql, *rest):
    assert not sql.lstrip().upper().startswith(("CREATE", "ALTER", "DROP")), sql
    return execute(sql, *rest)


def test_a_database_of_0_2_0_passes(db):
    rows().filter(name__in=[*AT_ONCE, "0016_leases", "0017_saved_views"]).delete()
    assert releases(databases=["default"]) == []


@pytest.mark.parametrize("apps", [["accounts", "instruments", "bookings"], ["bookings"], []])
def test_an_empty_database_and_a_whole_one_pass(db, apps):
    rows().filter(app__in=apps).delete()
    assert releases(databases=["default"]) == []
    assert releases() == []

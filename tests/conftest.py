"""Profiles, and a fixed cast of people in a small world."""

import functools
import gc
import os
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import extract_stack
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.test import Client, TransactionTestCase, override_settings
from hypothesis import HealthCheck
from hypothesis import settings as profiles

from accounts.api.transfers import TRANSFERS
from accounts.replica import is_reading
from accounts.selectors.installation import KEPT as SITE
from accounts.selectors.installation import Site
from instruments.vocabulary.selectors.needs import VERSION
from tests.factories.cast import FILLED, Cast, put_in_place, rows_of_cast
from tests.template import template_database

DEEP = os.environ.get("TEST_PROFILE") == "deep"

# Examples share the rows of a test's fixtures, and take long on a busy machine.
QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
profiles.register_profile("quick", max_examples=40, deadline=None, suppress_health_check=QUIET)
profiles.register_profile("deep", max_examples=1000, deadline=None, suppress_health_check=QUIET)
profiles.load_profile("deep" if DEEP else "quick")
gc.set_threshold(50_000, 50, 50)  # looking for garbage took a twentieth of the time


# What takes longest comes first: begun last, it leaves one of two processes with nothing to do.
LONGEST = {"test_first_day.py", "test_scan.py", "test_seed_demo.py", "test_confidential.py"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Tables are copied from a template, which takes a tenth of the time of making them."""
    server = connection.settings_dict
    server["TEST"]["TEMPLATE"] = template_database(server)


@pytest.fixture(scope="session")
def build_cast(django_db_setup: None, django_db_blocker: Any) -> Callable[[], Cast]:
    """Puts the cast into the database, as often as wanted; made through the services once."""
    with django_db_blocker.unblock():
        cast, rows = rows_of_cast()
    packed = pickle.dumps(cast)

    def build() -> Cast:
        put_in_place(rows)
        return _unpacked(packed)

    return build


def _unpacked(packed: bytes) -> Cast:
    """A copy of a cast, in a tenth of the time that copying takes."""
    cast: Cast = pickle.loads(packed)
    return cast


@pytest.fixture
def cast(packed_cast: bytes, build_cast: Callable[[], Cast], db: None) -> Cast:
    """Two regions, three organisations, one person per role, one instrument that can be booked.

    A copy for each test of what its module has once."""
    return _unpacked(packed_cast) if packed_cast else build_cast()


@pytest.fixture(scope="module")
def packed_cast(shared_cast: Cast | None) -> bytes:
    return pickle.dumps(shared_cast) if shared_cast else b""


@pytest.fixture(scope="module")
def shared_cast(
    request: pytest.FixtureRequest, build_cast: Callable[[], Cast], django_db_blocker: Any
) -> Iterator[Cast | None]:
    """The cast for all tests of a module, which leave it as they found it: each works in a
    transaction that is rolled back. None where some test of the module wants real transactions."""
    if any(_is_real(item) for item in request.session.items if item.path == request.path):
        yield None
        return
    cache.set(VERSION, f"{request.path} begins", None)  # the vocabulary of the module before is not read
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_cast()
        transaction.set_rollback(True)


def _is_real(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    fixtures = {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures or (marker and marker.kwargs.get("transaction")))


def _empty_tables(test: TransactionTestCase) -> None:
    """After a test with real transactions: away with what it wrote. Faster by far than TRUNCATE,
    which makes some six hundred files anew and which the trail refuses besides."""
    with connection.cursor() as cursor:
        cursor.execute(_tables_with_rows())
        deletes = "; ".join(f'DELETE FROM "{table}"' for (table,) in cursor.fetchall())
        if deletes:
            cursor.execute("SET session_replication_role = replica")  # no triggers, no foreign keys
            cursor.execute(deletes)
            cursor.execute("SET session_replication_role = origin")


@functools.cache
def _tables_with_rows() -> str:
    """A query for their names; to ask takes a third of the time of deleting nothing."""
    tables = [table for table in connection.introspection.table_names() if table not in FILLED]
    return " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (TABLE \"{table}\")" for table in tables)


TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[method-assign]


def _chunked_cursor(self: DatabaseWrapper) -> Any:
    """A cursor of the server is kept by a transaction of ours; outside of one all rows are read at
    once (config/database), which only libraries may want."""
    if self.atomic_blocks and not self.atomic_blocks[-1]._from_testcase:
        return chunked_cursor(self)
    assert any("/allauth/" in frame.filename for frame in extract_stack()), "a cursor for nothing"
    return self.cursor()


chunked_cursor = DatabaseWrapper.chunked_cursor
DatabaseWrapper.chunked_cursor = _chunked_cursor


def _execute(self: CursorWrapper, sql: Any, *more: Any) -> Any:
    """A door that reads by name (accounts/replica.py) neither writes nor locks, though there is no
    replica in most tests, which would refuse it."""
    assert not (is_reading() and WRITING.search(str(sql))), sql
    return execute(self, sql, *more)


WRITING = re.compile(
    r"^\s*(INSERT|UPDATE|DELETE|MERGE|TRUNCATE|LOCK|COPY|CREATE|ALTER|DROP)\b"
    r"|\b(INSERT INTO|DELETE FROM|nextval|pg_(try_)?advisory\w+)\b"
    r"|\bFOR (NO KEY UPDATE|UPDATE|SHARE|KEY SHARE)\b"
)
execute = CursorWrapper._execute
CursorWrapper._execute = _execute


# What browsers show as written: its line breaks stay.
AS_WRITTEN = re.compile(rb"(<(?:pre|textarea|script)\b.*?</(?:pre|textarea|script)>)", re.DOTALL)
START = re.compile(rb"""(<[a-zA-Z](?:[^<>"']++|"[^"]*"|'[^']*')*+>) """)
as_served = Client.request


def _compact(client: Client, **request: Any) -> Any:
    """Pages as tests read them: what stands on several lines is on one, without space behind a
    start tag or before an end tag. Where the formatter of templates breaks a line is nobody's
    business."""
    answer = as_served(client, **request)
    if answer.headers.get("Content-Type", "").startswith("text/html") and not answer.streaming:
        parts = AS_WRITTEN.split(answer.content)
        for index in range(0, len(parts), 2):
            part = START.sub(rb"\1", _on_one_line(parts[index]))
            parts[index] = part.replace(b" </", b"</").replace(b" >", b">")
        answer.content = b"".join(parts)
    return answer


def _on_one_line(part: bytes) -> bytes:
    """With a space for each end of a line and what is blank around it."""
    first, *lines = part.split(b"\n")
    if not lines:
        return part
    between = [line for each in lines[:-1] if (line := each.strip())]
    return b" ".join([first.rstrip(), *between, lines[-1].lstrip()])


Client.request = _compact  # type: ignore[method-assign]


@pytest.fixture
def real_db(transactional_db: None) -> None:
    """Real transactions."""


@pytest.fixture
def real_cast(build_cast: Callable[[], Cast], real_db: None) -> Cast:
    """The cast, committed: for tests with several connections."""
    return build_cast()


@pytest.fixture(scope="session", autouse=True)
def _settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Uploaded files and mail lie apart from those of the platform that runs here, static files have
    their plain names, the cache is in memory, and hashing passwords slowly is Django's to test. Answers
    that no test reads are not counted as on their way."""
    with override_settings(
        MEDIA_ROOT=tmp_path_factory.mktemp("media"),
        LOCAL_MAIL=tmp_path_factory.mktemp("mail") / "none",
        STORAGES=settings.STORAGES
        | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        SESSION_ENGINE="tests.factories.sessions",
        TRANSFERS_PER_ADDRESS=0,
        TRANSFERS_PER_LINK=0,
    ):
        yield


@pytest.fixture
def bucket(settings: Any) -> Iterator[Any]:
    """Uploads lie in a bucket of this test, served over HTTP on loopback."""
    from tests.factories.buckets import serve_bucket  # heavy, and for few tests

    with serve_bucket() as served:
        settings.MEDIA_BUCKET = served.options["bucket_name"]
        settings.STORAGES = settings.STORAGES | {
            "default": {"BACKEND": "config.files.buckets.Bucket", "OPTIONS": served.options}
        }
        yield served


@pytest.fixture(params=["folder", "bucket"])
def either_storage(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> None:
    """Uploads lie in a folder of this test, and once more in a bucket."""
    settings.MEDIA_ROOT = tmp_path / "media"
    if request.param == "bucket":
        request.getfixturevalue("bucket")


@pytest.fixture(autouse=True)
def _apart(request: pytest.FixtureRequest) -> None:
    """Each test has its own cache, and nothing is on its way. (A folder for each test, used or not,
    took longer the more there were.)"""
    TRANSFERS.forget()
    cache.clear()
    # As on any page but the first: what the installation is called is remembered.
    cache.set(SITE, Site(), None)
    # A process keeps the vocabulary until it has changed: that of another module's world has.
    # (Files of several folders have the same name.)
    cache.set(VERSION, str(request.node.path), None)

"""Doors that read by name, with the same database as a replica of itself."""

import codecs
import copy
import time
from datetime import date

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.db.utils import OperationalError
from django.test import RequestFactory
from django.urls import get_resolver, reverse

from accounts import replica
from accounts.domain.roles import By
from accounts.models import Region
from accounts.replica import Follower, acted, from_replica, is_there, on_primary, reading, streamed
from accounts.selectors.memberships import load_actor
from bookings.statistics.selectors.tables import TableQuery
from bookings.statistics.services import exports
from tests.architecture.permission_table import QUERIES
from tests.factories.cast import at

PAGES = ("catalogue", "map", "hours", "hours-days", "hours-weeks", "hours-behind", "hours-payers")
PAGES += ("hours-flows", "hours-demand", "hours-download", "hours-idle", "hours-report")
API = ("instruments", "instrument-facets", "catalogue-records", "statistics-hours")
API += ("statistics-flows", "statistics-payers", "statistics-bookings", "statistics-demand")
API += ("statistics-concentration", "statistics-idle", "statistics-report", "availability-feed")


@pytest.fixture
def follower(real_db, monkeypatch):
    """It has everything, and takes no writes, as a standby. What it `lacks` is settable."""
    usual = copy.deepcopy(connections.settings["default"])
    usual["OPTIONS"]["options"] += " -c default_transaction_read_only=on"
    monkeypatch.setitem(connections.settings, "replica", usual)
    link = connections["replica"]

    def ensure_connection():  # which Django's tests forbid
        if link.connection is None:
            with link.wrap_database_errors:
                link.connect()

    monkeypatch.setattr(link, "ensure_connection", ensure_connection)
    one = Follower()
    one.lacks = set()
    monkeypatch.setattr(one, "_ask", lambda server: one._known.update({server: time.monotonic()}))
    monkeypatch.setattr(one, "has", lambda place: place not in one.lacks)
    monkeypatch.setattr(replica, "follower", one)
    yield one
    link.close()
    del connections["replica"]


@pytest.fixture
def statements(follower):
    """What is asked there."""
    asked = []

    def note(execute, sql, *more):
        asked.append(sql)
        return execute(sql, *more)

    with connections["replica"].execute_wrapper(note):
        yield asked


def session():
    """The number of that in which this thread reads."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


@from_replica
def page(request, read=session):
    return read()


@pytest.fixture
def request_of(cast):
    request = RequestFactory().get("/")
    request.user = cast.people["wang"]
    return request


def test_a_door_reads_there_and_everything_else_on_the_primary(follower, request_of):
    primary = session()
    assert page(request_of) != primary == session()
    with reading():
        there = session()
        assert [Region.objects.db, Region.objects.first()._state.db] == ["default", "default"]
        with on_primary():
            assert session() == primary
        assert session() == there != primary


def test_a_transaction_goes_on_reading_what_it_wrote(follower):
    with transaction.atomic(), reading() as serves:
        assert not serves


@pytest.mark.parametrize(
    "write", [lambda: Region.objects.update(name=""), Region.objects.select_for_update().first]
)
def test_writes_and_locks_fail_there_and_in_tests_everywhere(follower, write):
    with pytest.raises(AssertionError), reading(), transaction.atomic():
        write()
    refused = pytest.raises(DatabaseError, match="read-only transaction")
    with refused, reading(), transaction.atomic():
        replica._primary.set(None)  # what tests look at
        write()


def test_who_wrote_reads_on_the_primary_until_it_has_that(follower, request_of, monkeypatch):
    monkeypatch.setattr(replica, "end_of_log", lambda: "0/7")
    acted(request_of.user.pk)
    follower.lacks = {"0/7"}
    assert page(request_of) == session()
    with reading("somebody-else") as serves:
        assert serves
    follower.lacks = set()
    assert page(request_of) != session()


def test_an_act_that_cannot_be_placed_is_read_on_the_primary(follower, monkeypatch):
    def away():
        raise OperationalError

    monkeypatch.setattr(replica, "end_of_log", away)
    acted(7)
    follower.lacks = {replica.NEVER}
    with reading(7) as serves:
        assert not serves


def test_what_somebody_may_is_read_on_the_primary(cast, statements):
    with reading() as serves:
        assert serves
        assert load_actor(cast.people["admin"]).grants
    assert statements == []


@pytest.fixture
def breaks(follower, request_of):
    """A door that fails on the replica; where it read."""
    places = []

    @from_replica
    def door(request):
        places.append("there" if is_there() else "primary")
        session()
        if is_there():
            raise OperationalError("canceling statement due to conflict with recovery")
        return "whole"

    return lambda: (door(request_of), places)


def test_what_is_cancelled_there_begins_anew_and_the_next_is_read_there(breaks, follower, request_of):
    assert breaks() == ("whole", ["there", "primary"])
    assert follower.behind() < 1
    assert page(request_of) != session()


def test_nobody_waits_for_one_that_does_not_answer_but_once(follower, request_of, monkeypatch, caplog):
    primary, there = session(), page(request_of)
    address = connections["replica"].settings_dict
    monkeypatch.setitem(address, "PORT", "1")
    connection.cursor().execute("SELECT pg_terminate_backend(%s, 5000)", [there])
    connections["replica"].close_if_unusable_or_obsolete()  # as each request begins
    assert [page(request_of), page(request_of)] == [primary, primary]
    assert follower.behind() == float("inf")
    assert len(caplog.records) == 1
    # The time has passed: one tries again, and others do not wait for that.
    follower._away_until = time.monotonic()
    link, others = connections["replica"], []
    with monkeypatch.context() as trying:

        def ensure_connection():
            others.append(follower._server())
            raise OperationalError

        trying.setattr(link, "ensure_connection", ensure_connection)
        assert page(request_of) == primary
    assert others == [""]
    # It is there again.
    monkeypatch.setitem(address, "PORT", connection.settings_dict["PORT"])
    follower._away_until = time.monotonic()
    assert page(request_of) != primary


def test_an_export_that_is_cancelled_there_is_written_once(cast, follower, monkeypatch):
    by = By(cast.actor("admin"), at("2026-03-12 12:00"))
    query = TableQuery(date(2026, 3, 1), date(2026, 4, 1), {}, state="sessions")
    pieces, places = exports.csv_pieces, []

    def broken(*given):
        places.append("there" if is_there() else "primary")
        yield from pieces(*given)
        if is_there():
            raise OperationalError("canceling statement due to conflict with recovery")

    monkeypatch.setattr(exports, "csv_pieces", broken)
    job = exports.export_start(by, table="days", format="csv", query=query)
    assert exports.exports_work(now=by.now) == 1
    assert places == ["there", "primary"]
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("done", 1)
    assert exports.export_open(job).read().count(codecs.BOM_UTF8) == 1


def test_pieces_are_read_there_and_what_comes_between_on_the_primary(follower):
    def pieces():
        with transaction.atomic():
            yield str(session()).encode()
            yield str(session()).encode()

    primary = session()
    with reading():
        there = str(session()).encode()
        one, other = streamed(pieces()), streamed(pieces())
    assert next(one) == there
    assert session() == primary
    assert list(one) == [there]
    assert next(other) == there
    other.close()  # whoever reads it goes away
    assert not connections["replica"].in_atomic_block


def test_what_a_server_is_known_to_have(monkeypatch):
    one, now, there = Follower(), 100.0, {"0/0"}
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(one, "_server", lambda: "db2:5432")
    monkeypatch.setattr(one, "has", there.__contains__)
    monkeypatch.setattr(time, "sleep", lambda seconds: there.update(soon))
    soon = set()
    steps = (
        ("0/1", "0/0", float("inf")),  # behind, nobody knows how far
        ("0/2", "0/1", 1.0),  # all of a second ago
        ("0/3", "0/1", 2.0),
        ("0/4", "0/1", 3.0),
        ("0/5", "0/2", 3.0),
        ("0/6", "0/6", 0.0),
    )
    for end, place, behind in steps:
        monkeypatch.setattr(replica, "end_of_log", lambda end=end: end)
        there.add(place)
        assert one.behind() == behind
        now += 1.0
    now -= 0.5
    monkeypatch.setattr(replica, "end_of_log", lambda: pytest.fail("asked twice in a second"))
    assert one.behind() == 0.5
    monkeypatch.setattr(one, "_server", lambda: "db3:5432")
    monkeypatch.setattr(replica, "end_of_log", lambda: "0/7")
    assert one.behind() == float("inf")  # another has not shown anything yet
    now += 1000.0
    monkeypatch.setattr(replica, "end_of_log", lambda: "0/9")
    soon = {"0/9"}
    assert one.behind() == 0.0  # nobody asked for long, while others went on writing


@pytest.mark.parametrize("name", [*(f"bookings:{p}" for p in PAGES), *(f"api-{a}" for a in API)])
def test_doors_that_read_by_name(cast, client, statements, name):
    client.force_login(cast.people["admin"])
    query = f"?year=2026&organisation={cast.ustc.code}" if "report" in name else QUERIES.get(name, "")
    answer = client.get(reverse(name) + query)
    list(answer)
    assert answer.status_code == 200
    assert statements


def test_no_other_door_does():
    def doors(patterns):
        for each in patterns:
            if hasattr(each, "url_patterns"):
                yield from doors(each.url_patterns)
            elif reads_by_name(each.callback):
                yield each.name

    def reads_by_name(view):
        of = getattr(view, "cls", None)
        view = of.get if of and hasattr(of, "get") else view
        while view is not None:
            if getattr(view, "__code__", None) is page.__code__:
                return True
            view = getattr(view, "__wrapped__", None)
        return False

    marked = set(doors(get_resolver().url_patterns))
    assert marked == {*PAGES, "hours-rows", "oai", *(f"api-{name}" for name in API)}

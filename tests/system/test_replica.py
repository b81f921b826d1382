"""Hours and catalogue are read from a standby while it follows: one that stands still shows what
was, but not for longer than it may and not to whoever wrote; one that cancels what is read, and one
that dies, is not missed."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from urllib.parse import urlsplit

import psycopg
import requests

from tests.flows.installation import HOST, make_database, psql, served, until
from tests.system.clusters import pair
from tests.system.test_takeover import AT_ONCE, PEOPLE

HOURS = "statistics/hours/?from=2026-01-01&until=2026-02-01&by=region"
KEPT = "bookings_rollup"  # a table that all hours are read with
# Long enough for what is asked while it stands still.
MORE = AT_ONCE | {"DATABASE_REPLICA_MOST_LAG": "30", "METRICS_TOKEN": "a-token-of-this-test"}
MORE |= {"THROTTLE_ANONYMOUS": "1000000/min"}  # nobody who reads here has signed in
# A read that takes a minute there, and who finished it.
CANCELLED = """
import time
from django.db import connection
from accounts.replica import MOST_LAG, follower, is_there, read_by_name
while follower.behind() > MOST_LAG:
    time.sleep(0.1)
there = []
def read():
    there.append(is_there())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [60 if is_there() else 0])
read_by_name(None, read)
print(there, follower.behind() <= MOST_LAG)
"""


@contextmanager
def meanwhile(act: Callable[[], object], threads: int = 1) -> Iterator[list[float]]:
    """`act` again and again, so many at once; how long it took each time."""
    enough, took, wrong = Event(), list[float](), list[BaseException]()

    def go_on() -> None:
        while not enough.is_set():
            began = time.monotonic()
            try:
                act()
            except BaseException as problem:  # for the test to raise
                wrong.append(problem)
                return
            took.append(time.monotonic() - began)

    those = [Thread(target=go_on) for _ in range(threads)]
    for thread in those:
        thread.start()
    try:
        yield took
    finally:
        enough.set()
        for thread in those:
            thread.join()
    for problem in wrong:
        raise problem


def test_hours_and_catalogue_are_read_from_a_replica(tmp_path):
    with pair(tmp_path) as servers:
        # It may die without a commit that waits for it.
        alone = "ALTER SYSTEM SET synchronous_standby_names = ''"
        psql(servers.primary.url, alone, "SELECT pg_reload_conf()")
        owner, web = make_database("commons_reads", servers.primary.url)
        there = urlsplit(servers.standby.url).netloc.rpartition("@")[2]
        role, as_owner = (urlsplit(url).netloc.rpartition("@")[0] for url in (web, owner))
        reads = urlsplit(web)._replace(netloc=f"{role}@{there}").geturl()
        more = MORE | {"DATABASE_REPLICA_URL": reads}
        with served(tmp_path, "commons_reads", owner, web, more) as place:
            told = json.loads(place.manage("shell", "-v0", "-c", PEOPLE))
            token, other = told[0][0], told[1][0]

            def ask(path, token="", method="GET", **how):
                headers = {"Host": HOST, "X-Forwarded-Proto": "https"}
                headers |= {"Authorization": f"Bearer {token}"} if token else {}
                answer = requests.request(method, place.address + path, headers=headers, timeout=60, **how)
                assert answer.status_code in {200, 201, 503}, answer.text
                return answer

            def total(token=""):
                answer = ask("/api/v1/instruments/facets/", token)
                assert answer.status_code == 200
                return answer.json()["total"]

            def state():
                return ask("/readyz").json()["replica"]

            def behind():
                (line,) = (
                    line
                    for line in ask("/metrics", MORE["METRICS_TOKEN"]).text.splitlines()
                    if line.startswith("commons_replica_behind_seconds ")
                )
                return float(line.split()[1])

            def reads(table):
                """How often the standby looked into it; it counts a second late."""
                at_standby = urlsplit(owner)._replace(netloc=f"{as_owner}@{there}").geturl()
                with psycopg.connect(at_standby) as link:
                    (number,) = link.execute(
                        """SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables
                        WHERE relname = %s""",
                        [table],
                    ).fetchone()
                    return number

            def is_read_there(ask, table):
                before = reads(table)
                until(lambda: ask() and reads(table) > before, f"{table} there")

            until(lambda: state() == "ok", "the replica")
            is_read_there(total, "instruments_searchentry")
            is_read_there(lambda: ask("/hours/").ok, KEPT)
            is_read_there(lambda: ask(f"/api/v1/{HOURS}").ok, KEPT)
            assert behind() < 30
            assert "replica: follows within" in place.manage("doctor", code=1)

            # It stands still.
            number = total()
            psql(servers.standby.url, "SELECT pg_wal_replay_pause()")
            psql(owner, "UPDATE instruments_searchentry SET is_published = false")
            assert (total(), total(other)) == (number, number)
            ask("/api/v1/lists/", token, "POST", json={"name": "mine"})
            assert (total(token), total(other)) == (0, number)
            until(lambda: total() == 0, "the primary")
            assert state() == "late"
            assert behind() > 30

            # It goes on.
            psql(servers.standby.url, "SELECT pg_wal_replay_resume()")
            until(lambda: state() == "ok", "the replica")
            psql(owner, "UPDATE instruments_searchentry SET is_published = true")
            until(lambda: total() == number, "what is there now")

            # It cancels what is read in favour of what it replays, and is asked again.
            psql(
                servers.standby.url,
                "ALTER SYSTEM SET max_standby_streaming_delay = 0",
                "SELECT pg_reload_conf()",
            )
            changes = "UPDATE instruments_searchentry SET is_published = true"
            with meanwhile(lambda: psql(owner, changes, "VACUUM instruments_searchentry")):
                told = place.manage("shell", "-v0", "-c", CANCELLED)
            assert told.splitlines()[-1] == "[True, False] True"

            # It dies while people read.
            with meanwhile(lambda: (total(), ask(f"/api/v1/{HOURS}")), threads=4) as took:
                until(lambda: len(took) > 20, "readers")
                servers.kill_standby()
                much = len(took) + 40
                until(lambda: len(took) > much, "readers")
            print(f"the slowest of {len(took)} while it died took {max(took):.1f} s")
            assert total() == number
            assert ask("/hours/").status_code == ask(f"/api/v1/{HOURS}").status_code == 200
            assert ask("/map/").status_code == ask("/").status_code == 200
            assert state() == "late"
            assert behind() == float("inf")
            assert "no standby answers" in place.manage("doctor", code=1)

            # It comes back.
            servers.standby.start(dict(os.environ))
            until(lambda: state() == "ok", "the replica")
            psql(owner, "UPDATE instruments_searchentry SET is_published = false")
            until(lambda: total() == 0, "what is there now")
            is_read_there(lambda: total() == 0, "instruments_searchentry")

"""The feed of availability, as a portal follows it."""

import json
from datetime import timedelta

import pytest

from accounts.domain.roles import By
from bookings.catalogue.models import AvailabilityItem
from bookings.catalogue.selectors import feed
from bookings.catalogue.services import feed as services
from bookings.privacy.services.retention import records_remove
from bookings.reserving.services.reservations import reservation_cancel
from instruments.managing.services.publishing import instrument_publication
from tests.factories.api import Program, clock  # noqa: F401
from tests.factories.cast import NOW, reserve

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
MINUTE = timedelta(minutes=1)


class Portal:
    """Follows the feed, and keeps what it has read."""

    def __init__(self):
        self.known, self.at, self.seen = {}, "feeds/availability/", 0

    def follow(self):
        while True:
            body = Program().get(self.at).body
            self.at = body["next"].partition("/api/v1/")[2]
            if not body["items"]:
                return self
            for item in body["items"]:
                self.seen += 1
                if item["state"] == "deleted":
                    self.known.pop(item["id"], None)
                else:
                    self.known[item["id"]] = item["data"]


def test_a_portal_knows_every_instrument_and_each_change(cast, monkeypatch):
    monkeypatch.setattr(feed, "PAGE", 2)
    monkeypatch.setattr(services, "PIECE", 2)
    others = [cast.instrument(name=f"More {n}") for n in range(4)]
    portal = Portal().follow()
    assert portal.known == {}
    assert services.feed_refresh(now=NOW) == 5
    portal.follow()
    key = str(cast.microscope.pk)
    assert portal.known.keys() == {key, *(str(row.pk) for row in others)} and portal.seen == 5
    assert portal.known[key]["busy"] == [] and len(portal.known[key]["open"]) > 50
    assert portal.known[key]["prices"]["groups"].keys() >= {"external"}
    assert services.feed_refresh(now=NOW + MINUTE) == 0
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    assert services.feed_refresh(now=NOW + MINUTE) == 1
    portal.follow()
    assert portal.seen == 6
    assert portal.known[key]["busy"] == [{"start": "2026-03-06T02:00:00Z", "end": "2026-03-06T04:00:00Z"}]
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=made.pk, reason="")
    services.feed_refresh(now=NOW)  # a clock that was put back
    assert portal.follow().known[key]["busy"] == []


def test_a_run_that_takes_too_long_goes_on_the_next_time(cast, monkeypatch):
    monkeypatch.setattr(services, "PIECE", 2)
    monkeypatch.setattr(services, "MOST_SECONDS", -1.0)
    for n in range(4):
        cast.instrument(name=f"More {n}")
    assert [services.feed_refresh(now=NOW + n * MINUTE) for n in range(3)] == [2, 2, 1]
    assert len(Portal().follow().known) == 5
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    assert sum(services.feed_refresh(now=NOW + n * MINUTE) for n in range(3, 7)) == 1


def test_one_that_is_gone_is_told_and_forgotten_later(cast):
    services.feed_refresh(now=NOW)
    portal = Portal().follow()
    by = By(cast.actor("zhao"), NOW)
    instrument_publication(by, instrument_id=cast.microscope.pk, act="suspend", reason="x")
    late = Portal().follow()
    assert late.known == {}  # at once, before the job has seen it
    assert services.feed_refresh(now=NOW + MINUTE) == 1
    assert portal.follow().known == {}
    assert AvailabilityItem.objects.get().is_deleted
    week = timedelta(days=7)
    assert "availability-items" not in records_remove(now=NOW + week)
    assert records_remove(now=NOW + week + 2 * MINUTE)["availability-items"] == 1
    instrument_publication(by, instrument_id=cast.microscope.pk, act="publish", reason="")
    services.feed_refresh(now=NOW + 2 * MINUTE)
    assert portal.follow().known.keys() == {str(cast.microscope.pk)}


def test_nothing_is_told_of_persons(cast):
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    services.feed_refresh(now=NOW)
    told = json.dumps(Program().get("feeds/availability/").body)
    assert cast.people["wang"].email not in told and "wang" not in told.lower()


def test_the_licence_is_named_where_the_installation_states_one(cast, settings):
    assert "license" not in Program().get("feeds/availability/").body
    settings.OPEN_DATA_LICENCE = "https://creativecommons.org/licenses/by/4.0/"
    assert Program().get("feeds/availability/").body["license"] == settings.OPEN_DATA_LICENCE


def test_bad_questions(cast):
    nobody, at = Program(), "feeds/availability/"
    assert nobody.get(f"{at}?afterTimestamp=1").problems == [("afterId", "required")]
    assert nobody.get(f"{at}?afterId={cast.microscope.pk}").problems == [("afterTimestamp", "required")]
    assert nobody.get(f"{at}?afterTimestamp=x&afterId=x").status == 400
    assert nobody.get(f"{at}?afterTimestamp=-1&afterId={cast.microscope.pk}").status == 400

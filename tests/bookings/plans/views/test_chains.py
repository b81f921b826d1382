"""Pages of chains."""

import pytest

from accounts.domain.roles import By
from bookings.models import Chain, Reservation
from instruments.house_rules.models import HouseRulesAcceptance
from instruments.house_rules.services.house_rules import house_rules_set
from tests.accounts.pages import page_of
from tests.factories import api as programs
from tests.factories.cast import NOW, reserve

clock = programs.clock  # a fixture
SPAN = {"earliest": "2026-03-09T00:00", "latest": "2026-03-11T00:00"}


@pytest.fixture
def wang(client, cast):
    client.force_login(cast.people["wang"])
    return client


@pytest.fixture
def saw(cast):
    return cast.instrument(name="Wafer saw")


@pytest.fixture
def chosen(cast, saw):
    return SPAN | {
        "instrument": [str(saw.pk), str(cast.microscope.pk)],
        f"{saw.pk}-minutes": "120",
        f"{cast.microscope.pk}-gap_min": "30",
    }


class TestNew:
    def test_steps_are_searched_and_added_and_removed(self, cast, wang, saw):
        html = page_of(wang.get("/chains/new/"))
        assert "The first step" in html and "Find times" not in html
        html = page_of(wang.get("/chains/new/", {"q": "wafer"}))
        assert f'name="add" value="{saw.pk}"' in html
        html = page_of(wang.get("/chains/new/", {"add": str(saw.pk)}))
        assert f'name="instrument" value="{saw.pk}"' in html
        assert "A chain has at least two steps." in html
        both = [str(saw.pk), str(cast.microscope.pk)]
        html = page_of(wang.get("/chains/new/", {"instrument": both, "remove": str(saw.pk)}))
        assert "Wafer saw" not in html and "microscope" in html
        assert wang.get("/chains/new/", {"instrument": ["x"], "add": "y"}).status_code == 200

    def test_times_with_prices(self, wang, chosen):
        html = page_of(wang.get("/chains/new/", chosen | {"find": "1"}))
        assert html.count("Book these") == 5
        assert "Mon 9 Mar 08:00 – 10:00" in html and "CNY 1,038.80" in html

    def test_nothing_fits(self, cast, wang, saw, chosen):
        tight = chosen | {"find": "1", "latest": "2026-03-09T10:30"}
        html = page_of(wang.get("/chains/new/", tight))
        assert "No matching times" in html and "none that follow each other" in html
        weekend = chosen | {"find": "1", "earliest": "2026-03-07T00:00", "latest": "2026-03-08T00:00"}
        html = page_of(wang.get("/chains/new/", weekend))
        assert "Wafer saw has no free time then." in html

    def test_what_is_wrong(self, cast, wang, saw, chosen):
        wrong = chosen | {"find": "1", f"{cast.microscope.pk}-gap_max": "10"}
        assert "must not be shorter than the shortest" in page_of(wang.get("/chains/new/", wrong), 400)
        back = chosen | {"find": "1", "latest": "2026-03-08T00:00"}
        assert "This must be after the start." in page_of(wang.get("/chains/new/", back), 400)
        assert wang.post("/chains/new/", SPAN | {"instrument": str(saw.pk)}).status_code == 400

    def test_booked(self, wang, chosen):
        starts = ["2026-03-09T02:00:00Z", "2026-03-09T06:00:00Z"]
        answer = wang.post("/chains/new/", chosen | {"start": starts})
        chain = Chain.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, f"/chains/{chain.pk}/")
        rows = Reservation.objects.order_by("step")
        assert [f"{r.start_at:%H:%M}" for r in rows] == ["02:00", "06:00"]
        html = page_of(wang.get(answer["Location"]))
        assert "Booked. You will be notified of each step by mail." in html
        assert "1. Wafer saw" in html and "Cancel the remaining steps" in html
        html = page_of(wang.get(f"/bookings/{rows[1].pk}/"))
        assert "This is step 2." in html

    def test_the_house_rules_of_each_step_are_accepted_on_the_way(self, cast, wang, saw, chosen):
        for instrument in (saw, cast.microscope):
            of = {"instrument_id": instrument.pk, "text": f"Rules of {instrument.name}."}
            house_rules_set(By(cast.actor("zhao"), NOW), text_zh="", **of)
        chosen |= {f"{saw.pk}-house_rules": "1", "find": "1"}
        html = page_of(wang.get("/chains/new/", chosen))
        assert f"Rules of {saw.name}." in html and f"Rules of {cast.microscope.name}." in html
        starts = ["2026-03-09T02:00:00Z", "2026-03-09T06:00:00Z"]
        html = page_of(wang.post("/chains/new/", chosen | {"start": starts}), 422)
        assert "Step 2:" in html and 'data-code="house-rules-not-accepted"' in html
        assert not Chain.objects.exists() and not HouseRulesAcceptance.objects.exists()
        chosen |= {f"{cast.microscope.pk}-house_rules": "1", "start": starts}
        assert wang.post("/chains/new/", chosen).status_code == 302
        assert HouseRulesAcceptance.objects.filter(user=cast.wang).count() == 2

    def test_from_the_same_moment(self, cast, wang, saw, chosen):
        reserve(cast, "2026-03-09 08:00", "2026-03-09 09:00", who="sun")
        both = chosen | {"order": "together"}
        html = page_of(wang.get("/chains/new/", both | {"find": "1"}))
        assert html.count("Book these") == 5 and "gap_max" not in html
        assert "Mon 9 Mar 09:00 – 11:00" in html and "Mon 9 Mar 09:00 – 10:00" in html
        starts = ["2026-03-09T01:00:00Z", "2026-03-09T01:00:00Z"]
        answer = wang.post("/chains/new/", both | {"start": starts})
        assert (answer.status_code, answer["Location"]) == (302, "/bookings/")
        rows = Reservation.objects.filter(user=cast.wang)
        assert {r.instrument_id for r in rows} == {saw.pk, cast.microscope.pk}
        assert {f"{r.start_at:%H:%M}" for r in rows} == {"01:00"}
        assert not Chain.objects.exists()
        # The same again is taken by now: none is booked, others are offered.
        html = page_of(wang.post("/chains/new/", both | {"start": starts}), 422)
        assert "This time is taken." in html and "Book these" in html
        assert Reservation.objects.filter(user=cast.wang).count() == 2

    def test_nothing_begins_together(self, wang, chosen):
        tight = chosen | {"order": "together", "latest": "2026-03-09T09:30"}
        html = page_of(wang.get("/chains/new/", tight | {"find": "1"}))
        assert "No matching times" in html
        html = page_of(wang.post("/chains/new/", tight), 409)
        assert "The steps do not all fit into this time." in html

    def test_taken_meanwhile_it_offers_others(self, cast, wang, chosen):
        reserve(cast, "2026-03-09 14:00", "2026-03-09 15:00", who="sun")
        starts = ["2026-03-09T02:00:00Z", "2026-03-09T06:00:00Z"]
        html = page_of(wang.post("/chains/new/", chosen | {"start": starts}), 422)
        assert "Step 2: This time is taken." in html and "Book these" in html
        assert not Chain.objects.exists()


def test_cancel(wang, chosen):
    wang.post("/chains/new/", chosen)
    chain = Chain.objects.get()
    answer = wang.post(f"/chains/{chain.pk}/cancel/", {"reason": "", "version": "1"})
    assert answer.status_code == 302
    assert "Cancel the remaining steps" not in page_of(wang.get(f"/chains/{chain.pk}/"))
    html = page_of(wang.post(f"/chains/{chain.pk}/cancel/", {"reason": ""}), 409)
    assert "This chain has nothing left" in html

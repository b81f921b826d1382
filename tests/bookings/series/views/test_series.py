"""Pages of recurring bookings."""

import pytest

from accounts.domain.roles import By
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Reservation, Series
from bookings.record.domain.periods import Period
from bookings.series.services.series import series_book
from bookings.templatetags.recurring import recurrence
from instruments.house_rules.models import HouseRulesAcceptance
from instruments.house_rules.services.house_rules import house_rules_set
from tests.accounts.pages import page_of
from tests.factories import api as programs
from tests.factories.cast import NOW, at, reserve

clock = programs.clock  # a fixture

WHEN = {"start": "2026-03-09T10:00:00+08:00", "minutes": "120"}
FORM = WHEN | {
    "service_mode": "self",
    "purpose": "research",
    "frequency": "WEEKLY",
    "every": "1",
    "monthly": "day",
    "ends": "times",
    "times": "4",
}


@pytest.fixture
def wang(client, cast):
    client.force_login(cast.people["wang"])
    return client


@pytest.fixture
def made(cast):
    return series_book(
        By(cast.actor("wang"), NOW),
        booking=Booking(
            cast.microscope.pk, Period(at("2026-03-09 10:00"), at("2026-03-09 12:00")), None, "self"
        ),
        rule="FREQ=WEEKLY;COUNT=4",
        on_conflict="refuse",
    )


class TestNew:
    def address(self, cast):
        return f"/instruments/{cast.microscope.pk}/series/"

    def test_it_begins_with_the_weekday_of_the_first_date_and_its_preview(self, cast, wang):
        reserve(cast, "2026-03-16 11:00", "2026-03-16 13:00", who="sun")
        html = page_of(wang.get(self.address(cast), WHEN))
        assert "Every week, on Mon, 8 times" in html
        # 6 April is a holiday.
        assert "6 of 8 dates can be booked" in html
        assert "This time is taken." in html and "Nearest available time:" in html
        assert 'name="act" value="skip"' in html

    def test_the_booking_page_leads_there(self, cast, wang):
        html = page_of(wang.get(f"/instruments/{cast.microscope.pk}/book/", WHEN))
        assert self.address(cast) in html

    def test_a_preview_books_nothing(self, cast, wang):
        html = page_of(wang.post(self.address(cast), FORM | {"act": "preview"}))
        assert "4 of 4 dates can be booked" in html and "CNY 2,628.80" in html
        part = wang.post(self.address(cast), FORM | {"act": "preview"}, headers={"HX-Request": "true"})
        assert "<html" not in part.content.decode()
        assert not Series.objects.exists()

    def test_the_house_rules_are_accepted_on_the_way(self, cast, wang):
        of = {"instrument_id": cast.microscope.pk}
        house_rules_set(By(cast.actor("zhao"), NOW), text="Wear gloves.", text_zh="", **of)
        html = page_of(wang.get(self.address(cast), WHEN))
        assert "Wear gloves." in html and 'name="house_rules"' in html
        html = page_of(wang.post(self.address(cast), FORM | {"act": "refuse"}), 422)
        assert "The house rules have to be accepted." in html
        assert not Series.objects.exists()
        answer = wang.post(self.address(cast), FORM | {"act": "refuse", "house_rules": "1"})
        assert answer.status_code == 302
        assert HouseRulesAcceptance.objects.get().user == cast.wang
        assert 'name="house_rules"' not in page_of(wang.get(self.address(cast), WHEN))

    def test_all_of_them(self, cast, wang):
        answer = wang.post(self.address(cast), FORM | {"act": "refuse"})
        series = Series.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, f"/series/{series.pk}/")
        html = page_of(wang.get(answer["Location"]))
        assert "4 dates booked." in html and "Every week, 4 times" in html

    def test_some_refused_says_which_and_offers_the_rest(self, cast, wang):
        reserve(cast, "2026-03-16 11:00", "2026-03-16 13:00", who="sun")
        html = page_of(wang.post(self.address(cast), FORM | {"act": "refuse"}), 422)
        assert "Nothing was booked" in html and "Book the 3 that are free" in html
        assert not Series.objects.exists()
        answer = wang.post(self.address(cast), FORM | {"act": "skip"}, follow=True)
        assert "3 dates booked." in (text := page_of(answer)) and "1 date was left out: Mon 16 Mar." in text
        assert Reservation.objects.filter(series__isnull=False).count() == 3

    @pytest.mark.parametrize(
        ("changes", "rule"),
        [
            ({"frequency": "DAILY", "every": "2"}, "FREQ=DAILY;INTERVAL=2;COUNT=4"),
            ({"weekdays": ["0", "2"]}, "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4"),
            ({"frequency": "MONTHLY", "times": "2"}, "FREQ=MONTHLY;COUNT=2"),
            ({"frequency": "MONTHLY", "monthly": "weekday", "times": "2"}, "FREQ=MONTHLY;BYDAY=2MO;COUNT=2"),
            ({"ends": "until", "until": "2026-03-16"}, "FREQ=WEEKLY;UNTIL=20260316"),
        ],
    )
    def test_rules(self, cast, wang, changes, rule):
        assert wang.post(self.address(cast), FORM | changes | {"act": "skip"}).status_code == 302
        assert Series.objects.get().rule == rule

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"times": ""}, "This field is required."),
            ({"times": "201"}, "200"),
            ({"ends": "until", "until": "2026-03-01"}, "no date on or after the start"),
            ({"ends": "until", "until": "2099-03-01", "frequency": "DAILY"}, "at most 200"),
        ],
    )
    def test_what_is_missing(self, cast, wang, changes, said):
        html = page_of(wang.post(self.address(cast), FORM | changes | {"act": "refuse"}), 400)
        assert said in html and "missing or wrong" in html
        assert not Series.objects.exists()


class TestChange:
    def test_the_booking_says_it_is_one_of_several(self, wang, made):
        html = page_of(wang.get(f"/bookings/{made.reservations[1].pk}/"))
        assert "Part of a series" in html and f"/series/{made.series.pk}/" in html

    def test_the_fees_come_first(self, wang, made, clock):
        clock.now = at("2026-03-14 22:00")
        html = page_of(wang.get(f"/bookings/{made.reservations[1].pk}/series/cancel/"))
        # Half of 620, and its tax.
        assert html.count("Costs CNY 310.00 and CNY 18.60 tax.") == 3
        assert "This and the following: 3 dates" in html
        html = page_of(wang.get(f"/bookings/{made.reservations[2].pk}/series/cancel/"))
        assert html.count("Free.") == 2

    def test_cancel(self, wang, made):
        address = f"/bookings/{made.reservations[1].pk}/series/cancel/"
        answer = wang.post(address, {"scope": "following", "version": "1"})
        assert answer.status_code == 302
        states = Reservation.objects.order_by("start_at").values_list("state", flat=True)
        assert list(states) == ["confirmed", "cancelled", "cancelled", "cancelled"]
        assert "Somebody has changed this" in page_of(
            wang.post(address, {"scope": "all", "version": "1"}), 412
        )
        assert wang.post(address, {"scope": "none"}).status_code == 400

    def test_nothing_left(self, wang, made):
        address = f"/bookings/{made.reservations[1].pk}/series/cancel/"
        wang.post(address, {"scope": "all"})
        assert "Nothing left to cancel" in page_of(wang.get(address))

    def test_move(self, cast, wang, made):
        address = f"/bookings/{made.reservations[2].pk}/series/move/"
        assert "23" in page_of(wang.get(address))
        sent = {"scope": "following", "start": "2026-03-24T09:00", "end": "2026-03-24T11:00"}
        html = page_of(wang.post(address, sent | {"act": "preview"}))
        assert "2 dates can be moved" in html and 'value="move"' in html
        assert Series.objects.count() == 1
        reserve(cast, "2026-03-31 08:00", "2026-03-31 09:30", who="sun")
        html = page_of(wang.post(address, sent | {"act": "move"}), 422)
        assert "1 date cannot be moved there" in html
        later = sent | {"start": "2026-03-24T13:00", "end": "2026-03-24T15:00", "act": "move"}
        answer = wang.post(address, later)
        assert answer["Location"] == f"/series/{Series.objects.latest('created_at', 'pk').pk}/"
        html = page_of(wang.get(answer["Location"]))
        assert "It was part of another series before" in html

    def test_a_booking_of_none(self, cast, wang):
        alone = reserve(cast, "2026-03-16 11:00", "2026-03-16 13:00")
        for act in ("move", "cancel"):
            assert wang.get(f"/bookings/{alone.pk}/series/{act}/").status_code == 404


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("", "on individual dates"),
        ("FREQ=DAILY;COUNT=1", "every day, once"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=2", "every 3 days, 2 times"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=9", "every 2 weeks, on Mon, Wed, 9 times"),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", "every month, on the last Friday, 2 times"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=2", "every month, on day 1, 15 of the month, 2 times"),
    ],
)
def test_in_words(rule, words):
    assert recurrence(rule) == words

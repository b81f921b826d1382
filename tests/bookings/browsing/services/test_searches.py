"""Saved searches: each new match is told of once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.test import Client

from accounts.domain.errors import Invalid, NotFound, WrongState
from accounts.domain.roles import By
from accounts.models import OutboxMessage
from bookings.browsing.services.searches import search_delete, search_pause, search_save, searches_tell
from bookings.catalogue.domain.searches import MOST_SEARCHES, from_json, to_json
from bookings.models import SavedSearch
from bookings.overview.services.effects import effects_carry_out
from bookings.reserving.services.reservations import reservation_cancel
from instruments.managing.services.publishing import instrument_publication
from instruments.search.domain.search import Beside, Criteria
from instruments.vocabulary.domain.parameters import Requirement
from tests.factories.cast import NOW, Cast, at, reserve

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FREE = Criteria(
    text="microscope", free_from=at("2026-03-09 08:00"), free_until=at("2026-03-09 20:00"), minutes=480
)


def save(cast: Cast, name: str = "mine", criteria: Criteria | None = None) -> SavedSearch:
    return search_save(
        By(cast.actor("wang"), NOW),
        name=name,
        criteria=criteria or Criteria(text="new microscope"),
        organisation=cast.fudan,
    )


def told() -> list[list[str]]:
    rows = OutboxMessage.objects.filter(kind="search.matches").order_by("created_at")
    return [row.payload["instruments"] for row in rows]


def test_what_is_new_is_told_of_once(cast: Cast) -> None:
    search = save(cast)
    searches_tell(now=NOW + DAY)
    assert told() == []
    new = cast.instrument(name="New microscope")
    cast.instrument(name="Something else", name_zh="")
    searches_tell(now=NOW + DAY)  # looked at already
    assert told() == []
    for days in (2, 2, 3):
        searches_tell(now=NOW + days * DAY)
    assert told() == [[str(new.pk)]]
    search_pause(By(cast.actor("wang"), NOW), search_id=search.pk, is_paused=True)
    later = cast.instrument(name="New microscope, another")
    assert searches_tell(now=NOW + 4 * DAY) == 0
    search_pause(By(cast.actor("wang"), NOW), search_id=search.pk, is_paused=False)
    assert searches_tell(now=NOW + 5 * DAY) == 1
    assert told()[1:] == [[str(later.pk)]]


@pytest.mark.parametrize(("language", "words"), [("en", "finds something new"), ("zh-hans", "")])
def test_the_mail(cast: Cast, language: str, words: str) -> None:
    cast.wang.language = language
    cast.wang.save()
    save(cast)
    new = cast.instrument(name="New microscope", name_zh="新显微镜")
    gone = cast.instrument(name="New, but gone microscope")
    searches_tell(now=NOW + DAY)
    instrument_publication(By(cast.actor("zhao"), NOW), instrument_id=gone.pk, act="suspend")
    effects_carry_out(now=NOW + DAY)
    (letter,) = [m for m in mail.outbox if m.to == ["wang@fudan.example"]]
    assert words in letter.body and "gone" not in letter.body
    assert f"/instruments/{new.pk}/" in letter.body
    assert ("新显微镜" if language != "en" else "New microscope") in letter.body


def test_what_becomes_free_is_new(cast: Cast) -> None:
    booked = reserve(cast, "2026-03-09 11:00", "2026-03-09 15:00")
    save(cast, criteria=FREE)
    searches_tell(now=NOW + DAY)
    assert told() == []
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=booked.pk, reason="")
    searches_tell(now=NOW + 2 * DAY)
    assert told() == [[str(cast.microscope.pk)]]
    cast.instrument(name="Second microscope")
    searches_tell(now=FREE.free_until + DAY)  # over
    assert len(told()) == 1


def test_what_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**changes: object) -> tuple[str, str]:
        with pytest.raises(Invalid) as caught:
            save(cast, **changes)  # type: ignore[arg-type]
        return caught.value.problems[0].field, caught.value.problems[0].code

    assert refused(criteria=Criteria(minutes=60)) == ("", "nothing-asked")
    past = Criteria(free_from=NOW - DAY, free_until=NOW, minutes=60)
    assert refused(criteria=past) == ("free_until", "in-the-past")
    save(cast)
    assert refused() == ("name", "name-taken")
    monkeypatch.setattr("bookings.browsing.services.searches.MOST_MATCHES", 0)
    broad = Criteria(text="microscope")
    assert refused(name="broad", criteria=broad) == ("", "too-broad")
    monkeypatch.undo()
    for number in range(MOST_SEARCHES - 1):
        save(cast, name=str(number))
    with pytest.raises(WrongState):
        save(cast, name="one more")
    with pytest.raises(NotFound):
        search_delete(By(cast.actor("sun"), NOW), search_id=SavedSearch.objects.all()[0].pk)
    assert SavedSearch.objects.count() == MOST_SEARCHES


def test_criteria_are_kept_as_they_were() -> None:
    assert from_json(to_json(FREE)) == FREE
    specs = (Requirement("a", Decimal("0.10"), None), Requirement("b", Decimal("-5"), Decimal(60)))
    kept = to_json(Criteria(specs=specs))
    assert kept == {"specs": "a:0.1: b:-5:60"}
    assert from_json(kept).specs == specs
    kept = to_json(Criteria(text="grains", without=("grain-size", "phases")))
    assert kept == {"text": "grains", "without": "grain-size,phases"}
    assert from_json(kept).without == ("grain-size", "phases")
    read = Criteria(text="confocal in Hefei", words="names", beside=(Beside("hefei", "BC", is_place=True),))
    assert to_json(read) == {"text": "confocal in Hefei"}  # how it was read is found out each time


def test_the_pages(cast: Cast, client: Client) -> None:
    client.force_login(cast.wang)
    assert "Save the search" in client.get("/?q=microscope").content.decode()
    answer = client.post("/searches/", {"q": "microscope", "name": "mi\0ne", "minutes": "60"})
    assert answer.status_code == 302
    html = client.get("/searches/").content.decode()
    assert "mine" in html and "q" not in SavedSearch.objects.get().criteria
    search = SavedSearch.objects.get()
    client.post(f"/searches/{search.pk}/change/", {"act": "pause"})
    assert "paused" in client.get("/searches/").content.decode()
    client.post(f"/searches/{search.pk}/change/", {"act": "delete"})
    assert not SavedSearch.objects.exists()
    assert client.post("/searches/", {"minutes": "60"}).status_code == 400
    assert client.post("/searches/", {"q": "x", "free_from": "never"}).status_code == 400

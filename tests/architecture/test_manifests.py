"""What areas bring is found wherever all of it is listed, and nothing is brought twice."""

from collections import Counter

import pytest

from accounts.areas import GONE, Area, Merges, Personal, Plural, Record, areas
from accounts.models import SavedView
from bookings.areas import PACKAGES
from bookings.audit.acts import act_choices, kind_name
from bookings.organisations.selectors.mergers import kinds_going
from bookings.privacy.selectors.persons import load_person
from bookings.privacy.services.persons import person_close
from bookings.record.messages import sentence
from instruments.opening.models import Schedule
from instruments.training.models import Course
from tests.factories.areas import made_up
from tests.factories.cast import NOW, Cast


def test_refusals_of_a_new_area_have_their_sentences() -> None:
    assert sentence("too-many-moons", {"most": 3}) == "too-many-moons"
    with made_up(Area("moons", refusals={"too-many-moons": "At most {most} moons."})):
        assert sentence("too-many-moons", {"most": 3}) == "At most 3 moons."
    assert sentence("too-many-moons", {"most": 3}) == "too-many-moons"


def test_the_trail_has_words_for_acts_and_records_of_a_new_area() -> None:
    area = Area("moons", records=(Record(Schedule, kind="moon"),), acts={"schedule.rise": "Moon risen"})
    with made_up(area):
        assert kind_name("schedule") == "Moon"
        every, risen = dict(act_choices())["Moon"]
        assert every == ("schedule.", "Moon: all actions")
        assert risen == ("schedule.rise", "Moon risen")
    assert kind_name("schedule") == "Schedule"


@pytest.mark.django_db
def test_what_is_personal_in_a_new_area_is_exported_and_deleted(cast: Cast) -> None:
    view = SavedView.objects.create(user=cast.wang, page="charges", name="Open", created_at=NOW)
    forgotten = []
    area = Area(
        "moons",
        personal=(Personal("moons", SavedView, {"user": GONE}, "name called=page"),),
        forgets=(lambda by, *, user: forgotten.append(user),),
    )
    with made_up(area):
        assert load_person(cast.wang)["moons"] == [{"name": "Open", "called": "charges"}]
        person_close(user=cast.wang, now=NOW)
    assert forgotten == [cast.wang]
    assert not SavedView.objects.filter(pk=view.pk).exists()


def test_what_a_new_area_has_of_an_organisation_goes_over_in_its_turn() -> None:
    order = (
        "series bookings chains kept grants sources people roles invitations requests facilities "
        "courses harvests mappings imports webhooks wishes searches"
    )
    turns = {kind.kind: kind.turn for kind in kinds_going()}
    assert sorted(order.split(), key=turns.__getitem__) == order.split()  # of locks: it stays
    last = max(turns.values()) + 1
    with made_up(Area("moons", merges=(Merges("moons", Course, last, "Moons"),))):
        assert [kind.kind for kind in kinds_going()] == [*turns, "moons"]
    assert [kind.kind for kind in kinds_going() if kind.is_first] == ["harvests", "imports"]
    assert len({kind.turn for kind in kinds_going()}) == len(kinds_going())


def test_words_of_what_waits_take_no_number_by_name() -> None:
    """They are of Django's `ngettext_lazy`, which pages fill in; that of `accounts.areas` is for refusals."""
    assert [one.what for area in areas() for one in area.waits if isinstance(one.words, Plural)] == []


def test_a_code_stands_in_one_area() -> None:
    assert [area.package for area in areas()] == list(PACKAGES)
    refusals = [code for area in areas() for code in area.refusals]
    acts = [code for area in areas() for code in area.acts]
    records = [record.code for area in areas() for record in area.records]
    for codes in (refusals, acts, records):
        assert [code for code, count in Counter(codes).items() if count > 1] == []

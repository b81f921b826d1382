"""Instruments that a person keeps in lists of their own."""

import pytest

from accounts.domain.errors import Invalid, NotFound, WrongState
from accounts.domain.roles import By
from bookings.browsing.domain import lists as limits
from bookings.browsing.selectors.lists import load_starred, own_entries, own_lists
from bookings.browsing.services import lists
from bookings.models import InstrumentList, ListEntry
from bookings.privacy.selectors.persons import load_person
from bookings.privacy.services.persons import person_close
from instruments.register.models import Instrument
from tests.factories.cast import NOW, Cast

pytestmark = pytest.mark.django_db


def by(cast: Cast, who: str = "wang") -> By:
    return By(cast.actor(who), NOW)


def counted() -> tuple[int, int]:
    return InstrumentList.objects.count(), ListEntry.objects.count()


def test_the_first_star_makes_the_favourites_and_the_second_changes_nothing(cast: Cast) -> None:
    first = lists.entry_keep(by(cast), instrument_id=cast.microscope.pk)
    assert lists.entry_keep(by(cast), instrument_id=cast.microscope.pk) == first
    (favourites,) = own_lists(by(cast).actor)
    assert (str(favourites), favourites.count, favourites.is_favourites) == ("Favourites", 1, True)
    assert load_starred(by(cast).actor, [cast.microscope]) == {cast.microscope.pk}
    assert load_starred(by(cast, "sun").actor, [cast.microscope]) == set()
    lists.star_remove(by(cast), instrument_id=cast.microscope.pk)
    lists.star_remove(by(cast), instrument_id=cast.microscope.pk)
    assert counted() == (1, 0)


def test_a_note_is_written_and_an_entry_taken_out_of_a_named_list(cast: Cast) -> None:
    thesis = lists.list_create(by(cast), name="Thesis")
    entry = lists.entry_keep(by(cast), instrument_id=cast.microscope.pk, list_id=thesis.pk, note="a")
    assert lists.entry_note(by(cast), entry_id=entry.pk, note="b").version == 2
    assert lists.list_rename(by(cast), list_id=thesis.pk, name="Paper").name == "Paper"
    assert ListEntry.objects.get().note == "b"
    lists.entry_remove(by(cast), entry_id=entry.pk)
    lists.list_delete(by(cast), list_id=thesis.pk)
    assert counted() == (0, 0)


@pytest.mark.parametrize(
    ("name", "code"), [("", "required"), ("x" * 101, "too-long"), ("Thesis", "name-taken")]
)
def test_a_name_that_cannot_be_is_refused(cast: Cast, name: str, code: str) -> None:
    lists.list_create(by(cast), name="Thesis")
    other = lists.list_create(by(cast), name="Other")
    with pytest.raises(Invalid) as refused:
        lists.list_create(by(cast), name=name)
    assert refused.value.problems[0].code == code
    with pytest.raises(Invalid):
        lists.list_rename(by(cast), list_id=other.pk, name=name)
    assert list(own_lists(by(cast).actor).values_list("name", flat=True)) == ["Other", "Thesis"]


def test_somebody_else_s_lists_are_not_there(cast: Cast) -> None:
    thesis = lists.list_create(by(cast), name="Thesis")
    entry = lists.entry_keep(by(cast), instrument_id=cast.microscope.pk, list_id=thesis.pk)
    for who in ("sun", "zhao", "auditor", "admin"):
        other = by(cast, who)
        assert not own_lists(other.actor) and not own_entries(other.actor)
        for act in (
            lambda: lists.list_rename(other, list_id=thesis.pk, name="x"),  # noqa: B023
            lambda: lists.list_delete(other, list_id=thesis.pk),  # noqa: B023
            lambda: lists.entry_keep(
                other,  # noqa: B023
                instrument_id=cast.microscope.pk,
                list_id=thesis.pk,
            ),
            lambda: lists.entry_note(other, entry_id=entry.pk, note="x"),  # noqa: B023
            lambda: lists.entry_remove(other, entry_id=entry.pk),  # noqa: B023
        ):
            with pytest.raises(NotFound):
                act()
    assert ListEntry.objects.get().note == ""


def test_limits_are_refused_with_nothing_written(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bookings.browsing.services.lists.MOST_LISTS", 2)
    monkeypatch.setattr("bookings.browsing.services.lists.MOST_ENTRIES", 1)
    thesis = lists.list_create(by(cast), name="Thesis")
    lists.entry_keep(by(cast), instrument_id=cast.microscope.pk, list_id=thesis.pk)
    other = cast.instrument(name="Other")
    with pytest.raises(WrongState, match="too-many-entries"):
        lists.entry_keep(by(cast), instrument_id=other.pk, list_id=thesis.pk)
    lists.list_create(by(cast), name="Two")
    with pytest.raises(WrongState, match="too-many-lists"):
        lists.list_create(by(cast), name="Three")
    with pytest.raises(WrongState, match="too-many-lists"):
        lists.entry_keep(by(cast), instrument_id=other.pk)
    with pytest.raises(Invalid):
        lists.entry_keep(by(cast), instrument_id=other.pk, note="x" * (limits.LONGEST_NOTE + 1))
    assert counted() == (2, 1)


def test_favourites_keep_their_name(cast: Cast) -> None:
    entry = lists.entry_keep(by(cast), instrument_id=cast.microscope.pk)
    with pytest.raises(WrongState, match="favourites-named"):
        lists.list_rename(by(cast), list_id=entry.list_id, name="Mine")


def test_what_may_not_be_seen_is_not_kept_and_stays_without_what_it_became(cast: Cast) -> None:
    draft = cast.instrument(name="Draft")
    rows = Instrument.objects.filter(pk__in=[draft.pk, cast.microscope.pk])
    lists.entry_keep(by(cast), instrument_id=cast.microscope.pk)
    rows.update(publication="draft", name="Secret")
    with pytest.raises(NotFound):
        lists.entry_keep(by(cast), instrument_id=draft.pk)
    (entry,) = own_entries(by(cast).actor)
    assert (entry.is_shown, entry.now_called.name) == (False, entry.name)
    assert entry.name != "Secret"


def test_a_second_record_is_shown_as_the_first(cast: Cast) -> None:
    second = cast.instrument(name="Second")
    lists.entry_keep(by(cast), instrument_id=second.pk)
    Instrument.objects.filter(pk=second.pk).update(publication="retired", merged_into=cast.microscope)
    (entry,) = own_entries(by(cast).actor)
    assert (entry.is_shown, entry.shown) == (True, cast.microscope)


def test_lists_are_taken_along_and_forgotten_with_the_person(cast: Cast) -> None:
    lists.entry_keep(by(cast), instrument_id=cast.microscope.pk, note="cryo")
    tables = load_person(cast.people["wang"])
    assert [row["note"] for row in tables["list_entries"]] == ["cryo"]
    assert len(tables["lists"]) == 1
    lists.entry_keep(by(cast, "sun"), instrument_id=cast.microscope.pk)
    person_close(user=cast.people["sun"], now=NOW)
    assert counted() == (1, 1)

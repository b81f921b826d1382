"""The list answers questions as an expert of the field would, by words alone and by meaning as well."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from bookings.catalogue.selectors.needs import load_meant, load_needed, load_reading
from bookings.demo.services.offers import offers_make, schedules_resolve, techniques_make
from bookings.demo.services.places import places_make
from bookings.world import Calendar
from instruments.register.models import Instrument
from instruments.search.domain.search import Criteria
from instruments.search.services.search import words_gather
from instruments.vocabulary.adapters import embedding
from instruments.vocabulary.selectors import needs
from tests.conftest import DEEP
from tests.oracle.oracle import (
    DEVELOPMENT,
    FIFTH,
    FIRST,
    FOURTH,
    SECOND,
    SEVENTH,
    SIXTH,
    THIRD,
    key_of,
    measure,
    questions,
)

NOW = datetime(2026, 11, 28, 14, 30, tzinfo=UTC)

pytestmark = pytest.mark.django_db


class Words(needs.Held):
    """No meanings: words alone count."""

    def _begin(self, known: Any) -> None:
        return None


@pytest.fixture(scope="module")
def instruments(django_db_setup: Any, django_db_blocker: Any) -> Any:
    """The instruments of the demonstration, as keys by id."""
    with django_db_blocker.unblock(), transaction.atomic():
        calendar = Calendar(NOW, NOW)
        places = places_make(now=NOW)
        techniques_make(calendar.began)
        with connection.cursor() as cursor:  # else rows nobody has counted are joined one by one
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # meanings take a minute
            cursor.execute("ANALYZE instruments_technique, instruments_technique_parents")
        schedules_resolve(places, calendar)
        offers_make(places, calendar)
        words_gather()
        needs.vocabulary_changed()
        yield {row.pk: key_of(row) for row in Instrument.objects.all()}
        transaction.set_rollback(True)
    needs.vocabulary_changed()


@pytest.fixture(scope="module")
def held(instruments: Any) -> dict[str, needs.Held]:
    """What a process holds that understands by words, or by meaning as well; made once, as that takes nine
    seconds."""
    found: dict[str, needs.Held] = {"words": Words()}
    if embedding.is_installed():
        needs.embed_vocabulary()
        found["meaning"] = Words()
        found["meaning"].fetch(needs.load_vocabulary())
        assert found["meaning"].meanings
    return found


@pytest.fixture(params=["words", "meaning"])
def by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, held: dict[str, needs.Held]) -> str:
    """How texts are understood."""
    if request.param not in held:
        pytest.skip("requirements-needs.txt is not installed")
    monkeypatch.setattr(needs, "_held", held[request.param])
    return str(request.param)


def page(text: str) -> Any:
    return Client().get("/", {"q": text}).context


MARKS = [
    (FIRST, 95, 92, 100, 100),
    (SECOND, 89, 90, 100, 80),
    (DEVELOPMENT, 88, 92, 90, 90),
    (FOURTH, 92, 96, 100, 80),
    (FIFTH, 90, 92, 100, 85),
    (SIXTH, 90, 94, 100, 85),
    (SEVENTH, 95, 94, 100, 85),
]


@pytest.mark.parametrize(
    ("name", "right_first", "none_wrong", "nonsense", "nobody"), MARKS if DEEP else MARKS[::3]
)
def test_files_are_answered(
    instruments: Any, by: str, name: str, right_first: int, none_wrong: int, nonsense: int, nobody: int
) -> None:
    """Each file that may be looked at keeps the marks that it has reached."""
    marks = measure(questions(name), lambda text: [instruments[row.pk] for row, _ in page(text)["results"]])
    assert marks.right_first >= right_first and marks.none_wrong >= none_wrong, str(marks)
    assert marks.nonsense_empty >= nonsense and marks.nobody_empty >= nobody, str(marks)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("confocal in Hefei", set()),  # one is near, none is there
        ("mass spec in Hangzhou", {"lz-lcms"}),
        ("布鲁克的核磁", {"hf-nmr", "lz-nmr", "gm-ssnmr"}),
        ("临江医院的质谱", {"lj-maldi"}),
        ("场发射扫描电镜", {"hf-sem", "ws-sem"}),
        ("flow cytometry with sorting", {"lj-flow"}),  # its own name says so
        ("分辨率优于0.1 nm的透射电镜", {"hf-tem"}),  # one that states no resolution is near
        ("芯片封装焊球里有没有空洞，不要拆开", {"jh-ct", "yc-xrm"}),  # nobody asks for packaging
    ],
)
def test_a_name_beside_a_technique_counts(instruments: Any, by: str, text: str, keys: set[str]) -> None:
    """Where nobody of that name has the technique, the list is empty and others stand near."""
    shown = page(text)
    assert {instruments[row.pk] for row, _ in shown["results"]} == keys
    if not keys:
        assert shown["reading"].elsewhere == "hefei"
        assert {instruments[row.pk] for row, *_ in shown["near"]} >= {"ws-confocal", "gm-confocal"}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (
            "Thickness of the oxide film on a steel blade",
            {"surface-composition", "film-thickness-xray", "optical-film-constants"},
        ),
        ("钢刀片上的氧化膜", {"surface-composition"}),
    ],
)
def test_an_oxide_film_leads_to_films_or_surfaces(
    instruments: Any, by: str, text: str, codes: set[str]
) -> None:
    """Its thickness, where it is asked for, is of a film or of a surface; else the chemistry of the surface
    is meant."""
    assert codes & {term.code for term in load_meant(text)}, load_meant(text)


def test_the_reason_of_a_card_is_a_meaning_that_is_shown(instruments: Any, by: str) -> None:
    text = "橡胶密封圈用了几天就发胀变软，想知道为什么"
    shown, understood = page(text), {term.code for term in load_reading(Criteria(text=text)).terms}
    assert understood and shown["results"]
    reasons = [shown["reasons"][row.pk] for row, _ in shown["results"]]
    assert {reason.term.code for reason in reasons if reason and reason.term} <= understood


def test_people_of_other_trades_are_understood(instruments: Any, by: str) -> None:
    """In nine of ten what a specialist means is understood, right instruments are first, and nothing stands
    near that is far."""
    far, wrong = [], []
    for q in (asked := questions(THIRD)):
        shown = page(q.text)
        close = {instruments[row.pk] for row, *_ in shown["near"]}
        if close - {*q.near, *q.right, *q.also}:
            far.append((q.text, close))
        meant = {term.code for term in load_meant(q.text)}
        if bool(meant) == q.is_nonsense or (q.means and not meant & {*q.means}):
            wrong.append((q.text, meant))
    marks = measure(asked, lambda text: [instruments[row.pk] for row, _ in page(text)["results"]])
    assert marks.right_first >= 85 and marks.none_wrong >= 80 and marks.nonsense_empty == 100, str(marks)
    assert len(wrong) <= 0.1 * len(asked), wrong
    assert len(far) <= 0.1 * len(asked), far


def test_a_need_is_answered_as_its_text_is(instruments: Any, by: str) -> None:
    for q in [*questions(FIRST), *questions(THIRD)]:
        reading = load_reading(Criteria(text=q.text))
        if reading.criteria.words:  # names, or nothing but figures
            continue
        meant = [term.code for term in load_meant(q.text)]
        assert meant == [term.code for term in reading.terms], q.text
        needed = load_needed(q.text, meant, reading.criteria.wishes)
        assert needed.criteria.answers == reading.criteria.answers, q.text
        assert needed.near == reading.near, q.text

"""The catalogue through the API."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.browsing.models import SavedSearch
from bookings.browsing.views.searches import address_of
from bookings.models import UnmetDemand
from instruments.search.services.search import entries_file
from instruments.vocabulary.domain.parameters import Stated
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.needs import vocabulary_changed
from tests.factories.api import Program
from tests.factories.capabilities import parameters_of, state
from tests.factories.cast import Cast, reserve
from tests.factories.needs import measurand_of

type Programs = Callable[..., Program]

FRIDAY = "free_from=2026-03-06T08:00:00%2B08:00&free_until=2026-03-06T20:00:00%2B08:00"


def test_each_record_has_its_next_starts_and_the_price_for_me(cast: Cast, program: Programs) -> None:
    (found,) = program("wang").get("instruments/").body["results"]
    assert found["id"] == str(cast.microscope.pk)
    assert found["host"] == {"code": "ustc", "name": "USTC", "name_zh": "中国科学技术大学"}
    assert (found["region"], found["time_zone"]) == ("CN-AH", "Asia/Shanghai")
    assert found["techniques"] == [
        {"code": "PaNET01198", "name": "electron microscopy", "name_zh": "电子显微镜"}
    ]
    assert found["price_group"] == "external"
    assert found["price_for_me"] == {
        "amount": "381.60",  # an hour, set-up and tax
        "currency": "CNY",
        "covered": "0.00",
        "voucher": None,
        "rate": "260.00",
        "unit": "hour",
        "minimum_minutes": 60,
        "on_top": [],
    }
    assert (found["minutes"], found["next_starts"]) == (
        60,
        ["2026-03-05T04:00:00Z", "2026-03-05T04:30:00Z", "2026-03-05T05:00:00Z"],
    )
    own = program("zhao").get("instruments/").body["results"][0]
    assert own["price_for_me"]["rate"] == "120.00"
    nobody = program().get("instruments/").body["results"][0]
    assert nobody["price_group"] == "external"


def test_a_group_that_is_not_served_has_no_price_and_no_starts(cast: Cast, program: Programs) -> None:
    cast.instrument(name="Own only", card={"rates": {"internal": "1.5"}})
    (found,) = program("wang").get("instruments/?q=own").body["results"]
    assert (found["price_for_me"], found["next_starts"]) == (None, [])
    (found,) = program("zhao").get("instruments/?q=own").body["results"]
    assert found["price_for_me"]["rate"] == "1.50"


def test_filters(cast: Cast, program: Programs) -> None:
    wide = Technique.objects.create(code="PaNET00001", name="microscopy")
    cast.technique.parents.add(wide)
    other = cast.instrument(name="Mass spectrometer", name_zh="质谱仪", service_modes=["remote"])
    other.techniques.clear()
    entries_file([cast.microscope.pk, other.pk])
    wang, tem, ms = program("wang"), [str(cast.microscope.pk)], [str(other.pk)]
    for query, expected in (
        ("q=titan microscope", tem),
        ("q=质谱", ms),
        ("q=nothing", []),
        ("technique=PaNET01198", tem),
        ("technique=PaNET00001", tem),
        ("technique=lost", []),
        ("region=CN-AH", ms + tem),
        ("region=CN", ms + tem),
        ("region=CN-SH", []),
        ("region=XX", []),
        ("host=ustc", ms + tem),
        ("host=fudan", []),
        (f"facility={cast.facility.pk}", ms + tem),
        ("service_mode=remote", ms),
        ("q=&technique=&region=&host=", ms + tem),
    ):
        assert wang.get(f"instruments/?{query}").ids == expected, query


def test_only_what_is_free_then(cast: Cast, program: Programs) -> None:
    other = cast.instrument(name="Another microscope")
    reserve(cast, "2026-03-06 08:00", "2026-03-06 16:00")
    wang = program("wang")
    found = wang.get(f"instruments/?{FRIDAY}&minutes=300").body["results"]
    assert [row["id"] for row in found] == [str(other.pk)]
    assert found[0]["next_starts"][0] == "2026-03-06T00:00:00Z"
    assert found[0]["minutes"] == 300
    assert len(wang.get(f"instruments/?{FRIDAY}&minutes=240").ids) == 2
    assert not UnmetDemand.objects.exists()
    for _ in range(2):
        assert wang.get(f"instruments/?{FRIDAY}&minutes=600").ids == []
    assert program().get(f"instruments/?{FRIDAY}&minutes=600").ids == []
    demand = UnmetDemand.objects.get()
    assert (demand.kind, demand.user, demand.minutes) == ("search", cast.wang, 600)


def test_only_what_costs_no_more(cast: Cast, program: Programs) -> None:
    cheap = cast.instrument(name="Cheap", card={"rates": {"external": "99.99"}})
    wang = program("wang")
    assert wang.get("instruments/?max_price=100").ids == [str(cheap.pk)]
    assert wang.get(f"instruments/?max_price=100&{FRIDAY}").ids == [str(cheap.pk)]
    assert wang.get("instruments/?max_price=99.98").ids == []
    assert len(wang.get("instruments/?max_price=260").ids) == 2


def test_drafts_are_in_no_catalogue(cast: Cast, program: Programs) -> None:
    zhao = program("zhao")
    made = zhao.post("instruments/", {"facility": str(cast.facility.pk), "name": "Draft"})
    assert made.body["id"] not in zhao.get("instruments/").ids
    assert zhao.get("instruments/?managed=1").ids == [made.body["id"], str(cast.microscope.pk)]
    assert program("chen").get("instruments/?managed=1").ids == []


@pytest.mark.parametrize("query", ["", f"&{FRIDAY}", "&max_price=300"])
def test_pages_to_the_end(cast: Cast, program: Programs, query: str) -> None:
    names = [str(cast.instrument(name=name).pk) for name in ("Alpha", "Beta", "Beta", "Gamma")]
    expected = [*sorted(names[:1]), *sorted(names[1:3]), names[3], str(cast.microscope.pk)]
    pages = list(program("wang").pages(f"instruments/?limit=2{query}"))
    assert [row for page in pages[:3] for row in page] == expected
    assert pages[3:] == ([] if query else [expected[2:4], expected[:2]])


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("free_from=2026-03-06T08:00:00Z", ("free_until", "required")),
        ("free_until=2026-03-06T08:00:00Z", ("free_from", "required")),
        ("free_from=2026-03-06T08:00:00Z&free_until=2026-03-06T08:00:00Z", ("free_until", "not-after-start")),
        ("free_from=2026-03-06T08:00:00Z&free_until=2026-08-06T08:00:00Z", ("free_until", "span-too-long")),
        ("max_price=-1", ("max_price", "out-of-range")),
        ("max_payable=-1", ("max_payable", "out-of-range")),
        ("max_price=NaN", ("max_price", "not-a-decimal")),
        ("service_mode=robot", ("service_mode", "unknown-value")),
        ("facility=x", ("facility", "not-an-id")),
        ("q=%00", ("q", "bad-character")),
        ("spec=qq:1:", ("spec[0]", "unknown-parameter")),
        (f"spec={'9' * 201}", ("spec[0]", "too-long")),
        ("organisation=ustc", ("organisation", "not-a-member")),
        ("managed=perhaps", ("managed", "not-a-boolean")),
        (f"{FRIDAY}&cursor=WzAsImEiXQ", ("cursor", "unknown-cursor")),
        (f"{FRIDAY}&cursor=WzAsImEiLCJiIl0", ("cursor", "unknown-cursor")),
    ],
)
def test_a_wrong_shape(cast: Cast, program: Programs, query: str, problem: tuple[str, str]) -> None:
    assert program("wang").get(f"instruments/?{query}").problems == [problem]


@pytest.mark.parametrize("query", ["", "?technique=PaNET01198&region=CN", f"?{FRIDAY}"])
def test_the_list_asks_as_much_of_the_database_for_three_as_for_one(
    cast: Cast, program: Programs, query: str
) -> None:
    wang = program("wang")

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert wang.get(f"instruments/{query}").status == 200
        return len(captured)

    statements()  # the token's use is remembered
    one = statements()
    cast.instrument(name="Two")
    cast.instrument(name="Three")
    assert statements() == one
    # Of these the token, the grants and the memberships are signing in.
    assert one <= 3 + 7


@pytest.fixture
def _grains(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        measurand_of(cast)


@pytest.mark.usefixtures("_grains")
def test_a_need_is_understood_and_made_exact(cast: Cast, program: Programs) -> None:
    lone = cast.instrument(name="Large grains", name_zh="")
    lone.techniques.clear()
    entries_file([lone.pk])
    wang, tem = program("wang"), str(cast.microscope.pk)
    answer = wang.get("instruments/?q=how large are the grains after annealing").body
    # What has some of the words, and no technique that answers, is no answer.
    assert [row["id"] for row in answer["results"]] == [tem]
    technique = {"code": cast.technique.code, "name": "electron microscopy", "name_zh": "电子显微镜"}
    measurand = {"code": "grain-size", "name": "Grain size", "name_zh": "晶粒尺寸"}
    assert answer["results"][0]["reason"] == {"technique": technique, "term": measurand}
    assert (answer["is_understood"], answer["lacking"], answer["near"]) == (True, None, [])
    (term,) = answer["terms"]
    assert (term["code"], term["techniques"]) == ("grain-size", [cast.technique.code])
    # A name is matched as one.
    answer = wang.get("instruments/?q=large grains").body
    assert [(row["id"], row["reason"]) for row in answer["results"]] == [(str(lone.pk), None)]
    assert wang.get("instruments/?q=large grains&term=grain-size").ids == [tem]
    assert wang.get("instruments/?term=grain-size").ids == [tem]
    assert wang.get(f"instruments/?term={cast.technique.code}").ids == [tem]
    assert wang.get("instruments/?term=lost").ids == []
    asked = "q=size of grains after annealing&without=grain-size"
    assert wang.get(f"instruments/facets/?{asked}").body["total"] == 0
    answer = wang.get(f"instruments/?{asked}").body
    assert (answer["results"], answer["terms"], answer["is_understood"]) == ([], [], False)
    facets = wang.get("instruments/facets/?q=how large are the grains after annealing").body
    assert facets["total"] == 1


@pytest.mark.usefixtures("_grains")
def test_what_nobody_understands_has_the_nearest_names_and_no_result(cast: Cast, program: Programs) -> None:
    names = ["Argon glove box", "Argon laser", "Argon lamp", "Nitrogen glove box"]
    made = [str(cast.instrument(name=name).pk) for name in names]
    answer = program("wang").get("instruments/?q=argon glove zirconia").body
    assert (answer["results"], answer["is_understood"]) == ([], False)
    assert [row["id"] for row in answer["near"]] == made[:1]
    assert answer["near"][0]["reason"] == {"technique": None, "term": None}


@pytest.mark.usefixtures("_grains")
def test_what_nobody_has_is_said_with_what_is_near(cast: Cast, program: Programs) -> None:
    above = Technique.objects.create(code="local-above", name="microscopies")
    other = Technique.objects.create(code="local-other", name="ion microscopy", synonyms=["HIM"])
    for technique in (other, cast.technique):
        technique.parents.add(above)
    vocabulary_changed()
    entries_file([cast.microscope.pk])
    answer = program("wang").get("instruments/?q=HIM").body
    assert (answer["results"], answer["lacking"]["code"]) == ([], "local-other")
    assert [row["id"] for row in answer["near"]] == [str(cast.microscope.pk)]
    assert answer["near"][0]["reason"]["technique"]["code"] == cast.technique.code
    # Whoever has it is the answer, and what was near stays below.
    new = cast.instrument(name="Helium ion microscope")
    new.techniques.set([other])
    entries_file([new.pk])
    answer = program("wang").get("instruments/?q=HIM").body
    assert [row["id"] for row in answer["results"]] == [str(new.pk)]
    assert [row["id"] for row in answer["near"]] == [str(cast.microscope.pk)]


@pytest.mark.usefixtures("_grains")
def test_a_search_for_a_term_is_saved_and_opened_again(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    body = {"name": "Grains", "q": "grains", "term": "grain-size", "max_payable": "400"}
    saved = wang.post("searches/", body).body
    assert saved["criteria"] == {
        "text": "grains", "term": "grain-size", "max_payable": "400.0000", "currency": "CNY",
        "minutes": "60",
    }  # fmt: skip
    search = SavedSearch.objects.get()
    assert [match.instrument_id for match in search.matches.all()] == [cast.microscope.pk]
    assert "q=grains" in address_of(search) and "term=grain-size" in address_of(search)


def test_what_is_stated_reaches_what_is_required(cast: Cast, program: Programs) -> None:
    parameters_of(cast)
    wang, tem = program("wang"), str(cast.microscope.pk)
    silent = cast.instrument(name="Silent")
    cold = Stated("sample_temperature", Decimal(4), Decimal(300))
    state(cast.microscope, [Stated("spatial_resolution", Decimal("0.1")), cold])
    assert wang.get("instruments/?spec=spatial_resolution:0.2:").ids == [tem]
    both = "spec=spatial_resolution:0.2:&spec=sample_temperature:77:"
    assert wang.get(f"instruments/?{both}300").ids == [tem]
    assert wang.get(f"instruments/?{both}301").ids == []
    assert wang.get(f"instruments/?{both}&{FRIDAY}&minutes=60").ids == [tem]
    assert wang.get(f"instruments/?{both}&q=titan&sort=price").ids == [tem]
    counted = wang.get(f"instruments/facets/?{both}").body
    assert (counted["total"], counted["not_stated"]) == (1, 1)
    assert [(each["code"], each["count"]) for each in counted["parameter"]] == [
        ("sample_temperature", 1),
        ("spatial_resolution", 1),
    ]
    assert sum(each["count"] for each in counted["host"]) == 1
    counted = wang.get("instruments/facets/").body
    assert (counted["total"], counted["not_stated"], counted["parameter"]) == (2, 0, [])
    for query, problem in (
        ("spec=spatial_resolution:1:&spec=spatial_resolution:1:", ("spec[1]", "repeated")),
        ("spec=spatial_resolution:1e400:", ("spec[0]", "too-large")),
        ("spec=spatial_resolution:NaN:", ("spec[0]", "not-a-decimal")),
        ("&".join(["spec=magnification::1"] * 11), ("spec", "too-many")),
    ):
        for path in ("instruments/", "instruments/facets/"):
            assert wang.get(f"{path}?{query}").problems == [problem]
    state(silent, [cold])
    saved = wang.post("searches/", {"name": "Cold", "spec": ["sample_temperature:77:"]}).body
    assert saved["criteria"] == {"specs": "sample_temperature:77:"}
    assert len(SavedSearch.objects.get().matches.all()) == 2
    assert "spec=sample_temperature%3A77%3A" in address_of(SavedSearch.objects.get())
    assert wang.post("searches/", {"name": "x", "spec": ["qq:1:"]}).problems == [
        ("spec[0]", "unknown-parameter")
    ]
    assert SavedSearch.objects.count() == 1

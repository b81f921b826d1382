"""The catalogue with addresses nobody's form has sent."""

import re
from decimal import Decimal as D
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings.models import SavedSearch
from config.pages.drawings import SHAPES
from instruments.search.models import SearchWord
from instruments.search.services.search import entries_file
from instruments.vocabulary.domain.parameters import Stated
from instruments.vocabulary.models import Technique
from tests.accounts.pages import page_of
from tests.factories.attachments import photo
from tests.factories.capabilities import parameters_of, state
from tests.factories.cast import Cast
from tests.factories.needs import measurand_of


@pytest.mark.parametrize("year", ["0001", "1999", "2201", "9999"])
@pytest.mark.parametrize("until", ["", "&free_until=9999-12-31T23:59"])
def test_a_time_beyond_reason_is_marked(client: Client, cast: Cast, year: str, until: str) -> None:
    html = page_of(client.get(f"/?free_from={year}-12-31T00:00{until}"))
    assert "This is not a time." in html


def test_an_organisation_that_cannot_be_is_as_none(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["wang"])
    for path in ("/", f"/instruments/{cast.microscope.pk}/"):
        page_of(client.get(path, {"organisation": "\0"}))


@pytest.fixture
def _grains(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        measurand_of(cast)


@pytest.mark.usefixtures("_grains")
def test_words_that_no_record_has_lead_to_what_they_mean(client: Client, cast: Cast) -> None:
    for words in ("how large are the grains", "请问金属的晶粒有多大？", "ＧＲＡＩＮ ｇｒｏｗｔｈ"):
        answer = client.get("/", {"q": words})
        html = page_of(answer)
        assert "For <strong>Grain size</strong>: electron microscopy" in html
        assert [i.pk for i, _ in answer.context["results"]] == [cast.microscope.pk]
        (chip,) = answer.context["meanings"]
        assert chip["term"].code == "grain-size"
        # Chosen, the search is exact; an address says it all, and is left again.
        answer = client.get(chip["choose"])
        assert "Instruments for <strong>Grain size</strong>" in page_of(answer)
        assert [i.pk for i, _ in answer.context["results"]] == [cast.microscope.pk]
        assert answer.context["criteria"].text == words
        # Removed, it counts no more: no word is in the register.
        answer = client.get(chip["remove"])
        assert (answer.context["results"], answer.context["meanings"]) == ([], [])
        page_of(answer)


@pytest.mark.usefixtures("_grains")
def test_a_chosen_term_counts_for_its_own_text_alone(client: Client, cast: Cast) -> None:
    """A form sends on what was chosen, with the text it was chosen for."""
    cast.instrument(name="Grains of gold")
    query = {"q": "grains", "term": "grain-size", "about": "grains"}
    assert client.get("/", query).context["criteria"].term == "grain-size"
    answer = client.get("/", query | {"q": "gold", "without": "x"})
    assert (answer.context["criteria"].term, answer.context["without"]) == ("", "")
    answer = client.get("/", query | {"q": "gold", "region": cast.anhui.code})
    chips = [chip["address"] for chip in answer.context["chips"]]
    assert len(chips) == 2 and not any("term=" in address for address in chips)
    assert [i.name for i, _ in answer.context["results"]] == ["Grains of gold"]


@pytest.mark.usefixtures("_grains")
def test_a_need_has_chips_above_its_results_and_a_name_has_none(client: Client, cast: Cast) -> None:
    metals = cast.instrument(name="Metals: how large the grains are")
    answer = client.get("/", {"q": "how large are the grains"})
    assert [i.pk for i, _ in answer.context["results"]] == [metals.pk]
    assert answer.context["meanings"] == []  # its name
    answer = client.get("/", {"q": "how large the grains are after annealing"})
    assert [each["term"].code for each in answer.context["meanings"]] == ["grain-size"]
    for name in ("metals", "electron microscopy", "titan"):
        answer = client.get("/", {"q": name})
        assert answer.context["results"] and answer.context["meanings"] == []


@pytest.mark.usefixtures("_grains")
def test_what_nobody_understands_says_so_and_shows_names_below(client: Client, cast: Cast) -> None:
    cast.instrument(name="Glove box, argon")
    cast.instrument(name="Argon laser")
    answer = client.get("/", {"q": "argon glove zirconia"})
    html = page_of(answer)
    assert "We do not know what measures this" in html and "Describe it to the hosts" in html
    assert answer.context["results"] == []
    assert [i.name for i, _, _ in answer.context["near"]] == ["Glove box, argon"]
    answer = client.get("/", {"q": "argon glove"})
    assert [i.name for i, _ in answer.context["results"]] == ["Glove box, argon"]
    assert answer.context["near"] == []


@pytest.mark.usefixtures("_grains")
def test_beside_an_answer_words_alone_say_nothing(client: Client, cast: Cast) -> None:
    cast.instrument(name="Zirconia annealing furnace", name_zh="", techniques=[])
    answer = client.get("/", {"q": "grains after annealing"})
    page_of(answer)
    assert [i.pk for i, _ in answer.context["results"]] == [cast.microscope.pk]


@pytest.mark.usefixtures("_grains")
def test_a_visitor_is_led_to_say_when_and_for_how_much(client: Client, cast: Cast) -> None:
    html = page_of(client.get("/", {"q": "how large are the grains", "term": "grain-size"}))
    link = "/needs/new/?text=how+large+are+the+grains&amp;term=grain-size"
    assert f'href="{link}"' in html
    assert client.get(link.replace("&amp;", "&")).url.startswith("/accounts/login/?next=/needs/new/")


@pytest.mark.usefixtures("_grains")
def test_nothing_at_all_says_what_can_be_done(client: Client, cast: Cast) -> None:
    answer = client.get("/", {"q": "titan", "region": "CN-SH"})
    html = page_of(answer)
    assert answer.context["results"] == []
    assert "Without “Region”: 1 instrument" in html and 'href="?q=titan"' in html
    assert "Sign in to be notified of new matching instruments" in html
    html = page_of(client.get("/", {"q": "titan", "region": "CN-SH", "maker": "nobody"}))
    assert "Without “Filter”: 1 instrument" in html and 'href="?q=titan"' in html
    SearchWord.objects.create(word="titan", number=1)
    answer = client.get("/", {"q": "titanical", "region": "CN-SH"})
    assert "Search “titan”" in page_of(answer)
    answer = client.get("/", {"term": "lost"})
    assert "Without “What to find out”: 1 instrument" in page_of(answer)
    client.force_login(cast.people["wang"])
    assert "Save the search" in page_of(client.get("/", {"q": "zzz"}))


@pytest.mark.parametrize(
    "text",
    ["Image nanoparticles", "resolution 2 nm",
     "纳米颗粒", "我想测薄膜厚度", "２ ｎｍ", "🔬", "'\";--",
     "的", "how", "纳" * 2000, "grain " * 333, "\N{ZERO WIDTH JOINER}", "& | ! :* <->"],
)  # fmt: skip
@pytest.mark.usefixtures("_grains")
def test_whatever_is_typed_gives_a_page(client: Client, text: str) -> None:
    page_of(client.get("/", {"q": text}))
    page_of(client.get("/", {"q": text, "without": "grain-size", "term": "lost"}))


@pytest.mark.usefixtures("_grains")
def test_a_text_that_cannot_be_read_is_marked(client: Client) -> None:
    for text in ("a\0b", "x" * 2001):
        answer = client.get("/", {"q": text})
        assert answer.context["form"].errors["q"] and answer.context["results"] == []
        page_of(answer)


@pytest.mark.usefixtures("_grains")
def test_words_that_mean_nothing_and_those_with_a_technique_chosen_stay_empty(client: Client) -> None:
    for query in ({"q": "zzz"}, {"q": "how large are the grains", "technique": "nothing"}):
        answer = client.get("/", query)
        assert answer.context["results"] == []
        assert [each["term"].code for each in answer.context["meanings"]] == (
            ["grain-size"] if "technique" in query else []
        )


def _drawn(html: str) -> list[str]:
    return re.findall(r'<svg class="drawing"[^>]*aria-hidden="true"><path d="([^"]*)"', html)


def test_without_a_photo_an_instrument_is_drawn_by_its_technique(client: Client, cast: Cast) -> None:
    technique = Technique.objects.create(code="PaNET01145", name="electron microscopy")
    cast.microscope.techniques.add(technique)
    entries_file([cast.microscope.pk])
    for path in ("/", f"/instruments/{cast.microscope.pk}/"):
        assert _drawn(page_of(client.get(path))) == [SHAPES["electron-microscopy"]], path
    added = photo(cast, cast.microscope)
    for path in ("/", f"/instruments/{cast.microscope.pk}/"):
        html = page_of(client.get(path))
        assert (_drawn(html), f'alt="{added.title}"' in html) == ([], True), path


def test_a_mark_says_that_it_is_the_record_s(client: Client, cast: Cast) -> None:
    assert "Record: bronze" in page_of(client.get("/"))
    chinese = {"accept-language": "zh-hans"}
    assert "记录完整度：铜级" in page_of(client.get("/", headers=chinese))


@pytest.fixture
def _stated(cast: Cast) -> None:
    """The cast's microscope resolves 0.1 nm, another 1 nm, of a third that is not known."""
    parameters_of(cast)
    voltage = Stated("accelerating_voltage", D(60), D(300))
    state(cast.microscope, [Stated("spatial_resolution", D("0.1")), voltage])
    state(cast.instrument(name="Coarse"), [Stated("spatial_resolution", D(1))])
    cast.instrument(name="Silent")


def _names(answer: Any) -> list[str]:
    return sorted(instrument.name for instrument, _ in answer.context["results"])


@pytest.mark.usefixtures("_stated")
def test_a_technique_that_is_chosen_has_specifications(client: Client, cast: Cast) -> None:
    technique = cast.technique.code
    html = page_of(client.get("/"))
    assert "low.spatial_resolution" not in html
    answer = client.get("/", {"technique": technique})
    html = page_of(answer)
    shown = [(e["parameter"].code, e["count"], e["sides"]) for e in answer.context["specifications"]]
    assert shown == [
        ("spatial_resolution", 2, [("low", "")]),
        ("accelerating_voltage", 1, [("low", ""), ("high", "")]),
    ]
    assert 'form="search"' in html and "data-unstated" not in html
    # The fields of the form become one address, in the unit of the parameter.
    sent = {
        "technique": technique, "q": "", "page": "2", "spec": "accelerating_voltage::200",
        "low.spatial_resolution": "200", "unit.spatial_resolution": "pm",
        "low.magnification": "", "unit.magnification": "",
    }  # fmt: skip
    answer = client.get("/", sent)
    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer.url).query) == {
        "technique": [technique],
        "spec": ["accelerating_voltage::200", "spatial_resolution:0.2:"],
    }
    answer = client.get(answer.url)
    assert _names(answer) == [cast.microscope.name]
    chips = answer.context["chips"]
    assert [(chip["title"], chip.get("code")) for chip in chips[1:]] == [
        ("Accelerating voltage", "up to 200 kV"),
        ("Spatial resolution", "down to 0.2 nm"),
    ]
    assert "data-unstated" in page_of(answer)
    # A chip takes its own away, the line of what is not stated all of them.
    answer = client.get(chips[1]["address"])
    assert answer.context["form"].cleaned_data["spec"][0].parameter == "spatial_resolution"
    assert "1 more does not state it." in page_of(answer)
    number, address = answer.context["unstated"]
    assert (number, _names(client.get(address))) == (
        1, sorted([cast.microscope.name, "Coarse", "Silent"]),
    )  # fmt: skip


@pytest.mark.usefixtures("_stated")
def test_what_the_words_require_is_offered_and_not_applied(client: Client, cast: Cast) -> None:
    words = "titan, resolution 0.2 nm"
    answer = client.get("/", {"q": words, "region": "CN-AH"})
    html = page_of(answer)
    assert answer.context["criteria"].specs == () and "Only instruments that meet:" in html
    (chip,) = answer.context["read"]
    assert parse_qs(urlsplit(chip["address"]).query) == {
        "q": ["titan"], "region": ["CN-AH"], "spec": ["spatial_resolution:0.2:"],
    }  # fmt: skip
    answer = client.get(chip["address"])
    assert (_names(answer), answer.context["read"]) == ([cast.microscope.name], [])
    # Nothing but the requirement: every instrument that states it.
    (chip,) = client.get("/", {"q": "resolution 1 nm"}).context["read"]
    assert parse_qs(urlsplit(chip["address"]).query) == {"spec": ["spatial_resolution:1:"]}
    assert _names(client.get(chip["address"])) == sorted([cast.microscope.name, "Coarse"])
    assert client.get("/", {"q": "titan 300"}).context["read"] == []


@pytest.mark.usefixtures("_stated")
@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("spatial_resolutio:1:", "Did you mean spatial_resolution?"),
        ("qq:1:", "There is no parameter with the code qq."),
        ("spatial_resolution", "Write it as CODE:LOW:HIGH"),
        ("spatial_resolution:NaN:", "This must be a decimal number"),
        ("spatial_resolution:1e400:", "This is too large"),
        ("sample_temperature:300:4", "The upper end is below the lower one."),
        ("\0:1:", "There is no parameter"),
    ],
)
def test_a_requirement_that_cannot_be_read_is_marked(
    client: Client, cast: Cast, spec: str, words: str
) -> None:
    answer = client.get("/", {"spec": [spec], "technique": cast.technique.code})
    assert words in page_of(answer) and answer.context["results"] == []
    assert "spec" not in parse_qs(urlsplit(answer.context["chips"][-1]["address"]).query)
    # As the form sends it.
    code, low, high = f"{spec}::".split(":")[:3]
    answer = client.get("/", {f"low.{code}": low or "x", f"high.{code}": high}, follow=True)
    assert answer.context["results"] == []
    page_of(client.get("/map/", {"spec": spec}))


@pytest.mark.usefixtures("_stated")
def test_too_many_requirements_and_the_same_twice_are_marked(client: Client) -> None:
    for specs, words in (
        ([f"spatial_resolution:{n}:" for n in range(11)], "There are too many: at most 10."),
        ([f"spatial_resolution:{n}:" for n in range(2)], "This is listed twice."),
    ):
        assert words in page_of(client.get("/", {"spec": specs}))


@pytest.mark.usefixtures("_stated")
def test_nothing_that_fits_can_be_had_without_the_requirement(client: Client, cast: Cast) -> None:
    answer = client.get("/", {"spec": "spatial_resolution:0.01:", "region": "CN"})
    assert "Without “Specifications”: 3 instruments" in page_of(answer)
    assert 'value="0.01"' in page_of(answer)
    query = {"spec": "spatial_resolution:0.01:", "maker": "nobody", "q": "titan"}
    answer = client.get("/", query)
    ((_, number, address),) = answer.context["ways"]
    assert (number, address) == (3, "?q=titan")
    assert len(_names(client.get(address))) == 3


@pytest.mark.usefixtures("_stated")
def test_requirements_go_to_the_map_and_are_saved(client: Client, cast: Cast) -> None:
    specs = ["spatial_resolution:2:", "accelerating_voltage:100:200"]
    html = page_of(client.get("/map/", {"spec": specs}))
    assert all(f'name="spec" value="{spec}"' in html for spec in specs) and "1 instrument" in html
    client.force_login(cast.people["wang"])
    html = page_of(client.get("/", {"spec": specs}))
    assert all(f'<input type="hidden" name="spec" value="{spec}">' in html for spec in specs)
    assert client.post("/searches/", {"spec": specs, "name": "mine"}).status_code == 302
    search = SavedSearch.objects.get()
    assert search.criteria["specs"] == " ".join(specs)
    assert [match.instrument_id for match in search.matches.all()] == [cast.microscope.pk]
    html = page_of(client.get("/searches/"))
    assert "spec=spatial_resolution%3A2%3A&amp;spec=accelerating_voltage%3A100%3A200" in html
    assert client.post("/searches/", {"spec": "qq:1:"}).status_code == 400
    assert SavedSearch.objects.count() == 1


@pytest.mark.usefixtures("_stated")
def test_specifications_cost_one_statement_where_they_are_shown(client: Client, cast: Cast) -> None:
    def statements(**query: Any) -> list[str]:
        client.get("/", query)
        with CaptureQueriesContext(connection) as captured:
            client.get("/", query)
        return [each["sql"] for each in captured if "instruments_capability" in each["sql"]]

    assert statements() == statements(q="titan") == statements(region="CN") == []
    assert len(statements(technique=cast.technique.code)) == 1

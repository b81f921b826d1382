"""Codes, texts, ROR identifiers and records; the shipped lists of places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import organisations as rules
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import Invalid
from accounts.selectors.divisions import above, countries, division, divisions_of

USTC_2 = {
    "id": "https://ror.org/04c4dkn09",
    "status": "active",
    "types": ["education", "funder"],
    "names": [
        {"value": "USTC", "types": ["acronym"], "lang": None},
        {"value": "中国科学技术大学", "types": ["label"], "lang": "zh"},
        {
            "value": "University of Science and Technology of China",
            "types": ["label", "ror_display"],
            "lang": "en",
        },
    ],
    "locations": [
        {
            "geonames_id": 1808722,
            "geonames_details": {"country_code": "CN", "country_subdivision_code": "AH", "name": "Hefei"},
        }
    ],
}
ETH_1 = {
    "id": "https://ror.org/05a28rw58",
    "name": "ETH Zurich",
    "types": ["Education"],
    "labels": [{"label": "苏黎世联邦理工学院", "iso639": "zh"}],
    "addresses": [{"geonames_city": {"geonames_admin1": {"code": "CH.ZH"}}}],
    "country": {"country_name": "Switzerland", "country_code": "CH"},
}


def refusal(call, *args):
    with pytest.raises(Invalid) as refused:
        call(*args)
    (problem,) = refused.value.problems
    return problem.field, problem.code


@pytest.mark.parametrize(
    "text", ["04c4dkn09", "https://ror.org/04c4dkn09", " ROR.org/04C4DKN09/ ", "http://ror.org/04c4dkn09"]
)
def test_a_ror_identifier_is_stored_as_its_address(text):
    assert rules.ror_of(text) == "https://ror.org/04c4dkn09"


@pytest.mark.parametrize(
    "text", ["04c4dkn08", "04c4dkn9", "14c4dkn09", "04i4dkn09", "https://evil.example/04c4dkn09", "x" * 999]
)
def test_another_form_or_wrong_check_digits_are_no_ror(text):
    assert refusal(rules.ror_of, text) == ("ror", "not-a-ror")


@given(st.integers(0, 8), st.characters(codec="ascii"))
def test_one_wrong_character_of_a_ror_never_passes(at, character):
    good = "04c4dkn09"
    spoilt = good[:at] + character + good[at + 1 :]
    if spoilt.casefold() != good and spoilt.strip().casefold() != good:
        assert refusal(rules.ror_of, spoilt) == ("ror", "not-a-ror")


@given(st.text(max_size=60))
def test_a_text_is_trimmed_or_refused_and_stays_as_it_is_then(text):
    try:
        once = rules.text_of("name", text, 50)
    except Invalid:
        return
    assert rules.text_of("name", once, 50) == once
    assert len(once) <= 50


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("name", "a\x00b", "bad-character"),
        ("name", "two\nlines", "bad-character"),
        ("name_zh", "rev\u202eersed", "bad-character"),
        ("ror", "1" * 41, "too-long"),
    ],
)
def test_a_bad_text_is_refused(name, text, code):
    assert refusal(rules.text_of, name, text, rules.MOST_TEXT[name]) == (name, code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "required"),
        ("a b", "not-a-code"),
        ("中科大", "not-a-code"),
        ("x" * 31, "not-a-code"),
        ("0197a1de-0000-7000-8000-000000000001", "reserved-code"),
    ],
)
def test_a_bad_code_is_refused(text, code):
    assert refusal(rules.organisation_code, text) == ("code", code)


@pytest.mark.parametrize("text", ["iso-3166-2", "ISO 3166-2", "iso3166-2", "Iso 3166_2"])
def test_a_scheme_has_one_spelling(text):
    assert rules.scheme_named(text) == "ISO 3166-2"


def test_a_province_has_two_codes():
    assert (rules.same_place("CN-AH"), rules.same_place("340000")) == ("340000", "CN-AH")
    assert {rules.same_place(code) for code in ("340100", "CN", "DE-AH", "990000", "")} == {""}


# Records of ROR


def test_a_record_of_schema_2():
    assert rules.read_ror(USTC_2) == {
        "ror": "https://ror.org/04c4dkn09",
        "name": "University of Science and Technology of China",
        "name_zh": "中国科学技术大学",
        "kind": "university",
        "places": "CN-AH CN",
    }


def test_a_record_of_schema_1():
    assert rules.read_ror(ETH_1) == {
        "ror": "https://ror.org/05a28rw58",
        "name": "ETH Zurich",
        "name_zh": "苏黎世联邦理工学院",
        "kind": "university",
        "places": "CH-ZH CH",
    }


def test_the_one_record_of_a_search_is_read():
    assert rules.read_ror({"items": [USTC_2]}) == rules.read_ror(USTC_2)


@pytest.mark.parametrize(
    "record",
    [
        None, [], "x", 7, {}, {"id": 7}, {"id": USTC_2["id"]}, {"items": []},
        USTC_2 | {"status": "withdrawn"}, USTC_2 | {"names": [7]}, USTC_2 | {"names": []},
        USTC_2 | {"locations": [7]}, USTC_2 | {"types": 7}, ETH_1 | {"labels": [7]},
        {"items": [USTC_2, ETH_1]},
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(record):
    assert refusal(rules.read_ror, record) == ("record", "not-a-ror-record")


def test_a_record_with_a_wrong_identifier_is_refused():
    assert refusal(rules.read_ror, USTC_2 | {"id": "04c4dkn08"}) == ("ror", "not-a-ror")


# Shipped lists


@pytest.mark.parametrize(
    ("scheme", "code", "name", "name_zh", "zone", "currency", "calendar"),
    [
        ("iso-3166-2", "CN-AH", "Anhui", "安徽", "Asia/Shanghai", "CNY", "CN"),
        ("gb-t-2260", "340000", "Anhui", "安徽省", "Asia/Shanghai", "CNY", "CN"),
        ("GB/T 2260", "340104", "Shushan District", "蜀山区", "Asia/Shanghai", "CNY", "CN"),
        ("ISO 3166-2", "CN-HK", "Hong Kong", "香港", "Asia/Hong_Kong", "HKD", "HK"),
        ("ISO 3166-2", "DE-BY", "Bayern", "巴伐利亚", "Europe/Berlin", "EUR", "DE-BY"),
        ("ISO 3166-2", "US-WA", "Washington", "华盛顿州", "", "USD", "US-WA"),
        ("ISO 3166-2", "CN-XJ", "Xinjiang", "新疆", "", "CNY", "CN"),
        ("iso-3166-1", "DE", "Germany", "德国", "Europe/Berlin", "EUR", "DE"),
    ],
)
def test_a_place_with_its_names_zone_money_and_holidays(
    scheme, code, name, name_zh, zone, currency, calendar
):
    one = division(scheme, code)
    assert (one.name, one.name_zh, one.time_zone, one.currency, one.holiday_calendar) == (
        name, name_zh, zone, currency, calendar,
    )  # fmt: skip


def test_every_province_stands_in_both_lists():
    both = divisions_of("ISO 3166-2", "CN")
    assert len(both) == 34
    for one in both:
        other = division("GB/T 2260", rules.same_place(one.code))
        assert (one.name, one.currency, one.zones) == (other.name, other.currency, other.zones)
        assert other.name_zh.startswith(one.name_zh)


def test_a_county_lies_in_its_city_its_province_under_either_code_and_the_country():
    assert list(above(division("GB/T 2260", "340104"))) == ["340100", "340000", "CN-AH", "CN"]


def test_places_are_searched_by_either_name_and_by_code():
    for text in ("蜀山", "shushan", "340104"):
        assert "340104" in {one.code for one in divisions_of("GB/T 2260", "CN", text)}
    assert divisions_of("GB/T 2260", "DE") == []


def test_no_place_has_what_the_platform_does_not_know():
    for country in countries():
        for one in [country, *divisions_of("ISO 3166-2", country.code)]:
            assert one.currency in {"", *MINOR_DIGITS}
            assert 0 < len(one.name) <= 120
            assert len(one.code) <= 20

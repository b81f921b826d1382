"""Time zones by the names of cities."""

import zoneinfo

import pytest
from django.utils import translation

from accounts.letters.words import zone_name
from accounts.selectors.zones import city_of, zone_of
from accounts.views.profile import zone_names


@pytest.mark.parametrize(
    ("key", "english", "chinese"),
    [
        ("Asia/Shanghai", "Beijing time", "北京时间"),
        ("PRC", "Beijing time", "北京时间"),
        ("Asia/Urumqi", "Ürümqi time", "乌鲁木齐时间"),
        ("Asia/Hong_Kong", "Hong Kong time", "香港时间"),
        ("Europe/London", "London time", "伦敦时间"),
        ("America/Los_Angeles", "Los Angeles time", "洛杉矶时间"),
        ("Asia/Calcutta", "Kolkata time", "加尔各答时间"),
        ("UTC", "UTC", "UTC"),
        ("Etc/GMT+3", "Etc/GMT+3", "Etc/GMT+3"),
        ("Mars/Olympus", "Mars/Olympus", "Mars/Olympus"),
    ],
)
def test_zones_are_called_after_a_city(key: str, english: str, chinese: str) -> None:
    with translation.override("en"):
        assert zone_name(key) == english
    with translation.override("zh-hans"):
        assert zone_name(key) == chinese


def test_every_zone_to_choose_has_a_city_and_an_alias_keeps_its_clock() -> None:
    nameless = [key for key in zone_names() if key != "UTC" and city_of(key) is None]
    assert nameless == []
    for key in zone_names():
        assert zoneinfo.ZoneInfo(zone_of(key)), key
    assert zone_of("Asia/Calcutta") == "Asia/Kolkata"
    assert zone_of("Mars/Olympus") == "Mars/Olympus"

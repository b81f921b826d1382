"""Regions: their codes, currencies, zones and calendars of holidays."""

import pytest
from django.db import IntegrityError, transaction

from accounts.adapters.checks import regions
from accounts.domain.errors import Invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import Region, TrailEntry, User
from accounts.selectors.organisations import region_by_code
from accounts.services.organisations import region_create
from accounts.services.users import user_register
from tests.factories.cast import NOW

VALUES = {
    "scheme": "GB/T 2260",
    "code": "330000",
    "parent": None,
    "name": "Zhejiang",
    "time_zone": "Asia/Shanghai",
    "currency": "CNY",
    "holiday_calendar": "CN",
}


def make(**changes):
    return region_create(By(PLATFORM, NOW), **VALUES | changes)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "XXX"}, "unknown-currency"),
        ({"currency": "cny"}, "unknown-currency"),
        ({"time_zone": "Mars/Phobos"}, "unknown-time-zone"),
        ({"time_zone": "asia/shanghai"}, "unknown-time-zone"),
        ({"holiday_calendar": "XX"}, "unknown-calendar"),
        ({"holiday_calendar": "GB-XXX"}, "unknown-calendar"),
        ({"code": "CN-AH"}, "code-taken"),
    ],
)
def test_what_there_is_not_and_what_stands_already_is_refused(cast, changes, code):
    before = Region.objects.count(), TrailEntry.objects.count()
    with pytest.raises(Invalid) as refused:
        make(**changes)
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == (next(iter(changes)), code)
    assert (Region.objects.count(), TrailEntry.objects.count()) == before


@pytest.mark.parametrize("calendar", ["", "CN", "GB-SCT", "US-WA"])
def test_a_region_without_holidays_of_a_country_or_of_a_part_of_it(cast, calendar):
    assert region_by_code(make(holiday_calendar=calendar).code).holiday_calendar == calendar


@pytest.mark.parametrize(
    ("name", "value", "constraint"),
    [("currency", "XXX", "region_currency"), ("code", "CN-SH", "region_code_once")],
)
def test_the_database_refuses_it_too(cast, name, value, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Region.objects.filter(pk=cast.anhui.pk).update(**{name: value})


def test_a_region_from_before_the_checks_is_named(cast):
    assert regions(databases=["default"]) == []
    Region.objects.filter(pk=cast.anhui.pk).update(time_zone="Mars/Phobos")
    (warning,) = regions(databases=["default"])
    assert (warning.id, "CN-AH" in warning.msg, "Mars/Phobos" in warning.msg) == (
        "accounts.W002", True, True,
    )  # fmt: skip


def test_a_person_registers_with_a_zone_that_there_is(cast):
    with pytest.raises(Invalid) as refused:
        user_register(user=User(email="new@a.example", time_zone="Mars/Phobos"), now=NOW)
    assert refused.value.problems[0].code == "unknown-time-zone"
    assert not User.objects.filter(email="new@a.example").exists()

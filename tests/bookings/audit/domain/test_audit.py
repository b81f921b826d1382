"""What each rule of the audit asks."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from bookings.audit.domain import audit as rules
from bookings.audit.domain.audit import BOOKING_RULES, BookingFacts
from tests.factories.moments import NOW, at

WANG, ZHAO, FUDAN, USTC = (UUID(int=n) for n in range(1, 5))
FINE = BookingFacts(
    id=UUID(int=9),
    state="completed",
    start=at("2026-03-02 10:00"),
    end=at("2026-03-02 12:00"),
    requested_at=at("2026-02-20 10:00"),
    ended_at=at("2026-03-02 12:00"),
    price_group="regional",
    organisation_id=FUDAN,
    host_id=USTC,
    user_id=WANG,
    made_by_id=WANG,
    decided_by_id=ZHAO,
    checked_in_at=at("2026-03-02 10:05"),
    checked_out_at=at("2026-03-02 12:10"),
)


def found(facts: BookingFacts) -> dict[str, Any]:
    heard = {code: rule(facts, NOW) for code, rule in BOOKING_RULES.items()}
    return {code: numbers for code, numbers in heard.items() if numbers is not None}


def test_a_booking_like_any_other_is_no_exception() -> None:
    assert found(FINE) == {}


def test_a_removed_no_show_is_no_booking_that_was_never_used() -> None:
    old = replace(FINE, checked_in_at=None, checked_out_at=None, end=NOW - timedelta(days=9))
    assert set(found(old)) == {"booked-never-used"}
    assert found(replace(old, struck="host_fault")) == {}


@pytest.mark.parametrize(
    ("changes", "rule", "numbers"),
    [
        ({"requested_at": at("2026-03-02 10:06")}, "made-after-use", {"minutes": 6}),
        ({"checked_out_at": at("2026-03-02 12:31")}, "used-without-booking",
         {"minutes": 31, "state": "completed"}),
        ({"checked_in_at": at("2026-03-02 09:20")}, "used-without-booking",
         {"minutes": 50, "state": "completed"}),
        ({"state": "cancelled"}, "used-without-booking", {"minutes": 125, "state": "cancelled"}),
        ({"state": "no_show", "checked_in_at": None}, "booked-never-used",
         {"minutes": 120, "state": "no_show"}),
        ({"end": NOW - timedelta(days=3), "checked_in_at": None}, "booked-never-used",
         {"minutes": 120, "state": "completed"}),
        ({"overrides": ("notice", "closed")}, "overrides", {"rules": "closed, notice"}),
        ({"price_group": "internal"}, "internal-rate-outsider", {"why": "payer"}),
        ({"price_group": "internal", "organisation_id": USTC}, "internal-rate-outsider",
         {"why": "person"}),
        ({"decided_by_id": WANG}, "self-approval", {"count": 1}),
        ({"serves_both": (ZHAO,)}, "related-parties", {"people": 1}),
    ],
)  # fmt: skip
def test_each_rule_of_bookings(changes: dict[str, Any], rule: str, numbers: Any) -> None:
    if changes.get("end"):
        changes = changes | {"start": changes["end"] - timedelta(hours=2)}
    assert found(replace(FINE, **changes)) == {rule: numbers}


@pytest.mark.parametrize(
    "changes",
    [
        {"requested_at": at("2026-03-02 10:05")},
        {"checked_out_at": at("2026-03-02 12:30")},
        {"end": NOW - timedelta(days=3) + timedelta(minutes=1), "checked_in_at": None},
        {"price_group": "internal", "organisation_id": USTC, "belongs_to_host": True},
        {"decided_by_id": WANG, "state": "rejected", "checked_in_at": None},
        {"organisation_id": USTC, "serves_both": (ZHAO,), "belongs_to_host": True},
    ],
)
def test_just_within_a_rule(changes: dict[str, Any]) -> None:
    assert found(replace(FINE, **changes)) == {}


def test_rules_of_other_things() -> None:
    assert rules.over_open_hours(productive=616, open_minutes=600) == {
        "minutes": 16, "open": 600, "used": 616,
    }  # fmt: skip
    assert rules.over_open_hours(productive=615, open_minutes=600) is None
    grant: dict[str, Any] = {"amount": Decimal(1000), "held": Decimal(450), "currency": "CNY"}
    assert rules.voucher_near_cap(**grant, redeemed=Decimal(500)) == {
        "percent": 95, "amount": "1000.00", "currency": "CNY",
    }  # fmt: skip
    assert rules.voucher_near_cap(**grant, redeemed=Decimal(499)) is None
    assert rules.manual_correction(before=Decimal(9), after=Decimal(5), currency="CNY") == {
        "before": "9.00", "after": "5.00", "currency": "CNY",
    }  # fmt: skip
    assert rules.usage_changed([None, None]) is None
    assert rules.usage_changed(["a", "b"]) == {"was": "a – b"}
    assert rules.other_than_card([], "CNY") is None
    assert rules.other_than_card([("result.lines[0]", "a", "b")], "CNY") == {
        "fields": "result.lines[0]", "count": 1,
    }  # fmt: skip
    differing = [("result.total", "1", "2"), ("tax", "45.60", "40.00"), ("total", "805.60", "700.00")]
    assert rules.other_than_card(differing, "CNY") == {
        "fields": "result.total, tax, total", "count": 3, "total": "805.60", "total_again": "700.00",
        "difference": "105.60", "currency": "CNY", "tax": "45.60", "tax_again": "40.00",
    }  # fmt: skip
    year = NOW - timedelta(days=365)
    assert rules.stale_listing(confirmed_at=year, now=NOW) == {"days": 365}
    assert rules.stale_listing(confirmed_at=year + timedelta(hours=1), now=NOW) is None
    hours = {"norm": 400 * 60, "days": 100}
    assert rules.hours_far_from_norm(effective=79 * 60, **hours) == {
        "percent": "19.8", "hours": 79, "norm": 400, "days": 100,
    }  # fmt: skip
    assert rules.hours_far_from_norm(effective=80 * 60, **hours) is None
    assert rules.hours_far_from_norm(effective=604 * 60, **hours)["percent"] == "151.0"  # type: ignore[index]
    assert rules.hours_far_from_norm(effective=0, norm=24_000, days=89) is None


def test_states_of_an_exception() -> None:
    assert rules.may_become("open", "explained") and rules.may_become("explained", "review")
    assert not rules.may_become("explained", "open")
    assert not any(rules.may_become("confirmed", state) for state in rules.MOVES)

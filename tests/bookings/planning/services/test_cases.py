"""A purchase case from draft to decision."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.domain.roles import PLATFORM, By
from accounts.models import TrailEntry
from accounts.services.memberships import membership_start, role_grant
from bookings.planning.adapters.schemes import shipped
from bookings.planning.models import PurchaseCase, ReviewScheme
from bookings.planning.selectors.comparison import evidence_of
from bookings.planning.services.cases import (
    CaseValues,
    case_check,
    case_make,
    case_submit,
)
from bookings.planning.services.schemes import schemes_load
from tests.factories.cast import NOW, Cast

pytestmark = pytest.mark.django_db


def values(**changes: Any) -> CaseValues:
    given: dict[str, Any] = {
        "scheme": "cn-shanghai",
        "money": "regional",
        "techniques": ["PaNET01198"],
        "name": "Transmission electron microscope",
        "reason": "Our students wait for months.",
        "price": Decimal(2_000_000),
        "currency": "CNY",
        "years": 5,
        "hours": 400,
        "place": "Jiangwan campus",
        "organisation": "fudan",
    }
    return CaseValues(**{**given, **changes})


@pytest.fixture
def schemes(db: None) -> list[ReviewScheme]:
    return schemes_load(By(PLATFORM, NOW), schemes=shipped())


@pytest.fixture
def submitted(cast: Cast, schemes: list[ReviewScheme]) -> PurchaseCase:
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="manager", organisation=cast.ustc)
    membership_start(By(PLATFORM, NOW), user=cast.alice, organisation=cast.fudan)
    case = case_make(By(cast.actor("wang"), NOW), values=values())
    case_check(By(cast.actor("chen"), NOW), case_id=case.pk)
    return case_submit(By(cast.actor("chen"), NOW), case_id=case.pk)


def test_the_shipped_schemes_are_loaded_once(schemes: list[ReviewScheme]) -> None:
    assert [row.code for row in schemes] == [
        "cn-central",
        "cn-guangdong",
        "cn-shanghai",
        "gb-epsrc-strategic",
        "gb-ukri",
    ]
    assert schemes_load(By(PLATFORM, NOW), schemes=shipped()) == []
    changed = [row | {"experts": 3} for row in shipped() if row["code"] == "cn-shanghai"]
    (row,) = schemes_load(By(PLATFORM, NOW), schemes=changed)
    assert (row.version, row.experts) == (2, 3)


def test_a_submitted_case_has_its_evidence_frozen(cast: Cast, submitted: PurchaseCase) -> None:
    entry = TrailEntry.objects.get(action="purchase-case.submit")
    comparison = submitted.comparison
    assert entry.after["comparison"] == comparison.digest
    assert comparison.content["instruments"] == []  # the regions have not agreed on anything
    evidence = evidence_of(submitted)
    assert evidence is not None
    assert evidence.figures.grounds_for == ("none-fits", "spare-short")

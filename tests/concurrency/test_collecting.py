"""Links and receipts at the same moment, each with a connection of its own."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.domain.errors import NotFound
from accounts.domain.roles import NOBODY, By
from accounts.models import TrailEntry
from bookings.models import CollectLink, HandOff, Receipt
from bookings.results.selectors.handoffs import digest_of
from bookings.results.services.collecting import (
    delivery_begin,
    delivery_note,
    link_make,
    link_revoke,
    receipt_confirm,
)
from bookings.results.services.handoffs import hand_off_point
from bookings.results.services.retention import hold_place, results_purge, results_warn
from tests.concurrency.races import won
from tests.factories.cast import NOW, Cast, reserve
from tests.factories.results import announced, released

pytestmark = pytest.mark.concurrency
DAY = timedelta(days=1)
NOBODYS = By(NOBODY, NOW)


@pytest.fixture
def hand_off(real_cast: Cast, settings: Any, tmp_path: Any) -> HandOff:
    settings.MEDIA_ROOT = tmp_path
    return released(real_cast)


def test_of_ten_at_once_one_has_a_link_of_one_use(
    real_cast: Cast, hand_off: HandOff, race: Any, rounds: Any
) -> None:
    zhao = By(real_cast.actor("zhao"), NOW)
    for uses in [1, 3] * rounds(10):
        link = link_make(zhao, hand_off_id=hand_off.pk, label="Li", expires_at=NOW + DAY, uses=uses)

        def begin(link: CollectLink = link) -> Receipt:
            return delivery_begin(NOBODYS, hand_off=hand_off, path="", size=100, link=link)

        results = race([begin for _ in range(10)])
        assert len(won(results)) == uses
        assert {type(each) for each in results} == {Receipt, NotFound}
        link.refresh_from_db()
        assert link.uses_left == 0 and link.receipts.count() == uses
        link_revoke(zhao, link_id=link.pk)


def test_the_last_files_delivered_at_once_collect_once(real_cast: Cast, hand_off: HandOff, race: Any) -> None:
    wang = By(real_cast.actor("wang"), NOW)
    rows = [
        delivery_begin(wang, hand_off=hand_off, path=each["path"], size=each["size"])
        for each in hand_off.manifest
    ]
    race(
        [lambda row=row: delivery_note(receipt_id=row.pk, start=0, end=row.size, now=NOW) for row in rows * 3]
    )
    assert HandOff.objects.get().state == "collected"
    assert TrailEntry.objects.filter(action="handoff.collect").count() == 1
    assert TrailEntry.objects.filter(action="handoff.deliver").count() == 2


def test_a_receipt_confirmed_twice_at_once_is_one(real_cast: Cast, hand_off: HandOff, race: Any) -> None:
    kept = announced(real_cast, reserve(real_cast, "2026-03-09 10:00", "2026-03-09 12:00"))
    zhao, wang = (By(real_cast.actor(who), NOW) for who in ("zhao", "wang"))
    kept = hand_off_point(zhao, hand_off_id=kept.pk, protocol="sftp", host="data.ustc.test", path="/runs/7")
    for row in (hand_off, kept):
        digest = digest_of(row)
        race([lambda pk=row.pk, d=digest: receipt_confirm(wang, hand_off_id=pk, manifest_digest=d)] * 6)
        assert row.receipts.count() == 1
    assert TrailEntry.objects.filter(action="handoff.collect").count() == 2


def test_halves_that_end_at_once_are_everything(
    real_cast: Cast, hand_off: HandOff, race: Any, rounds: Any
) -> None:
    wang = By(real_cast.actor("wang"), NOW)
    for size in range(100, 100 + rounds(10)):
        row = delivery_begin(wang, hand_off=hand_off, path="", size=size)
        parts = [(n * size // 5, (n + 1) * size // 5) for n in (4, 2, 0, 3, 1)]
        race(
            [
                lambda a=a, b=b, row=row: delivery_note(receipt_id=row.pk, start=a, end=b, now=NOW)
                for a, b in parts
            ]
        )
        row.refresh_from_db()
        assert (row.reached, row.completed_at) == (size, NOW)
        assert TrailEntry.objects.filter(after__receipt=str(row.pk)).count() == 1


def test_what_is_held_at_the_moment_of_its_purge_is_either(
    real_cast: Cast, hand_off: HandOff, race: Any
) -> None:
    last = NOW + 400 * DAY
    results_warn(now=last)
    last = HandOff.objects.get().retain_until
    zhao = By(real_cast.actor("zhao"), last)
    race(
        [
            lambda: hold_place(zhao, hand_off_id=hand_off.pk, reason="dispute"),
            *[lambda: results_purge(now=last)] * 3,
        ]
    )
    row = HandOff.objects.get()
    assert (row.state == "purged") != (row.held_at is not None)
    assert row.files.count() == (0 if row.state == "purged" else 2)
    assert TrailEntry.objects.filter(action="handoff.purge").count() == (row.state == "purged")

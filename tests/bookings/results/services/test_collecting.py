"""Links, and receipts of what was given out."""

from datetime import timedelta

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import NOBODY, By
from accounts.models import OutboxMessage, TrailEntry
from bookings.models import CollectLink, HandOff, Receipt
from bookings.results.selectors.collecting import (
    collect_address,
    collect_token,
    delivery_of,
    link_by_token,
    link_stands,
    links_for,
)
from bookings.results.services.collecting import (
    delivery_begin,
    delivery_note,
    link_make,
    link_revoke,
    receipt_confirm,
)
from bookings.results.services.handoffs import hand_off_withdraw
from tests.factories.cast import NOW, reserve
from tests.factories.conversations import leave
from tests.factories.results import announced, released

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def hand_off(cast):
    return released(cast)


def by(cast, who, at=NOW):
    return By(cast.actor(who), at)


def link_to(cast, hand_off, who="wang", **values):
    values = {"label": "Li at Optics", "expires_at": NOW + DAY} | values
    return link_make(by(cast, who), hand_off_id=hand_off.pk, **values)


def delivered(hand_off, path="", link=None, who=None, size=10):
    """Something, given out to the end."""
    actor = who or By(NOBODY, NOW)
    row = delivery_begin(actor, hand_off=hand_off, path=path, size=size, link=link)
    delivery_note(receipt_id=row.pk, start=0, end=size, now=NOW)
    return Receipt.objects.get(pk=row.pk)


# Links


def test_a_link_is_kept_by_its_digest_alone_and_opens_what_it_was_made_for(cast, hand_off):
    link = link_to(cast, hand_off)
    token = collect_token(link.pk)
    assert token not in str(list(CollectLink.objects.values()))
    assert token not in str(list(TrailEntry.objects.values()))
    assert collect_address(link).endswith(f"/collect/{token}/")
    assert link_by_token(token, NOW) == link
    entry = TrailEntry.objects.get(action="collectlink.make")
    assert entry.after["uses"] is None and entry.after["hand_off"] == str(hand_off.pk)


@pytest.mark.parametrize("who", ["wang", "chen", "zhao"])
def test_whom_results_are_for_and_the_host_make_links(cast, hand_off, who):
    assert link_to(cast, hand_off, who).created_by == cast.people[who]


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("hu", NotFound),
        ("alice", NotFound),
        ("sun", NotFound),
        ("lin", NotPermitted),
        ("gao", NotPermitted),
        ("auditor", NotPermitted),
    ],
)
def test_nobody_else_does(cast, hand_off, who, refusal):
    with pytest.raises(refusal):
        link_to(cast, hand_off, who)
    assert not CollectLink.objects.exists()


def test_the_person_keeps_their_results_and_who_booked_for_them_leaves_them_behind(cast):
    span = "2026-03-06 14:00", "2026-03-06 16:00"
    booked = reserve(cast, *span, who="chen", organisation="fudan", on_behalf_of=cast.wang.email)
    hand_off, own = released(cast, announced(cast, booked)), released(cast)
    assert links_for(cast.actor("chen")).count() == 0
    link = link_to(cast, hand_off, "chen")
    for who in ("chen", "wang"):
        leave(cast, who)
    with pytest.raises(NotPermitted):
        link_to(cast, hand_off, "chen")
    with pytest.raises(NotFound):
        link_revoke(by(cast, "chen"), link_id=link.pk)
    for row in (hand_off, own):
        assert link_to(cast, row).created_by == cast.wang


@pytest.mark.parametrize(
    "values",
    [
        {"label": " "},
        {"expires_at": NOW},
        {"expires_at": NOW + 366 * DAY},
        {"uses": 0},
        {"uses": 1001},
    ],
)
def test_a_link_has_a_name_an_end_and_at_least_one_use(cast, hand_off, values):
    with pytest.raises(Invalid):
        link_to(cast, hand_off, **values)
    assert not CollectLink.objects.exists()


def test_there_is_no_link_to_what_is_not_released(cast):
    with pytest.raises(WrongState):
        link_to(cast, announced(cast))


def test_a_file_of_other_results_has_no_link_here(cast, hand_off):
    with pytest.raises(NotFound):
        link_to(cast, hand_off, file_id=hand_off.pk)


def test_a_link_ends_by_its_day_by_being_revoked_and_with_the_results(cast, hand_off):
    link = link_to(cast, hand_off)
    token = collect_token(link.pk)
    with pytest.raises(NotFound):
        link_by_token(token, NOW + DAY)
    with pytest.raises(NotFound):
        link_by_token(token[:-1], NOW)
    link_revoke(by(cast, "zhao"), link_id=link.pk)  # of the other side, too
    with pytest.raises(NotFound):
        link_by_token(token, NOW)
    assert not link_stands(link.pk, NOW)
    another = link_to(cast, hand_off)
    hand_off_withdraw(by(cast, "zhao"), hand_off_id=hand_off.pk, reason="wrong sample")
    with pytest.raises(NotFound):
        link_by_token(collect_token(another.pk), NOW)


@pytest.mark.parametrize("who", ["hu", "alice", "lin", "auditor"])
def test_other_peoples_links_are_nobodys_to_revoke(cast, hand_off, who):
    link = link_to(cast, hand_off)
    with pytest.raises(NotFound):
        link_revoke(by(cast, who), link_id=link.pk)
    assert link_by_token(collect_token(link.pk), NOW)


# Uses


def test_a_use_is_a_download_and_what_goes_on_is_none(cast, hand_off):
    link = link_to(cast, hand_off, uses=1)
    nobody = By(NOBODY, NOW)
    ask = {"hand_off": hand_off, "path": "", "size": 100, "link": link}
    row = delivery_begin(nobody, **ask)
    delivery_note(receipt_id=row.pk, start=0, end=40, now=NOW)
    link.refresh_from_db()
    assert (link.uses_left, link.first_used_at) == (0, NOW)
    # From its beginning, beyond what it has, or of another file: that would be another download.
    for other in ({}, {"start": 41}, {"start": 10, "path": "spectrum.csv"}):
        with pytest.raises(NotFound):
            delivery_begin(nobody, **ask | other)
    assert delivery_begin(nobody, **ask, start=40) == row
    delivery_note(receipt_id=row.pk, start=40, end=100, now=NOW)
    with pytest.raises(NotFound):  # it was delivered
        delivery_begin(nobody, **ask, start=40)
    assert Receipt.objects.count() == 1


def test_who_made_a_link_is_told_when_it_is_first_used(cast, hand_off):
    link = link_to(cast, hand_off)
    delivered(hand_off, link=link)
    link.refresh_from_db()
    delivered(hand_off, link=link, path="spectrum.csv")
    assert OutboxMessage.objects.filter(kind="results.link-used").count() == 1


# Receipts


def test_results_are_collected_once_every_file_was_delivered(cast, hand_off):
    wang = by(cast, "wang")
    delivered(hand_off, "spectrum.csv", who=wang)
    assert HandOff.objects.get().state == "released"
    row = delivered(hand_off, "图像/样品 1.tif", link=link_to(cast, hand_off))
    stored = HandOff.objects.get()
    assert (stored.state, stored.collected_at) == ("collected", NOW)
    assert (row.completed_at, row.reached, row.link.label) == (NOW, 10, "Li at Optics")
    entry = TrailEntry.objects.get(action="handoff.collect")
    assert entry.after == {"state": "collected", "manifest": hand_off.manifest_digest}
    assert TrailEntry.objects.filter(action="handoff.deliver").count() == 2


def test_the_package_is_everything(cast, hand_off):
    delivered(hand_off, who=by(cast, "chen"))
    assert HandOff.objects.get().state == "collected"


def test_what_was_only_begun_is_not_delivered(cast, hand_off):
    row = delivery_begin(by(cast, "wang"), hand_off=hand_off, path="", size=10)
    delivery_note(receipt_id=row.pk, start=0, end=9, now=NOW)
    # A part that does not join on to what was delivered proves nothing of what lies between.
    other = delivery_begin(
        by(cast, "wang"), hand_off=hand_off, path="spectrum.csv", size=4, start=2
    )
    delivery_note(receipt_id=other.pk, start=2, end=4, now=NOW)
    assert HandOff.objects.get().state == "released"
    assert not Receipt.objects.filter(completed_at__isnull=False).exists()


def test_what_a_file_server_was_handed_is_not_called_delivered(cast, hand_off):
    row = delivery_begin(
        by(cast, "wang"), hand_off=hand_off, path="", size=10, way=Receipt.Way.HANDED_OUT
    )
    assert (row.completed_at, row.get_way_display()) == (None, "handed out")
    assert HandOff.objects.get().state == "released"


def test_the_host_that_reads_its_own_files_has_not_delivered_them(cast, hand_off):
    row = delivered(hand_off, who=by(cast, "zhao"))
    assert row.completed_at and not row.is_delivery
    assert HandOff.objects.get().state == "released"


def test_the_person_confirms_what_they_have_compared(cast, hand_off):
    with pytest.raises(Invalid) as refused:
        receipt_confirm(by(cast, "wang"), hand_off_id=hand_off.pk, manifest_digest="0" * 64)
    assert refused.value.problems[0].code == "digest-differs"
    for who in ("zhao", "gao", "auditor"):
        with pytest.raises(NotPermitted):
            receipt_confirm(
                by(cast, who), hand_off_id=hand_off.pk, manifest_digest=hand_off.manifest_digest
            )
    assert not Receipt.objects.exists()
    for _ in range(2):
        receipt_confirm(
            by(cast, "wang"),
            hand_off_id=hand_off.pk,
            manifest_digest=hand_off.manifest_digest.upper(),
        )
    row = Receipt.objects.get()
    assert (row.way, row.user, row.size) == ("confirmed", cast.wang, 404)
    assert HandOff.objects.get().state == "collected"


def test_evidence_names_everything_and_stays_when_the_files_are_gone(cast, hand_off):
    delivered(hand_off, "spectrum.csv", who=by(cast, "wang"))
    hand_off_withdraw(by(cast, "zhao"), hand_off_id=hand_off.pk, reason="wrong sample")
    told = delivery_of(hand_off.reservation_id)
    assert [row.path for row in told.given] == ["spectrum.csv"]
    assert told.state == "withdrawn" and len(told.manifest) == 2

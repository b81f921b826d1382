"""Links, and receipts of what was given out."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import NOBODY, PLATFORM, By
from accounts.models import Message, Organisation, OutboxMessage, RoleGrant, TrailEntry
from accounts.services.memberships import membership_start, role_grant
from bookings.models import CollectLink, HandOff, Receipt
from bookings.overview.services.effects import effects_carry_out
from bookings.results.domain.handoffs import pointer_digest
from bookings.results.selectors import collecting
from bookings.results.selectors.handoffs import collects, digest_of, hands_over
from bookings.results.services import collecting as collecting_services
from bookings.results.services.handoffs import hand_off_point, hand_off_withdraw
from tests.factories.cast import NOW, reserve
from tests.factories.conversations import leave
from tests.factories.results import announced, released

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hand_off")]
DAY = timedelta(days=1)
SIDE = "is_delivery", "is_of_host"
PEOPLE = ("wang", "chen", "zhao", "sun", "hu", "lin", "gao", "xu", "auditor", "admin", "alice")


def by(cast, who, at=NOW):
    return By(cast.actor(who), at)


def link_to(cast, hand_off, who="wang", **values):
    values = {"label": "Li at Optics", "expires_at": NOW + DAY} | values
    return collecting_services.link_make(by(cast, who), hand_off_id=hand_off.pk, **values)


def delivered(hand_off, path="", link=None, who=None, size=10):
    """Something, given out to the end."""
    actor = who or By(NOBODY, NOW)
    row = collecting_services.delivery_begin(actor, hand_off=hand_off, path=path, size=size, link=link)
    collecting_services.delivery_note(receipt_id=row.pk, start=0, end=size, now=NOW)
    return Receipt.objects.get(pk=row.pk)


# Links


def test_a_link_is_kept_by_its_digest_alone_and_opens_what_it_was_made_for(cast, hand_off):
    link = link_to(cast, hand_off)
    token = collecting.collect_token(link.pk)
    assert token not in str(list(CollectLink.objects.values()))
    assert token not in str(list(TrailEntry.objects.values()))
    assert collecting.collect_address(link).endswith(f"/collect/{token}/")
    assert collecting.link_by_token(token, NOW) == link
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


def test_the_person_keeps_their_results_and_who_booked_for_them_leaves_them_behind(cast, hand_off):
    span = "2026-03-06 14:00", "2026-03-06 16:00"
    booked = reserve(cast, *span, who="chen", organisation="fudan", on_behalf_of=cast.wang.email)
    hand_off, own = released(cast, announced(cast, booked)), hand_off
    assert collecting.links_for(cast.actor("chen")).count() == 0
    link = link_to(cast, hand_off, "chen")
    for who in ("chen", "wang"):
        leave(cast, who)
    with pytest.raises(NotPermitted):
        link_to(cast, hand_off, "chen")
    with pytest.raises(NotFound):
        collecting_services.link_revoke(by(cast, "chen"), link_id=link.pk)
    for row in (hand_off, own):
        assert link_to(cast, row).created_by == cast.wang


@pytest.mark.parametrize(
    "values",
    [{"label": " "}, {"expires_at": NOW}, {"expires_at": NOW + 366 * DAY}, {"uses": 0}, {"uses": 1001}],
)
def test_a_link_has_a_name_an_end_and_at_least_one_use(cast, hand_off, values):
    with pytest.raises(Invalid):
        link_to(cast, hand_off, **values)
    assert not CollectLink.objects.exists()


def test_there_is_no_link_to_what_is_not_released(cast):
    with pytest.raises(WrongState):
        link_to(cast, announced(cast, reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")))


def test_a_file_of_other_results_has_no_link_here(cast, hand_off):
    with pytest.raises(NotFound):
        link_to(cast, hand_off, file_id=hand_off.pk)


def test_a_link_ends_by_its_day_by_being_revoked_and_with_the_results(cast, hand_off):
    link = link_to(cast, hand_off)
    token = collecting.collect_token(link.pk)
    with pytest.raises(NotFound):
        collecting.link_by_token(token, NOW + DAY)
    with pytest.raises(NotFound):
        collecting.link_by_token(token[:-1], NOW)
    collecting_services.link_revoke(by(cast, "zhao"), link_id=link.pk)  # of the other side, too
    with pytest.raises(NotFound):
        collecting.link_by_token(token, NOW)
    assert not collecting.link_stands(link.pk, NOW)
    another = link_to(cast, hand_off)
    hand_off_withdraw(by(cast, "zhao"), hand_off_id=hand_off.pk, reason="wrong sample")
    with pytest.raises(NotFound):
        collecting.link_by_token(collecting.collect_token(another.pk), NOW)


@pytest.mark.parametrize("who", ["hu", "alice", "lin", "auditor"])
def test_other_peoples_links_are_nobodys_to_revoke(cast, hand_off, who):
    link = link_to(cast, hand_off)
    with pytest.raises(NotFound):
        collecting_services.link_revoke(by(cast, who), link_id=link.pk)
    assert collecting.link_by_token(collecting.collect_token(link.pk), NOW)


# Uses


def test_a_use_is_a_download_and_what_goes_on_is_none(cast, hand_off):
    link = link_to(cast, hand_off, uses=1)
    nobody = By(NOBODY, NOW)
    ask = {"hand_off": hand_off, "path": "", "size": 100, "link": link}
    row = collecting_services.delivery_begin(nobody, **ask)
    collecting_services.delivery_note(receipt_id=row.pk, start=0, end=40, now=NOW)
    link.refresh_from_db()
    assert (link.uses_left, link.first_used_at) == (0, NOW)
    # From its beginning, or of another file: that would be another download.
    for other in ({}, {"start": 10, "path": "spectrum.csv"}):
        with pytest.raises(NotFound):
            collecting_services.delivery_begin(nobody, **ask | other)
    assert collecting_services.delivery_begin(nobody, **ask, start=40) == row
    collecting_services.delivery_note(receipt_id=row.pk, start=40, end=100, now=NOW)
    with pytest.raises(NotFound):  # it was delivered
        collecting_services.delivery_begin(nobody, **ask, start=40)
    assert Receipt.objects.count() == 1


def test_who_made_a_link_is_told_when_it_is_first_used(cast, hand_off):
    link = link_to(cast, hand_off)
    delivered(hand_off, link=link)
    link.refresh_from_db()
    delivered(hand_off, link=link, path="spectrum.csv")
    assert OutboxMessage.objects.filter(kind="results.link-used").count() == 1


# Receipts


def test_what_the_host_collects_by_its_own_link_is_no_delivery(cast, hand_off):
    link = link_to(cast, hand_off, "zhao", label="Wang Li")
    row = delivered(hand_off, link=link)
    assert row.completed_at and (row.is_delivery, row.is_of_host) == (False, True)
    stored = HandOff.objects.get()
    assert (stored.state, stored.collected_at) == ("released", None)
    assert not TrailEntry.objects.filter(action="handoff.collect").exists()
    assert TrailEntry.objects.get(action="handoff.deliver").after["is_delivery"] is False
    (told,) = collecting.delivery_of(hand_off.reservation_id).given
    assert (told.is_delivery, told.link.created_by) == (False, cast.zhao)


@pytest.mark.parametrize("who", ["wang", "chen"])
def test_a_link_of_a_recipient_delivers(cast, hand_off, who):
    row = delivered(hand_off, link=link_to(cast, hand_off, who))
    assert (row.is_delivery, row.is_of_host) == (True, False)
    assert HandOff.objects.get().state == "collected"


def test_a_manager_of_the_host_who_made_the_booking_for_somebody_delivers_nothing(cast):
    span = "2026-03-06 14:00", "2026-03-06 16:00"
    booked = reserve(cast, *span, who="zhao", organisation="ustc", on_behalf_of=cast.sun.email)
    hand_off = released(cast, announced(cast, booked))
    row = delivered(hand_off, who=by(cast, "zhao"))
    assert (row.is_delivery, row.is_of_host) == (False, True)
    linked = delivered(hand_off, link=link_to(cast, hand_off, "zhao", label="Sun Tao"))
    assert not linked.is_delivery
    with pytest.raises(NotPermitted):
        collecting_services.receipt_confirm(
            by(cast, "zhao"), hand_off_id=hand_off.pk, manifest_digest=hand_off.manifest_digest
        )
    assert HandOff.objects.get(pk=hand_off.pk).state == "released"
    assert delivered(hand_off, who=by(cast, "sun")).is_delivery
    assert HandOff.objects.get(pk=hand_off.pk).state == "collected"


def test_the_persons_own_delivery_says_that_they_manage_the_host(cast, hand_off):
    membership_start(By(PLATFORM, NOW), user=cast.wang, organisation=cast.ustc)
    role_grant(By(PLATFORM, NOW), user=cast.wang, role="manager", organisation=cast.ustc)
    row = delivered(hand_off, who=by(cast, "wang"))
    assert (row.is_delivery, row.is_of_host) == (True, True)
    # Who acts for the payer and the host proves nothing to themselves.
    membership_start(By(PLATFORM, NOW), user=cast.chen, organisation=cast.ustc)
    role_grant(By(PLATFORM, NOW), user=cast.chen, role="manager", organisation=cast.ustc)
    row = delivered(hand_off, "spectrum.csv", who=by(cast, "chen"))
    assert (row.is_delivery, row.is_of_host) == (False, True)


def test_what_was_begun_on_one_side_is_not_ended_on_another(cast, hand_off):
    """Chen begins as the payer's manager and goes on as the host's, signed in and by a link."""
    ask = {"hand_off": hand_off, "path": "", "size": 100}
    for link in (None, link_to(cast, hand_off, "chen")):
        actor = By(NOBODY, NOW) if link else by(cast, "chen")
        row = collecting_services.delivery_begin(actor, **ask, link=link)
        collecting_services.delivery_note(receipt_id=row.pk, start=0, end=60, now=NOW)
    membership_start(By(PLATFORM, NOW), user=cast.chen, organisation=cast.ustc)
    role_grant(By(PLATFORM, NOW), user=cast.chen, role="manager", organisation=cast.ustc)
    for link in (None, CollectLink.objects.get()):
        actor = By(NOBODY, NOW) if link else by(cast, "chen")
        row = collecting_services.delivery_begin(actor, **ask, link=link, start=60, length=40)
        collecting_services.delivery_note(receipt_id=row.pk, start=60, end=100, now=NOW)
    assert not Receipt.objects.filter(completed_at__isnull=False).exists()
    assert Receipt.objects.filter(is_delivery=False, is_of_host=True, reached=40).count() == 2
    assert HandOff.objects.get().state == "released"


def test_an_address_is_shown_to_the_side_that_made_it(cast, hand_off):
    ours, theirs = (link_to(cast, hand_off, who) for who in ("wang", "zhao"))
    for who, mine in (("wang", ours), ("chen", ours), ("zhao", theirs)):
        rows = collecting.links_for(cast.actor(who))
        assert {row for row in rows if row.is_shown} == {mine} and len(rows) == 2
        shown = collecting.load_collecting(cast.actor(who), hand_off, NOW)["links"]
        assert {link for link, address in shown if address} == {mine} and len(shown) == 2


@pytest.mark.parametrize(
    "order", [[(999, 1000), (0, 999)], [(400, 1000), (0, 500)], [(0, 1), (2, 1000), (1, 2)]]
)
@pytest.mark.parametrize("uses", [None, 1])
def test_a_delivery_is_complete_in_whatever_order_it_was_taken(cast, hand_off, order, uses):
    link = link_to(cast, hand_off, uses=uses)
    for start, end in order:
        assert HandOff.objects.get().state == "released"
        row = collecting_services.delivery_begin(
            By(NOBODY, NOW), hand_off=hand_off, path="", size=1000, start=start, length=end - start, link=link
        )
        collecting_services.delivery_note(receipt_id=row.pk, start=start, end=end, now=NOW)
    row = Receipt.objects.get()
    assert (row.reached, row.completed_at, row.parts) == (1000, NOW, [[0, 1000]])
    assert HandOff.objects.get().state == "collected"


def test_what_two_downloads_of_a_counted_link_took_in_parts_is_everything(cast, hand_off):
    link = link_to(cast, hand_off, uses=2)
    ask = {"hand_off": hand_off, "path": "", "size": 1000, "link": link}
    first, second = (collecting_services.delivery_begin(By(NOBODY, NOW), **ask) for _ in range(2))
    assert first != second
    collecting_services.delivery_note(receipt_id=first.pk, start=0, end=999, now=NOW)
    collecting_services.delivery_note(receipt_id=second.pk, start=999, end=1000, now=NOW)
    assert HandOff.objects.get().state == "collected"
    assert Receipt.objects.filter(completed_at=NOW).count() == 1


def test_what_recipients_took_in_parts_by_several_ways_is_collected(cast, hand_off):
    ways = [{"link": link_to(cast, hand_off)}, {"link": link_to(cast, hand_off, "chen")}, {}]
    parts = [(500, 800), (800, 1000), (0, 500)]
    for way, (start, end) in zip(ways, parts, strict=True):
        actor = By(NOBODY, NOW) if way else by(cast, "wang")
        row = collecting_services.delivery_begin(
            actor, hand_off=hand_off, path="", size=1000, start=start, **way
        )
        collecting_services.delivery_note(receipt_id=row.pk, start=start, end=end, now=NOW)
    # None of them has it all, and all together have.
    assert not Receipt.objects.filter(completed_at__isnull=False).exists()
    assert sorted(Receipt.objects.values_list("reached", flat=True)) == [200, 300, 500]
    assert HandOff.objects.get().state == "collected"
    # What the host took fills no gap.
    other = released(cast, announced(cast, reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")))
    for who, (start, end) in (("wang", (0, 999)), ("zhao", (999, 1000))):
        row = collecting_services.delivery_begin(
            by(cast, who), hand_off=other, path="", size=1000, start=start
        )
        collecting_services.delivery_note(receipt_id=row.pk, start=start, end=end, now=NOW)
    assert HandOff.objects.get(pk=other.pk).state == "released"


def test_what_a_reader_takes_over_days_is_one_delivery(cast, hand_off):
    for day in range(4):
        now = NOW + 2 * day * DAY
        row = collecting_services.delivery_begin(
            by(cast, "wang", now), hand_off=hand_off, path="", size=40, start=10 * day
        )
        collecting_services.delivery_note(receipt_id=row.pk, start=10 * day, end=10 * day + 10, now=now)
    assert (row.started_at, Receipt.objects.get().completed_at) == (NOW, NOW + 6 * DAY)


def test_the_same_again_and_again_makes_no_rows(cast, hand_off):
    wang = by(cast, "wang")
    for _ in range(5):
        row = collecting_services.delivery_begin(wang, hand_off=hand_off, path="", size=40, start=3)
        collecting_services.delivery_note(receipt_id=row.pk, start=3, end=4, now=NOW)
        delivered(hand_off, "spectrum.csv", who=wang)
    assert Receipt.objects.count() == 2
    assert TrailEntry.objects.filter(action="handoff.deliver").count() == 1


# Makers who leave


def test_a_link_is_as_good_as_its_makers_right(cast, hand_off):
    ours, theirs, own = (link_to(cast, hand_off, who) for who in ("chen", "zhao", "wang"))
    membership_start(By(PLATFORM, NOW), user=cast.sun, organisation=cast.ustc)
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="manager", organisation=cast.ustc)
    for who in ("chen", "zhao", "wang"):
        leave(cast, who)
    for link in (ours, theirs):
        with pytest.raises(NotFound):
            collecting.link_by_token(collecting.collect_token(link.pk), NOW)
        assert not collecting.link_stands(link.pk, NOW)
    # The person keeps their results, wherever they work by now.
    assert collecting.link_stands(own.pk, NOW)
    shown = collecting.load_collecting(cast.actor("wang"), hand_off, NOW)["links"]
    assert [link.stands for link, _ in shown] == [True, False, False]
    assert collecting_services.links_end(now=NOW) == 2 and collecting_services.links_end(now=NOW) == 0
    assert CollectLink.objects.filter(revoked_at=NOW).count() == 2
    assert TrailEntry.objects.filter(action="collectlink.end").count() == 2
    told = OutboxMessage.objects.filter(kind="results.link-ended")
    assert {row.payload["link"] for row in told} == {str(ours.pk), str(theirs.pk)}
    effects_carry_out(now=NOW)
    read = Message.objects.filter(kind="results.link-ended").values_list("user__name", flat=True)
    # Their makers, and who goes on: the booking's person, and the host's managers.
    assert sorted(read) == ["Chen Jing", "Gao Lei", "Sun Tao", "Wang Li", "Zhao Min"]
    # It stays ended where they come back.
    membership_start(By(PLATFORM, NOW), user=cast.chen, organisation=cast.fudan)
    role_grant(By(PLATFORM, NOW), user=cast.chen, role="manager", organisation=cast.fudan)
    assert not collecting.link_stands(ours.pk, NOW)


def test_a_role_that_ends_ends_the_link_with_it(cast, hand_off):
    link = link_to(cast, hand_off, "chen")
    grant = RoleGrant.objects.get(user=cast.chen, role="manager")
    RoleGrant.objects.filter(pk=grant.pk).update(revoked_at=NOW)
    assert not collecting.link_stands(link.pk, NOW)


@pytest.mark.parametrize("who", list(PEOPLE))
def test_a_links_standing_says_what_its_makers_actor_may(cast, hand_off, who):
    """The condition in SQL is the one that pages ask of an actor."""
    span = "2026-03-09 10:00", "2026-03-09 12:00"
    booked = reserve(cast, *span, who="chen", organisation="fudan", on_behalf_of=cast.wang.email)
    rows = [hand_off, released(cast, announced(cast, booked))]
    links = [link_to(cast, row) for row in rows]
    CollectLink.objects.update(created_by=cast.people[who])
    for leaves in (False, True):
        if leaves and who in {"wang", "chen", "zhao"}:
            leave(cast, who)
        actor = cast.actor(who)
        for row, link in zip(rows, links, strict=True):
            assert collecting.link_stands(link.pk, NOW) == (collects(actor, row) or hands_over(actor, row))


def test_links_and_receipts_of_before_get_their_side(cast, hand_off):
    span = "2026-03-09 14:00", "2026-03-09 16:00"
    booked = reserve(cast, *span, who="zhao", organisation="ustc", on_behalf_of=cast.sun.email)
    other = released(cast, announced(cast, booked))
    for row, who in (
        (hand_off, "wang"), (hand_off, "chen"), (hand_off, "zhao"), (other, "zhao"), (other, "sun"),
    ):  # fmt: skip
        delivered(row, link=link_to(cast, row, who))
        delivered(row, "spectrum.csv", who=by(cast, who))
    # Who manages the host only since then was none of it.
    membership_start(By(PLATFORM, NOW), user=cast.chen, organisation=cast.ustc)
    later = By(PLATFORM, NOW + DAY)
    role_grant(later, user=cast.chen, role="manager", organisation=cast.ustc)

    def flags():
        rows = (model.objects.order_by("pk") for model in (CollectLink, Receipt))
        return [list(each.values_list("pk", *SIDE)) for each in rows]

    expected = flags()
    CollectLink.objects.update(is_delivery=False, is_of_host=False)
    Receipt.objects.update(is_delivery=True, is_of_host=False)
    filled = import_module("bookings.migrations.0042_links_of_hosts_filled")
    with connection.cursor() as cursor:
        cursor.execute(filled.LINKS)
        cursor.execute(filled.RECEIPTS)
    assert flags() == expected
    assert {delivers for _, delivers, _ in expected[0]} == {True, False}


def test_managers_of_what_absorbed_the_host_or_the_payer_keep_their_links(cast, hand_off):
    link = link_to(cast, hand_off, "zhao")
    for organisation in (cast.ustc, cast.fudan):
        grants = RoleGrant.objects.filter(user=cast.zhao, role="manager")
        grants.update(organisation=cast.optics)
        assert not collecting.link_stands(link.pk, NOW)
        Organisation.objects.filter(pk=cast.optics.pk).update(absorbed=[organisation.pk])
        assert collecting.link_stands(link.pk, NOW)
        Organisation.objects.filter(pk=cast.optics.pk).update(absorbed=[])


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
    row = collecting_services.delivery_begin(by(cast, "wang"), hand_off=hand_off, path="", size=10)
    collecting_services.delivery_note(receipt_id=row.pk, start=0, end=9, now=NOW)
    # A part that does not join on to what was delivered proves nothing of what lies between.
    other = collecting_services.delivery_begin(
        by(cast, "wang"), hand_off=hand_off, path="spectrum.csv", size=4, start=2
    )
    collecting_services.delivery_note(receipt_id=other.pk, start=2, end=4, now=NOW)
    assert HandOff.objects.get().state == "released"
    assert not Receipt.objects.filter(completed_at__isnull=False).exists()


def test_what_a_file_server_was_handed_is_not_called_delivered(cast, hand_off):
    row = collecting_services.delivery_begin(
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
        collecting_services.receipt_confirm(
            by(cast, "wang"), hand_off_id=hand_off.pk, manifest_digest="0" * 64
        )
    assert refused.value.problems[0].code == "digest-differs"
    for who in ("zhao", "gao", "auditor"):
        with pytest.raises(NotPermitted):
            collecting_services.receipt_confirm(
                by(cast, who), hand_off_id=hand_off.pk, manifest_digest=hand_off.manifest_digest
            )
    assert not Receipt.objects.exists()
    for _ in range(2):
        collecting_services.receipt_confirm(
            by(cast, "wang"), hand_off_id=hand_off.pk, manifest_digest=hand_off.manifest_digest.upper()
        )
    row = Receipt.objects.get()
    assert (row.way, row.user, row.size) == ("confirmed", cast.wang, 404)
    assert HandOff.objects.get().state == "collected"


def test_evidence_names_everything_and_stays_when_the_files_are_gone(cast, hand_off):
    delivered(hand_off, "spectrum.csv", who=by(cast, "wang"))
    hand_off_withdraw(by(cast, "zhao"), hand_off_id=hand_off.pk, reason="wrong sample")
    told = collecting.delivery_of(hand_off.reservation_id)
    assert [row.path for row in told.given] == ["spectrum.csv"]
    assert told.state == "withdrawn" and len(told.manifest) == 2


def test_what_stays_at_the_host_is_confirmed_by_where_it_is(cast, hand_off):
    booked = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    kept = announced(cast, booked)
    where = {"protocol": "sftp", "host": "data.ustc.test", "path": "/runs/7"}
    where["checksums"] = "0" * 64 + "  a.h5"
    kept = hand_off_point(by(cast, "zhao"), hand_off_id=kept.pk, **where)
    digest = digest_of(kept)
    assert digest == pointer_digest(**where) and digest != pointer_digest(**where | {"path": "/runs/8"})
    for who in ("zhao", "gao", "auditor"):
        with pytest.raises(NotPermitted):
            collecting_services.receipt_confirm(by(cast, who), hand_off_id=kept.pk, manifest_digest=digest)
    for other in ("", hand_off.manifest_digest):
        with pytest.raises(Invalid):
            collecting_services.receipt_confirm(by(cast, "wang"), hand_off_id=kept.pk, manifest_digest=other)
    assert not Receipt.objects.filter(hand_off=kept).exists()
    for _ in range(2):
        collecting_services.receipt_confirm(by(cast, "wang"), hand_off_id=kept.pk, manifest_digest=digest)
    row = Receipt.objects.get(hand_off=kept)
    assert (row.way, row.manifest_digest) == ("confirmed", digest)
    kept.refresh_from_db()
    assert (kept.state, kept.collected_at) == ("pointed", NOW)
    assert TrailEntry.objects.get(action="handoff.collect").after == {"state": "pointed", "manifest": digest}
    hand_off_withdraw(by(cast, "zhao"), hand_off_id=kept.pk, reason="wrong run")
    with pytest.raises(WrongState):
        collecting_services.receipt_confirm(by(cast, "wang"), hand_off_id=kept.pk, manifest_digest=digest)

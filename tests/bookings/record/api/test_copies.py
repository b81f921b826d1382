"""Lists that programs copy: what counts as a change, in which order, and whose rows are told of."""

import pytest

from accounts.domain.roles import By
from bookings.board.services.bids import bid_withdraw
from bookings.board.services.enquiries import bid_decline
from bookings.models import SampleItem
from bookings.needs.services.needs import need_share, need_unshare, need_withdraw
from bookings.results.services.handoffs import hand_off_seal
from bookings.settlement.services.settlements import settlement_confirm
from tests.factories.board import bid_of, enquiry_of
from tests.factories.cast import NOW, reserve
from tests.factories.needs import need_of
from tests.factories.results import announced, uploaded
from tests.factories.samples import announce, join, step
from tests.factories.things import money_things

pytestmark = pytest.mark.django_db
LISTS = ("samples/", "needs/", "enquiries/", "results/")
LONG_AGO = "2000-01-01T00:00:00Z"


@pytest.fixture
def cast(shared_cast):
    return shared_cast


class Changed:
    """What a list tells of its changes since it was asked last."""

    def __init__(self, program, path):
        self.program, self.path, self.seen = program, path, {}

    def __call__(self):
        since = max((row["modified"] for row in self.seen.values()), default=LONG_AGO)
        answer = self.program.get(f"{self.path}?updated_since={since}")
        assert answer.status == 200
        rows = answer.body["results"]
        assert [row["modified"] for row in rows] == sorted(row["modified"] for row in rows)
        new = [row for row in rows if self.seen.get(row["id"], {}).get("modified") != row["modified"]]
        self.seen |= {row["id"]: row for row in rows}
        return [row["id"] for row in new]


def test_each_act_on_a_sample_counts(cast, program):
    own, host = Changed(program("wang"), "samples/"), Changed(program("zhao"), "samples/")
    booking, sample, other = (
        reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00"),
        announce(cast),
        announce(cast),
    )
    one = str(sample.pk)
    assert own() == [one, str(other.pk)] and host() == []
    join(cast, booking, sample)
    assert own() == host() == [one]
    step(cast, "wang", "shipped", sample)
    assert own() == host() == [one]
    assert own() == host() == []
    program("wang").patch(f"samples/{one}/", {"reference": "L-1"})
    assert own() == host() == [one]
    assert host.seen[one]["reference"] is None


def test_each_act_on_a_need_counts_naming_a_reader_too(cast, program):
    need, by, sun = need_of(cast), By(cast.actor("wang"), NOW), str(cast.people["sun"].pk)
    own, reader = Changed(program("wang"), "needs/"), Changed(program("sun"), "needs/")
    one = str(need.pk)
    assert own() == [one] and reader() == []
    need_share(by, need_id=need.pk, person=sun)
    assert own() == reader() == [one]
    need_share(by, need_id=need.pk, person="somebody@lab.example")
    assert own() == reader() == [one]
    need_unshare(by, need_id=need.pk, person=sun)
    assert own() == [one] and reader() == []
    need_withdraw(by, need_id=need.pk)
    assert own() == [one]


def test_an_act_on_a_bid_counts_for_its_enquiry(cast, program):
    enquiry = enquiry_of(cast)
    own, one = Changed(program("hu"), "enquiries/"), str(enquiry.pk)
    assert own() == [one]
    bid = bid_of(cast, enquiry)
    assert own() == [one] and len(own.seen[one]["bids"]) == 1
    bid_withdraw(By(cast.actor("zhao"), NOW), bid_id=bid.pk)
    assert own() == [one]
    second = bid_of(cast, enquiry)
    assert own() == [one]
    bid_decline(By(cast.actor("hu"), NOW), bid_id=second.pk)
    assert own() == [one]
    assert {each["state"] for each in own.seen[one]["bids"]} == {"withdrawn", "declined"}


def test_results_count_when_they_are_sealed(cast, program):
    hand_off = announced(cast)
    own, one = Changed(program("wang"), "results/"), str(hand_off.pk)
    assert own() == [one]
    uploaded(cast, hand_off)
    own()
    uploaded(cast, hand_off, "second.csv")
    hand_off_seal(By(cast.actor("zhao"), NOW), hand_off_id=hand_off.pk)
    assert own() == [one]
    assert own.seen[one]["files"] == 2


def test_regions_follow_their_settlements(cast, program):
    """Nobody else has them, and no webhook reports them: a region is no organisation."""
    settled = money_things(cast)["settlement"]
    region = Changed(program("xu"), "settlements/")
    assert settled in region()
    settlement_confirm(By(cast.actor("coordinator"), NOW), settlement_id=settled)
    assert region() == [settled]
    assert region.seen[settled]["first"]["confirmed_at"] and region() == []
    for who in ("zhao", "gao", "wang"):
        assert Changed(program(who), "settlements/")() == []


def test_nobody_is_told_of_the_rows_of_others(cast, program):
    announce(cast), need_of(cast), announced(cast)
    enquiry_of(cast, confidential := "hu")
    for path in LISTS:
        for who in ("alice", "xu"):
            assert Changed(program(who), path)() == [], (path, who)
    assert Changed(program("zhao"), "needs/")() == Changed(program("zhao"), "enquiries/")() == []
    assert Changed(program("wang"), "enquiries/")() == []
    assert len(Changed(program(confidential), "enquiries/")()) == 1


BAD = (
    "yesterday",
    "2026-03-05",
    "2026-03-05T04:00:00",
    "2026-03-05T04:00:00Z%00",
    "-1",
    "9999-12-31T23:59:59Z",
)


@pytest.mark.parametrize("path", [*LISTS, "deletions/"])
def test_a_moment_that_is_none_is_refused(cast, program, path):
    wang = program("wang")
    for text in BAD:
        assert wang.get(f"{path}?updated_since={text}").status == 400, text
    twice = wang.get(f"{path}?updated_since={LONG_AGO}&updated_since=x")
    assert twice.status == 400
    assert wang.get(f"{path}?updated_since=2099-01-01T00:00:00%2B08:00").body["results"] == []


@pytest.mark.parametrize("path", LISTS[:3])
def test_changes_have_no_other_order(cast, program, path):
    answer = program("wang").get(f"{path}?updated_since={LONG_AGO}&sort=state")
    assert answer.status == 400


def test_rows_keep_their_page_while_they_change(cast, program):
    for _ in range(5):
        announce(cast)
    wang = program("wang")
    first = wang.get(f"samples/?updated_since={LONG_AGO}&limit=2").body
    SampleItem.objects.filter(pk=first["results"][0]["id"]).update(name="Changed")
    found, following = [row["id"] for row in first["results"]], first["next"]
    while following:
        page = wang.get(following).body
        found += [row["id"] for row in page["results"]]
        following = page["next"]
    assert found.count(first["results"][0]["id"]) == 2 and len(set(found)) == 5

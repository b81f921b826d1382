"""Questions about a bid: the host answers, and does not learn who enquires before the bid is accepted."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from accounts.models import Message, TrailEntry
from bookings.board.services.enquiries import enquiry_accept
from bookings.conversation.models import Comment, Thread
from bookings.conversation.selectors.threads import conversation_by_id, threads_waiting
from bookings.conversation.services.comments import comment_withdraw, thread_reopen, thread_resolve
from bookings.overview.services.effects import effects_carry_out
from tests.accounts.pages import page_of
from tests.factories.api import clock, program  # noqa: F401
from tests.factories.board import FIRST, bid_of, enquiry_of
from tests.factories.cast import NOW
from tests.factories.conversations import say

pytestmark = pytest.mark.django_db
SECRET = ("Hu Bo", "hu@optics", "Hefei Optics", "合肥光学")


@pytest.fixture
def bid(cast, clock):  # noqa: F811
    return bid_of(cast, enquiry_of(cast), starts=[FIRST])


def waits(cast, *names):
    return [threads_waiting(cast.actor(name)).count() for name in names]


def test_who_enquires_asks_and_the_host_answers(cast, bid):
    assert say(cast, bid, "hu").side == "requester"
    assert waits(cast, "zhao", "hu", "chen") == [1, 0, 0]
    assert say(cast, bid, "zhao", "It is.").side == "host"
    assert waits(cast, "zhao", "hu") == [0, 1]
    for who in ("wang", "sun", "chen", "auditor"):
        with pytest.raises(NotFound):
            say(cast, bid, who)
        with pytest.raises(NotFound):
            conversation_by_id(cast.actor(who), "bid", bid.pk, NOW)
    assert Comment.objects.count() == 2


def test_nothing_that_the_host_reads_says_who_asks_before_the_award(cast, client, bid, program):  # noqa: F811
    comment = say(cast, bid, "hu")
    by = By(cast.actor("hu"), NOW)
    thread_resolve(by, kind="bid", subject_id=bid.pk)
    thread_reopen(by, kind="bid", subject_id=bid.pk)
    comment_withdraw(by, comment_id=say(cast, bid, "hu", "A slip.").pk)
    effects_carry_out(now=NOW + timedelta(minutes=5))

    def said():
        client.force_login(cast.zhao)
        pages = [
            reverse("bookings:bid", args=[bid.pk]),
            reverse("bookings:conversation", args=["bid", bid.pk]),
            reverse("bookings:conversations"),
            "/messages/",
            f"/api/v1/bids/{bid.pk}/conversation/",
        ]
        answers = [client.get(page) for page in pages]
        assert [answer.status_code for answer in answers[:5]] == [200] * 5
        told = Message.objects.filter(topic="conversation", user=cast.zhao)
        assert told
        return [answer.content.decode() for answer in answers] + [f"{m.subject} {m.text}" for m in told]

    texts = said()
    assert "Is the holder there?" in texts[0] and "The enquirer" in texts[0]
    assert not [word for text in texts for word in SECRET if word in text]
    entries = TrailEntry.objects.filter(action__startswith="conversation.")
    assert entries.count() == 5 and not entries.exclude(actor_id=None).exists()
    # With the award they learn who it was.
    enquiry_accept(by, enquiry_id=bid.enquiry_id, slot_id=bid.slots.get().pk)
    assert "Hu Bo" in said()[0]
    assert comment.thread.bid_id == bid.pk


def test_an_open_enquiry_names_the_payer_alone(cast, client, bid):
    bid.enquiry.is_confidential = False
    bid.enquiry.save()
    say(cast, bid, "hu")
    client.force_login(cast.zhao)
    html = page_of(client.get(reverse("bookings:bid", args=[bid.pk])))
    assert "<strong>Hefei Optics</strong>" in html and "Hu Bo" not in html


def test_who_enquires_reads_both_names(cast, client, bid):
    say(cast, bid, "hu")
    say(cast, bid, "zhao", "It is.")
    client.force_login(cast.hu)
    html = page_of(client.get(reverse("bookings:bid", args=[bid.pk])))
    assert "<strong>Hu Bo</strong>" in html and f"<strong>{cast.zhao.name}</strong>" in html
    assert Thread.objects.get().bid_id == bid.pk


def test_the_letter_is_in_the_readers_language(cast, bid):
    cast.zhao.language = "zh-hans"
    cast.zhao.save()
    say(cast, bid, "hu")
    effects_carry_out(now=NOW + timedelta(minutes=5))
    told = Message.objects.get(topic="conversation", user=cast.zhao)
    assert "The enquirer" not in told.subject + told.text

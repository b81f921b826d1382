"""Conversations through the API; every answer is held against the description."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from bookings.conversation.models import Comment, CommentFile
from tests.factories.api import BASE, clock, program  # noqa: F401
from tests.factories.attachments import PDF
from tests.factories.cast import at, reserve
from tests.factories.conversations import propose, say
from tests.factories.needs import need_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture(autouse=True)
def _uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def booked(cast):
    return reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")


def test_asked_answered_and_resolved(cast, booked, program):  # noqa: F811
    here = f"reservations/{booked.pk}/conversation/"
    wang, zhao = program("wang"), program("zhao")
    assert wang.get(here).body == {
        "side": "requester", "waits_for": "", "resolved_at": None, "unread": 0, "version": 0,
        "comments": [],
    }  # fmt: skip
    asked = wang.post(here, {"text": "Is it there?"})
    assert (asked.status, asked.body["waits_for"]) == (201, "host")
    answer = zhao.get(here).body
    (comment,) = answer["comments"]
    assert (answer["side"], answer["unread"], comment["is_unread"]) == ("host", 1, True)
    assert (comment["author"]["name"], comment["text"]) == ("Wang Li", "Is it there?")
    answered = zhao.post(here, {"text": "Yes.", "resolves": True})
    assert (answered.body["waits_for"], answered.body["resolved_at"] is None) == ("", False)
    assert wang.post(here + "reopen/").body["waits_for"] == "host"
    assert wang.post(here + "resolve/").body["waits_for"] == ""
    withdrawn = wang.post(f"comments/{comment['id']}/withdraw/").body
    assert (withdrawn["comments"][0]["text"], withdrawn["comments"][0]["files"]) == ("", [])


def test_the_same_key_writes_once(cast, booked, program):  # noqa: F811
    here = f"reservations/{booked.pk}/conversation/"
    wang = program("wang")
    for _ in range(2):
        assert wang.post(here, {"text": "Once"}, Idempotency_Key="k1").status == 201
    assert Comment.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, ("text", "required")),
        ({"text": ""}, ("text", "required")),
        ({"text": 5}, ("text", "not-a-text")),
        ({"text": "x" * 4001}, ("text", "too-long")),
        ({"text": "x", "resolves": "yes"}, ("resolves", None)),
        ({"text": "x", "side": "host"}, ("side", "unknown-field")),
    ],
)
def test_malformed(cast, booked, program, body, problem):  # noqa: F811
    answer = program("wang").post(f"reservations/{booked.pk}/conversation/", body)
    ((field, code),) = answer.problems
    assert (field, problem[1] and code) == problem
    assert not Comment.objects.exists()


def test_a_file_is_sent_and_fetched(cast, booked, client, program):  # noqa: F811
    here = f"reservations/{booked.pk}/conversation/"
    wang, zhao, sun = program("wang"), program("zhao"), program("sun")
    token = {"Authorization": f"Bearer {wang.token}"}
    sent = client.post(
        f"{BASE}{here}attachments/",
        {"file": SimpleUploadedFile("plan.pdf", PDF), "name": "The plan", "text": "See this"},
        headers=token,
    )
    assert sent.status_code == 201, sent.content
    (file,) = json.loads(sent.content)["comments"][0]["files"]
    assert (file["title"], file["kind"]) == ("The plan", "document")
    path = file["files"]["file"]
    answer = client.get(path, headers=token)
    assert (answer.status_code, answer["Content-Disposition"][:10]) == (200, "attachment")
    assert b"".join(answer.streaming_content) == PDF
    assert zhao.get(here).body["comments"][0]["files"] == [file]
    assert sun.get(path).status == 404
    html = SimpleUploadedFile("a.pdf", b"<html>", "application/pdf")
    refused = client.post(f"{BASE}{here}attachments/", {"file": html, "name": "x"}, headers=token)
    assert refused.status_code == 400
    assert CommentFile.objects.count() == 1


def test_another_time_proposed_and_taken(cast, booked, program):  # noqa: F811
    wang, zhao = program("wang"), program("zhao")
    here = f"reservations/{booked.pk}/conversation/"
    times = {"start": "2026-03-11T14:00:00+08:00", "end": "2026-03-11T17:00:00+08:00"}
    proposed = zhao.post(here + "proposals/", times | {"text": "Better?"})
    assert (proposed.status, proposed.body["state"]) == (201, "open")
    one = f"proposals/{proposed.body['id']}/"
    assert wang.get(one).body["until"] == proposed.body["until"]
    price = wang.get(one + "move/").body
    assert (price["new_total"]["amount"], price["needs_approval"]) == ("932.80", False)
    assert price["shortening"]["reason"] == "by-host"
    taken = wang.post(one + "accept/")
    assert (taken.status, taken.body["state"]) == (200, "accepted")
    assert wang.get(here).body["comments"][0]["proposal"]["state"] == "accepted"
    assert wang.post(one + "accept/").code == "proposal-decided"
    booked.refresh_from_db()
    assert booked.start_at == at("2026-03-11 14:00")


def test_refused_with_the_nearest_time(cast, booked, program):  # noqa: F811
    wang = program("wang")
    proposal = propose(cast, booked, "2026-03-11 10:00", "2026-03-11 12:00")
    reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00", who="sun")
    gone = wang.post(f"proposals/{proposal.pk}/accept/")
    assert (gone.status, gone.refusals) == (409, ["slot-taken"])
    assert gone.body["refusals"][0]["nearest"]["start"] == "2026-03-11T00:00:00Z"
    assert wang.post(f"proposals/{proposal.pk}/decline/").body["state"] == "declined"


def test_other_peoples_are_not_there(cast, booked, program):  # noqa: F811
    comment = say(cast, booked)
    proposal = propose(cast, booked, "2026-03-11 10:00", "2026-03-11 12:00")
    for who in ("alice", "sun", "auditor", "admin"):
        asks = program(who)
        here = f"reservations/{booked.pk}/conversation/"
        assert asks.get(here).status == 404
        assert asks.post(here, {"text": "x"}).status == 404
        assert asks.post(f"comments/{comment.pk}/withdraw/").status == 404
        assert asks.get(f"proposals/{proposal.pk}/").status == 404
        assert asks.post(f"proposals/{proposal.pk}/accept/").status == 404


def test_on_a_need(cast, program):  # noqa: F811
    here = f"needs/{need_of(cast).pk}/conversation/"
    assert program("wang").post(here, {"text": "Which steel?"}).status == 201
    assert program("chen").get(here).body["comments"][0]["text"] == "Which steel?"
    assert program("zhao").get(here).status == 404

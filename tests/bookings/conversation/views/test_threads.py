"""Conversations on pages, without a script."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.domain.roles import By
from bookings.conversation.models import Comment, CommentFile, ProposedTime, Thread, ThreadRead
from bookings.conversation.services.comments import thread_resolve
from tests.accounts.pages import page_of
from tests.factories.api import clock  # noqa: F401
from tests.factories.attachments import PDF, picture
from tests.factories.cast import NOW, at, reserve
from tests.factories.conversations import propose, say
from tests.factories.needs import need_of
from tests.factories.samples import announce

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture(autouse=True)
def _uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def booked(cast):
    return reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")


def signed_in(cast, who):
    client = Client()
    client.force_login(cast.people[who])
    return client


def page(name, *args):
    return reverse(f"bookings:{name}", args=args)


def test_asked_on_the_bookings_page_and_answered_from_the_home(cast, booked):
    wang, zhao = signed_in(cast, "wang"), signed_in(cast, "zhao")
    here = page("reservation", booked.pk)
    assert "The host is notified of what you write." in page_of(wang.get(here))
    write = page("conversation-write", "reservation", booked.pk)
    sent = wang.post(write, {"text": "Is it there?"})
    assert (sent.status_code, sent.url) == (302, f"{here}#conversation")
    html = page_of(zhao.get("/home/"))
    assert 'href="/conversations/"' in html and "conversation that waits for your answer" in html
    assert here in page_of(zhao.get("/conversations/"))
    html = page_of(zhao.get(here))
    assert "Waiting for your answer" in html and "Is it there?" in html
    zhao.post(write, {"text": "Yes", "resolves": "on"})
    html = page_of(wang.get(here))
    assert "Resolved" in html and "Reopen" in html
    assert "Nothing is waiting for your answer" in page_of(zhao.get("/conversations/"))


def test_text_is_text_and_addresses_in_it_are_links(cast, booked):
    say(
        cast,
        booked,
        text="<script>alert(1)</script> <b onclick=x>\nhttps://example.org/?a=1&b=2 javascript:x"
        ' http://x.example/"onmouseover=alert(1)',
    )
    html = signed_in(cast, "zhao").get(page("reservation", booked.pk)).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &lt;b onclick=x&gt;<br>" in html
    assert 'href="https://example.org/?a=1&amp;b=2" rel="nofollow"' in html
    assert 'href="javascript' not in html and 'href="http://x.example/"onm' not in html


def test_files_are_served_to_those_who_take_part_and_never_as_pages(cast, booked):
    wang = signed_in(cast, "wang")
    files = [
        SimpleUploadedFile("plan <1>.pdf", PDF, "text/html"),
        SimpleUploadedFile("grid.png", picture(kind="PNG"), "image/svg+xml"),
    ]
    wang.post(page("conversation-write", "reservation", booked.pk), {"text": "", "file": files})
    document, photo = (CommentFile.objects.get(kind=kind) for kind in ("document", "photo"))
    answer = wang.get(page("comment-file", document.pk, "file"))
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "private" in answer["Cache-Control"]
    assert b"".join(answer.streaming_content) == PDF
    shown = wang.get(page("comment-file", photo.pk, "small"))
    assert (shown["Content-Type"], shown.get("Content-Disposition", "inline")[:6]) == (
        "image/webp", "inline",
    )  # fmt: skip
    for path in (
        page("comment-file", photo.pk, "small"),
        page("comment-file", document.pk, "file"),
        reverse("instruments:file", args=[photo.pk, "small"]),
    ):
        for who in ("sun", "alice", "auditor"):
            assert signed_in(cast, who).get(path).status_code == 404
        assert Client().get(path).status_code in {302, 404}
    assert wang.get(page("comment-file", document.pk, "small")).status_code == 404
    assert wang.get(reverse("instruments:file", args=[photo.pk, "small"])).status_code == 404


def test_what_is_refused_is_said_and_what_was_typed_stays(cast, booked):
    wang = signed_in(cast, "wang")
    write = page("conversation-write", "reservation", booked.pk)
    html = page_of(wang.post(write, {"text": " "}), 400)
    assert "This field is required." in html
    page_of(wang.post(write, {"text": "x" * 4001}), 400)
    svg = SimpleUploadedFile("a.svg", b"<svg onload='alert(1)'/>", "image/png")
    html = page_of(wang.post(write, {"text": "Typed before", "file": svg}), 400)
    assert "Typed before</textarea>" in html
    assert re.search(r'id="id_file_error"[^>]*>.{0,40}JPEG', html, re.DOTALL), html
    assert not Comment.objects.exists()


def test_new_comments_come_without_a_reload(cast, booked):
    say(cast, booked)
    zhao = signed_in(cast, "zhao")
    here = page("conversation", "reservation", booked.pk)
    part = zhao.get(here + "?seen=0", headers={"HX-Request": "true"})
    html = part.content.decode()
    assert "<html" not in html and "Is the holder there?" in html
    assert f"{here}?seen=2" in html
    with CaptureQueriesContext(connection) as caught:
        same = zhao.get(here + "?seen=2", headers={"HX-Request": "true"})
    assert (same.status_code, same.content) == (204, b"")
    # Session, person, grants; the booking, and the version of its conversation.
    assert len([q for q in caught if "SELECT" in q["sql"]]) <= 6
    say(cast, booked, "wang", "And the tip?")
    assert "And the tip?" in zhao.get(here + "?seen=2", headers={"HX-Request": "true"}).content.decode()
    page_of(zhao.get(here))


def test_seen_once_it_is_no_longer_new(cast, booked):
    say(cast, booked)
    zhao, here = signed_in(cast, "zhao"), page("reservation", booked.pk)
    read = page("conversation-read", "reservation", booked.pk)
    assert f'hx-post="{read}"' in page_of(zhao.get(here))
    assert zhao.post(read).status_code == 204
    assert f'hx-post="{read}"' not in page_of(zhao.get(here))
    assert ThreadRead.objects.filter(user=cast.zhao).count() == 1


def test_a_conversation_costs_a_page_few_statements(cast, booked):
    """One where nothing is written; three with comments, files and a proposed time of one's own,
    whatever their number."""
    zhao, here = signed_in(cast, "zhao"), page("reservation", booked.pk)
    zhao.get(here)

    def statements():
        with CaptureQueriesContext(connection) as caught:
            page_of(zhao.get(here))
        return len(caught)

    empty = statements()
    say(cast, booked, files=[("a.pdf", PDF)])
    with_one = statements()
    for _ in range(3):
        say(cast, booked, files=[("a.pdf", PDF)])
    propose(cast, booked, "2026-03-11 10:00", "2026-03-11 12:00")
    assert with_one - empty == 2
    # The trail has more steps, and their people are others.
    assert statements() - with_one <= 1


def test_withdrawn_on_the_page(cast, booked):
    comment = say(cast, booked, text="A slip")
    wang = signed_in(cast, "wang")
    withdraw = page("comment-withdraw", comment.pk)
    assert withdraw in page_of(wang.get(page("reservation", booked.pk)))
    assert wang.post(withdraw).status_code == 302
    html = page_of(wang.get(page("reservation", booked.pk)))
    assert "This comment was withdrawn." in html and "A slip" not in html


def test_another_time_proposed_seen_with_its_price_and_taken(cast, booked):
    zhao, wang = signed_in(cast, "zhao"), signed_in(cast, "wang")
    form = page("conversation-propose", booked.pk)
    assert form in page_of(zhao.get(page("reservation", booked.pk)))
    page_of(zhao.get(form))
    values = {"start": "2026-03-11T14:00", "end": "2026-03-11T17:00", "reason": "Better?"}
    assert zhao.post(form, values | {"version": "1"}).status_code == 302
    html = page_of(wang.get(page("reservation", booked.pk)))
    assert "Better?" in html and "It is not held" in html
    assert "932.80" in html and "no late fee" in html
    proposal = ProposedTime.objects.get()
    answer = page("proposal-answer", proposal.pk)
    assert wang.post(answer, {"act": "accept"}).status_code == 302
    booked.refresh_from_db()
    assert booked.start_at == at("2026-03-11 14:00")
    html = page_of(wang.post(answer, {"act": "accept"}), 409)
    assert "answered, withdrawn or replaced" in html


def test_who_proposes_another_time_reads_first_what_it_would_come_to(
    cast,
    clock,  # noqa: F811
):
    """A later time that the person asks for late keeps the fee, as moving there themselves does."""
    booked = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    clock.now = at("2026-03-09 11:00")  # on the day before
    asked = {"start": "2026-03-12T10:00", "end": "2026-03-12T12:00", "reason": "", "version": "1"}
    form, part = (page("conversation-propose", booked.pk), {"HX-Request": "true", "HX-Target": "preview"})
    for who, said in (
        ("wang", "Cancelling will then cost 100 %"),
        ("zhao", "The host proposes this time: no late fee."),
    ):
        browser = signed_in(cast, who)
        html = page_of(browser.get(form, asked, headers=part))
        assert said in html and "as before" in html and "<form" not in html
        assert said in page_of(browser.get(form, asked))
        assert said not in page_of(browser.get(form))
        turned = asked | {"start": "2026-03-12T08:00", "end": "2026-03-12T07:00"}
        assert said not in page_of(browser.get(form, turned, headers=part))


def test_a_proposal_that_is_refused_names_the_nearest_time(cast, booked):
    reserve(cast, "2026-03-11 14:00", "2026-03-11 17:00", who="sun")
    zhao = signed_in(cast, "zhao")
    values = {"start": "2026-03-11T14:00", "end": "2026-03-11T16:00", "reason": ""}
    html = page_of(zhao.post(page("conversation-propose", booked.pk), values), 422)
    assert 'data-code="slot-taken"' in html and "Nearest time that can be booked" in html
    values |= {"end": "2026-03-11T13:00"}
    page_of(zhao.post(page("conversation-propose", booked.pk), values), 400)
    assert not ProposedTime.objects.exists()


def test_taken_after_the_slot_has_gone(cast, booked):
    proposal = propose(cast, booked, "2026-03-11 14:00", "2026-03-11 16:00")
    reserve(cast, "2026-03-11 14:00", "2026-03-11 16:00", who="sun")
    wang = signed_in(cast, "wang")
    html = page_of(wang.get(page("reservation", booked.pk)))
    assert 'data-code="slot-taken"' in html and "Accept this time" not in html
    html = page_of(wang.post(page("proposal-answer", proposal.pk), {"act": "accept"}), 422)
    assert "Nearest time that can be booked" in html
    booked.refresh_from_db()
    assert booked.version == 1


def test_the_inbox_of_requests_shows_an_open_question(cast):
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=asks)
    zhao = signed_in(cast, "zhao")
    assert "question open" not in page_of(zhao.get("/requests/"))
    say(cast, row)
    html = page_of(zhao.get("/requests/"))
    assert "question open" in html and f'href="/conversations/reservation/{row.pk}/"' in html
    say(cast, row, "zhao")
    html = page_of(zhao.get("/requests/"))
    assert "question open" not in html and "Waiting for the requester" in html
    thread_resolve(By(cast.actor("zhao"), NOW), kind="reservation", subject_id=row.pk)
    assert "question open" not in page_of(zhao.get("/requests/"))


def test_on_a_need(cast):
    need = need_of(cast)
    wang = signed_in(cast, "wang")
    write = page("conversation-write", "need", need.pk)
    assert write in page_of(wang.get(page("need", need.pk)))
    wang.post(write, {"text": "Which steel?"})
    assert "Which steel?" in page_of(wang.get(page("need", need.pk)))
    assert Thread.objects.get().need_id == need.pk


def test_on_a_sample(cast):
    sample = announce(cast)
    wang = signed_in(cast, "wang")
    write = page("conversation-write", "sample", sample.pk)
    assert write in page_of(wang.get(page("sample-item", sample.code)))
    sent = wang.post(write, {"text": "Was it lost?"})
    assert sent.url == page("sample-item", sample.code) + "#conversation"
    assert "Was it lost?" in page_of(wang.get(page("sample-item", sample.code)))


def test_no_such_kind(cast, booked):
    wang = signed_in(cast, "wang")
    for method, name in (("get", "conversation"), ("post", "conversation-resolve")):
        path = page(name, "charge", booked.pk)
        assert getattr(wang, method)(path, {"act": "resolve"}).status_code == 404


def test_in_chinese(cast, booked):
    say(cast, booked)
    zhao = signed_in(cast, "zhao")
    here = page("reservation", booked.pk)
    html = page_of(zhao.get(here, headers={"Accept-Language": "zh-hans"}))
    assert "等您回复" in html and "申请方" in html and "标记为已解决" in html


def test_who_ends_a_proposal_and_by_when(cast, booked):
    propose(cast, booked, "2026-03-11 10:00", "2026-03-11 12:00")
    here = page("reservation", booked.pk)
    for who, told in (
        ("wang", "You or a manager of the payer can accept or decline it until Sun 8 Mar 2026"),
        ("zhao", "The other side can accept or decline it until Sun 8 Mar 2026"),
    ):
        html = page_of(signed_in(cast, who).get(here))
        assert re.search(told.replace(" ", r"\s+"), html), html[html.index("data-ends") :][:300]

"""Collecting results by programs."""

import io
import zipfile

import pytest

from bookings.models import CollectLink, HandOff, Receipt
from bookings.results.selectors.collecting import collect_token
from tests.factories.api import clock, program  # noqa: F401
from tests.factories.results import announced, released

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def hand_off(cast):
    return released(cast)


def test_a_program_collects_and_the_receipt_says_so(program, hand_off, client):  # noqa: F811
    wang = program("wang")
    headers = {"HTTP_AUTHORIZATION": f"Bearer {wang.token}"}
    answer = client.get(f"/api/v1/results/{hand_off.pk}/package/", **headers)
    content = b"".join(answer.streaming_content)
    assert len(content) == int(answer["Content-Length"])
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    file = hand_off.files.get(path="spectrum.csv")
    where = f"/api/v1/results/{hand_off.pk}/files/{file.pk}/"
    part = client.get(where, HTTP_RANGE="bytes=2-", **headers)
    assert (part.status_code, b"".join(part.streaming_content)) == (206, b"2\n")
    assert client.head(where, **headers)["Content-Length"] == "4"
    rows = wang.get(f"results/{hand_off.pk}/receipts/").body["results"]
    assert [(r["path"], r["way"], r["completed_at"] is not None) for r in rows] == [
        ("spectrum.csv", "streamed", False),
        ("", "streamed", True),
    ]
    assert [r["reached"] for r in rows] == [2, len(content)]
    assert HandOff.objects.get().state == "collected"


def test_links_are_made_listed_and_revoked(program, hand_off):  # noqa: F811
    wang = program("wang", scopes=("read", "book"))
    body = {"result": str(hand_off.pk), "label": "Li", "expires_at": "2026-03-20T00:00:00Z"}
    made = wang.post("result-links/", body | {"uses": 2})
    assert made.status == 201
    link = CollectLink.objects.get()
    assert made.body["address"].endswith(f"/collect/{collect_token(link.pk)}/")
    assert wang.get(f"result-links/?result={hand_off.pk}").ids == [str(link.pk)]
    assert program("hu").get("result-links/").ids == []
    assert wang.delete(f"result-links/{link.pk}/").status == 204
    after = wang.get(f"result-links/{link.pk}/").body
    assert after["address"] is None and after["revoked_at"]
    wrong = wang.post("result-links/", body | {"expires_at": "2030-01-01T00:00:00Z"})
    assert wrong.problems == [("expires_at", "link-days")]


def test_confirming_keeping_and_holding(program, hand_off):  # noqa: F811
    wang, zhao, auditor = program("wang"), program("zhao"), program("auditor")
    here = f"results/{hand_off.pk}"
    wrong = wang.post(f"{here}/confirm/", {"manifest_digest": "0" * 64})
    assert wrong.problems == [("manifest_digest", "digest-differs")]
    done = wang.post(f"{here}/confirm/", {"manifest_digest": hand_off.manifest_digest})
    assert (done.status, done.body["way"]) == (200, "confirmed")
    asked = wang.post(f"{here}/keep-requests/", {"days": 30, "reason": "thesis"})
    assert asked.status == 201
    assert wang.post(f"{here}/keep-requests/", {"days": 1}).code == "keep-asked-already"
    decided = zhao.post(f"result-keep-requests/{asked.body['id']}/decide/", {"grant": True})
    assert decided.body["state"] == "granted"
    assert wang.post(f"{here}/keep/", {"days": 1}).status == 403
    assert auditor.post(f"{here}/hold/", {"reason": "finding 7"}).status == 204
    assert zhao.post(f"{here}/withdraw/", {"reason": "x"}).code == "on-hold"
    assert zhao.delete(f"{here}/hold/").status == 403
    assert auditor.delete(f"{here}/hold/").status == 204
    assert auditor.delete(f"{here}/hold/").code == "not-on-hold"
    assert Receipt.objects.count() == 1


def test_what_is_not_released_cannot_be_collected(program, cast):  # noqa: F811
    hand_off = announced(cast)
    assert program("wang").get(f"results/{hand_off.pk}/package/").code == "not-collectable"

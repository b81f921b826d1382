"""The auditors' desk through the API and on its pages."""

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from django.test import Client

from bookings.models import AuditFinding, Reservation
from tests.accounts.pages import page_of
from tests.factories.api import Program
from tests.factories.cast import Cast, reserve

type Programs = Callable[..., Program]
SCRIPT = Path(__file__).parents[4] / "bookings/static/bookings/draw_sample.py"


def odd(cast: Cast) -> Reservation:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    Reservation.objects.filter(pk=made.pk).update(overrides=["notice"])
    return made


def test_from_a_run_to_a_closed_finding(cast: Cast, program: Programs) -> None:
    made = odd(cast)
    auditor, zhao = program("auditor"), program("zhao")
    assert auditor.post("audit/runs/", {"full": True}).body["counts"]["overrides"] == 1
    assert auditor.post("audit/runs/", {}).body["counts"] == {}
    (found,) = auditor.get("audit/exceptions/?rule=overrides&state=open").body["results"]
    assert found["numbers"] == {"rules": "notice"}
    assert found["evidence"] == [{"type": "reservation", "id": str(made.pk)}]
    assert auditor.get("audit/exceptions/?region=CN-SH&organisation=ustc").ids
    assert auditor.get("audit/exceptions/?organisation=fudan").ids == []
    assert auditor.get("audit/exceptions/?region=XX").ids == []
    assert zhao.get("audit/exceptions/").ids == []
    one = f"audit/exceptions/{found['id']}/"
    assert zhao.get(one).status == 404
    assert auditor.patch(one, {"state": "explained"}).problems == [("reason", "required")]
    assert auditor.patch(one, {"state": "confirmed"}).problems == [("state", "unknown-value")]
    assert auditor.patch(one, {"state": "review"}, if_match='"7"').status == 412
    assert auditor.patch(one, {"state": "review"}).body["decided_by"] == "Auditor"
    assert auditor.patch(one, {"state": "review"}).code == "wrong-state"
    asked = {"severity": "high", "title": "Set aside", "text": "Why?", "exception": found["id"]}
    finding = auditor.post("audit/findings/", asked).body
    assert (finding["organisation"], finding["due_date"]) == ("ustc", "2026-03-19")
    assert auditor.get(one).body["state"] == "confirmed"
    assert auditor.post("audit/findings/", asked).code == "wrong-state"
    path = f"audit/findings/{finding['id']}/"
    seen = zhao.get(path).body
    assert (seen["rule"], seen["numbers"]) == ("overrides", {"rules": "notice"})
    assert seen["records"] == [{"type": "reservation", "id": str(made.pk)}]
    assert zhao.get("audit/findings/").ids == [finding["id"]]
    assert auditor.post(path + "return/", {"note": "x"}).code == "wrong-state"
    assert zhao.post(path + "reply/", {"reply": "It was urgent."}).body["state"] == "replied"
    assert zhao.post(path + "close/", {"evidence": "x"}).status == 403
    closed = auditor.post(path + "close/", {"evidence": "The log book of that day."}).body
    assert (closed["state"], closed["closed_by"]) == ("closed", "Auditor")
    late = {"severity": "low", "title": "T", "text": "t", "organisation": "ustc"}
    assert auditor.post("audit/findings/", late | {"due_date": "2026-03-01"}).problems == [
        ("due_date", "in-the-past")
    ]
    assert auditor.post("audit/findings/", late | {"organisation": "fudan"}).status == 404


def test_a_sample_is_drawn_again_by_anybody(
    cast: Cast, program: Programs, client: Client, tmp_path: Path
) -> None:
    for day in (6, 9, 10, 11):
        reserve(cast, f"2026-03-{day:02} 10:00", f"2026-03-{day:02} 11:00")
    body = {
        "subject": "reservations", "method": "stratified", "since": "2026-03-01",
        "until": "2026-04-01", "size": 2, "seed": "a b",
    }  # fmt: skip
    auditor = program("auditor")
    made = auditor.post("audit/samples/", body).body
    assert (made["count"], len(made["drawn"])) == (4, 2)
    assert auditor.get("audit/samples/").ids == [made["id"]]
    client.force_login(cast.auditor)
    content = client.get(f"/audit/samples/{made['id']}/population/").content
    assert hashlib.sha256(content).hexdigest() == made["population"]
    path = tmp_path / "population.csv"
    path.write_bytes(content)
    again = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(path), "--method", "stratified", "--seed", "a b",
         "--size", "2", "--digest", made["population"]],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert again.stdout.split()[2:] == made["drawn"]
    assert made["population"] in page_of(client.get(f"/audit/samples/{made['id']}/"))
    assert auditor.post("audit/samples/", body | {"until": "2026-03-01"}).problems == [
        ("until", "not-after-start")
    ]
    assert auditor.post("audit/samples/", body | {"method": "monetary"}).problems == [
        ("method", "monetary-of-charges")
    ]
    assert auditor.post("audit/samples/", body | {"since": "2020-01-01", "until": "2020-02-01"}).code


def test_the_pages(cast: Cast, client: Client) -> None:
    made = odd(cast)
    client.force_login(cast.auditor)
    assert client.post("/audit/run/").status_code == 302
    html = page_of(client.get("/audit/exceptions/?rule=overrides"))
    path = re.search(r"/audit/exceptions/[0-9a-f-]{36}/", html)[0]
    assert f'href="/trail/{made.pk}/"' in page_of(client.get(path))
    assert "invalid-feedback" in page_of(client.post(path + "decide/", {"state": "explained"}), 400)
    fields = {"severity": "low", "title": "Set aside", "text": "Why?", "due_date": "2026-01-01"}
    assert "Why?" in page_of(client.post(path + "confirm/", fields), 400)
    assert client.post(path + "confirm/", fields | {"due_date": ""}).status_code == 302
    finding = AuditFinding.objects.get()
    client.force_login(cast.zhao)
    assert "Set aside" in page_of(client.get("/audit/findings/"))
    page = f"/audit/findings/{finding.pk}/"
    assert "invalid-feedback" in page_of(client.post(page + "reply/", {"reply": " "}), 400)
    assert client.post(page + "reply/", {"reply": "It was urgent."}).status_code == 302
    client.force_login(cast.auditor)
    assert "It was urgent." in page_of(client.get(page))
    assert client.post(page + "return/", {"note": "Prove it."}).status_code == 302
    assert client.post(page + "close/", {"evidence": "Seen."}).status_code == 302
    assert "Seen." in page_of(client.get(page))
    other = {"severity": "low", "title": "T", "text": "t", "organisation": "fudan"}
    # No choice of theirs, as it is of another region.
    assert client.post("/audit/findings/", other).status_code == 400
    assert AuditFinding.objects.count() == 1


def test_several_at_once(cast: Cast, program: Programs) -> None:
    odd(cast)
    auditor, zhao = program("auditor"), program("zhao")
    auditor.post("audit/runs/", {"full": True})
    (found,) = auditor.get("audit/exceptions/?rule=overrides").body["results"]
    assert found["instrument"] == str(cast.microscope.pk)
    assert found["instrument_name"] == cast.microscope.name
    path = "audit/exceptions/decide/"
    body = {"exceptions": [{"id": found["id"], "version": 1}], "state": "review"}
    assert zhao.post(path, body).status == 403
    assert auditor.post(path, body | {"exceptions": []}).status == 400
    assert auditor.post(path, body | {"exceptions": [{"id": "x"}]}).status == 400
    many = [{"id": found["id"]}] * 51
    assert auditor.post(path, body | {"exceptions": many}).status == 400
    assert auditor.post(path, body | {"state": "explained"}).problems == [("reason", "required")]
    answer = auditor.post(path, body).body
    assert [row["state"] for row in answer["decided"]] == ["review"]
    assert answer["refused"] == []
    again = auditor.post(path, body).body
    assert again["decided"] == []
    assert [(row["id"], row["code"]) for row in again["refused"]] == [(found["id"], "wrong-version")]

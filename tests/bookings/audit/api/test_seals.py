"""Seals, proofs and bundles through the API and on the pages."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client

from accounts.models import JobRun, RoleGrant, Seal, TrailEntry
from accounts.selectors.verification import VERIFYING
from accounts.services.file_jobs import files_clear
from accounts.services.seals import seals_tell, trail_seal
from bookings.audit.services.bundles import bundles_work
from bookings.models import TrailBundle
from bookings.overview.services.effects import effects_carry_out
from tests.accounts.pages import page_of
from tests.factories.api import Program
from tests.factories.cast import NOW, Cast, reserve

type Programs = Callable[..., Program]
VERIFIER = Path(__file__).parents[4] / "bookings/static/bookings/verify_bundle.py"


def verified(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "file"
    path.write_bytes(content)
    done = subprocess.run([sys.executable, "-I", str(VERIFIER), str(path)], capture_output=True, text=True)
    return done.stdout


def test_a_seal_on_demand_a_proof_and_a_bundle(
    cast: Cast, program: Programs, client: Client, tmp_path: Path
) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    auditor, wang = program("auditor"), program("wang")
    entry = TrailEntry.objects.get(object_id=made.pk)
    assert wang.get(f"trail/proofs/{entry.pk}/").code == "not-sealed"
    assert wang.post("trail/seals/", {}).status == 403
    (seal,) = auditor.post("trail/seals/", {}).body["seals"]
    assert seal["number"] == 1 and seal["count"] == TrailEntry.objects.count()
    assert auditor.post("trail/seals/", {}).body == {"seals": []}
    assert wang.get("trail/seals/").body["results"] == [seal]
    proof = wang.get(f"trail/proofs/{entry.pk}/").body
    assert proof["entry"]["id"] == str(entry.pk) and proof["seal"] == seal
    assert program("sun").get(f"trail/proofs/{entry.pk}/").status == 404
    client.force_login(cast.wang)
    raw = client.get(f"/api/v1/trail/proofs/{entry.pk}/").content
    assert f"entry {entry.pk} is in seal 1" in verified(tmp_path, raw)
    # An auditor's bundle shows their region, and by digest alone what lies outside.
    client.force_login(cast.people["auditor"])
    answer = client.post("/trail/bundle/")
    assert answer["Content-Disposition"].startswith("attachment;")
    text = verified(tmp_path, b"".join(answer))  # type: ignore[arg-type]
    assert text.startswith(f"RIGHT: {TrailEntry.objects.count()} entries in 2 seals")
    assert " 0 not shown" not in text
    assert TrailEntry.objects.filter(action="user.bundle", actor_id=cast.auditor.pk).count() == 1
    assert auditor.get("trail/bundle/?from=2026-03-06T00:00:00Z&until=2026-03-05T00:00:00Z").problems


def test_the_newest_seal_by_mail_once_a_day(cast: Cast, program: Programs) -> None:
    trail_seal(now=NOW)
    digest = bytes(Seal.objects.get().digest).hex()
    for _ in range(2):
        assert seals_tell(now=NOW) == 1
        effects_carry_out(now=NOW)
    (letter,) = [m for m in mail.outbox if m.to == ["auditor@anhui.example"]]
    assert f"--seal 1 --digest {digest}" in letter.body
    assert f"/trail/seals/?seal=1:{digest}" in letter.body
    # Who wants it no more says so among the settings of messages; who audits no more is not told.
    auditor = program("auditor")
    choices = auditor.get("message-settings/").body
    choices["topics"]["seal"] |= {"mail": "off", "inbox": False}
    assert auditor.put("message-settings/", choices).status == 200
    mail.outbox.clear()
    assert seals_tell(now=NOW + timedelta(days=1)) == 1
    effects_carry_out(now=NOW + timedelta(days=1))
    assert mail.outbox == []
    RoleGrant.objects.filter(user=cast.auditor, role="auditor").update(revoked_at=NOW)
    assert seals_tell(now=NOW + timedelta(days=2)) == 0


@pytest.mark.parametrize(("is_held", "words"), [(True, "is in this chain"), (False, "rewritten")])
def test_a_seal_that_somebody_holds_is_looked_for(
    cast: Cast, program: Programs, client: Client, is_held: bool, words: str
) -> None:
    trail_seal(now=NOW)
    digest = bytes(Seal.objects.get().digest).hex() if is_held else "ab" * 32
    found = program("auditor").get(f"trail/seals/?seal=1:{digest}").body["results"]
    assert [row["digest"] for row in found] == ([digest] if is_held else [])
    client.force_login(cast.auditor)
    html = page_of(client.get("/trail/seals/", {"seal": f"1:{digest}"}))
    assert words in html.split('id="held"')[1]


def test_what_is_no_seal_is_said(cast: Cast, program: Programs, client: Client) -> None:
    refused = program("auditor").get("trail/seals/?seal=seven")
    assert refused.problems == [("seal", "not-a-seal")]
    client.force_login(cast.auditor)
    assert "64 hex digits" in page_of(client.get("/trail/seals/?seal=seven"))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_pages(cast: Cast, client: Client, language: str) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    trail_seal(now=NOW)
    cast.auditor.language = language
    cast.auditor.save()
    client.force_login(cast.auditor)
    digest = bytes(Seal.objects.get().digest).hex()
    assert digest in page_of(client.get("/trail/seals/"))
    entry = TrailEntry.objects.get(object_id=made.pk)
    assert f'href="/trail/proofs/{entry.pk}/"' in page_of(client.get(f"/trail/{made.pk}/"))
    assert digest in page_of(client.get(f"/trail/proofs/{entry.pk}/"))
    assert client.post("/trail/bundle/", {"since": "2026-03-06", "until": "2026-03-05"}).status_code == 400
    for outcome, role in (("done", "nothing has changed since it was sealed"), ("failed", 'role="alert"')):
        JobRun.objects.create(entry=VERIFYING, started_at=NOW, outcome=outcome, error="seal 1")
        html = page_of(client.get("/trail/seals/"))
        if language == "en" or outcome == "failed":
            assert role in html
    # From a reservation to its whole story in one click.
    assert f'href="/trail/{made.pk}/"' in page_of(client.get(f"/bookings/{made.pk}/"))


def test_the_trail_by_places_not_by_counting(cast: Cast, client: Client) -> None:
    client.force_login(cast.auditor)
    html, seen = page_of(client.get("/trail/?region=CN-AH")), 1
    while 'rel="next"' in html:
        address = html.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
        html, seen = page_of(client.get(f"/trail/{address}")), seen + 1
    assert seen == -(-TrailEntry.objects.filter(region_ids__contains=[cast.anhui.pk]).count() // 50)
    assert page_of(client.get("/trail/?after=nonsense_x"))


@pytest.mark.usefixtures("either_storage")
def test_a_bundle_that_a_worker_writes(cast: Cast, program: Programs, client: Client, tmp_path: Path) -> None:
    auditor = program("auditor")
    row = auditor.post("trail/bundles/", {"until": "2026-03-06T00:00:00Z"}).body
    assert (row["state"], row["entries_done"]) == ("waiting", 0)
    assert auditor.get(f"trail/bundles/{row['id']}/file/").code == "bundle-not-ready"
    assert bundles_work(now=NOW) == 1 and bundles_work(now=NOW) == 0
    done = auditor.get(f"trail/bundles/{row['id']}/").body
    assert done["state"] == "done"
    assert done["entries_done"] == done["entries_total"] == TrailEntry.objects.count()
    client.force_login(cast.auditor)
    content = b"".join(client.get(f"/trail/bundles/{row['id']}/"))  # type: ignore[arg-type]
    assert verified(tmp_path, content).startswith("RIGHT")
    assert "progress" not in page_of(client.get("/trail/seals/"))
    # Another is at work: the page says how far, and asks again by itself.
    assert client.post("/trail/bundles/", {}).status_code == 302
    assert "<progress" in page_of(client.get("/trail/seals/"))
    for _ in range(2):
        auditor.post("trail/bundles/", {})
    assert auditor.post("trail/bundles/", {}).code == "bundles-waiting"
    assert files_clear(model=TrailBundle, before=NOW + timedelta(days=1)) == 4

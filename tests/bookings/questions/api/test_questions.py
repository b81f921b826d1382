"""House rules, questions and meters over the API."""

import json

from django.core.files.uploadedfile import SimpleUploadedFile

from bookings.models import AnswerFile
from tests.factories.api import BASE
from tests.factories.attachments import PDF
from tests.factories.cast import reserve


def test_house_rules_over_the_api(cast, program):
    here = f"instruments/{cast.microscope.pk}/house-rules/"
    wang, zhao = program("wang"), program("zhao")
    assert wang.get(here).status == 404
    made = zhao.put(here, {"text": "Gloves."})
    assert (made.status, made.body["version"]) == (200, 1)
    assert wang.get(here).body["accepted"] is None
    wish = {
        "instrument": str(cast.microscope.pk), "start": "2026-03-06T10:00:00+08:00",
        "end": "2026-03-06T12:00:00+08:00", "service_mode": "self", "purpose": {"code": "research"},
    }  # fmt: skip
    refused = wang.post("reservations/", wish)
    assert refused.status == 422
    assert refused.body["refusals"][0]["code"] == "house-rules-not-accepted"
    assert wang.post("reservations/", wish | {"house_rules": 1}).status == 201
    assert wang.get(here).body["accepted"] == 1
    assert zhao.get(here + "versions/").body["results"][0]["text"] == "Gloves."


def test_questions_over_the_api(cast, program):
    field = {"key": "clean", "kind": "yes_no", "label": "Clean?", "required": True}
    zhao, wang = program("zhao"), program("wang")
    here = f"instruments/{cast.microscope.pk}/questionnaires/"
    assert zhao.put(here, {"moment": "before", "questions": [{"key": "A"}]}).status == 400
    made = zhao.put(here, {"moment": "before", "questions": [field]})
    assert (made.status, made.body["version"]) == (200, 1)
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    one = f"reservations/{booked.pk}/"
    sheet = wang.get(one + "questions/").body["sheets"][0]
    assert (sheet["state"], sheet["version"], sheet["questions"][0]["key"]) == ("open", 1, "clean")
    wrong = wang.post(one + "answers/", {"moment": "before", "answers": {"clean": "x"}})
    assert wrong.status == 400
    assert wang.post(one + "answers/", {"moment": "before", "answers": {"clean": True}}).status == 200
    sheet = wang.get(one + "questions/").body["sheets"][0]
    assert (sheet["state"], sheet["answers"], sheet["by_host"]) == ("answered", {"clean": True}, False)
    rows = zhao.get(f"instruments/{cast.microscope.pk}/answers/").body["results"]
    assert [row["answers"] for row in rows] == [{"clean": True}]
    assert program("sun").get(f"instruments/{cast.microscope.pk}/answers/").status == 403
    later = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    body = {"moment": "before", "answers": {"clean": False}}
    assert wang.post(f"reservations/{later.pk}/answers/", body).status == 200
    for query, order in (
        ("", [later, booked]),
        ("&sort=start", [booked, later]),
        ("&state=answered", [later, booked]),
    ):
        first = zhao.get(f"instruments/{cast.microscope.pk}/answers/?limit=1{query}").body
        rows = first["results"] + zhao.get(first["next"]).body["results"]
        assert [row["reservation"] for row in rows] == [str(row.pk) for row in order], query


def test_meters_over_the_api(cast, program):
    zhao = program("zhao")
    here = f"instruments/{cast.microscope.pk}/"
    meter = zhao.post(here + "meters/", {"name": "Filament", "unit": "h"}).body
    readings = f"meters/{meter['id']}/readings/"
    assert zhao.post(readings, {"value": "12.5"}).body["value"] == "12.5000"
    assert zhao.post(readings, {"value": "1"}).status == 400
    counter = zhao.post(here + "counters/", {"name": "Tip", "limit": "500"})
    assert (counter.status, counter.body["standing"]) == (201, "fine")
    done = zhao.post(f"counters/{counter.body['id']}/done/", {"note": "new"})
    assert done.status == 200
    assert zhao.delete(f"counters/{counter.body['id']}/").status == 204
    assert zhao.get(here + "meters/").body["counters"] == []


def test_a_file_over_the_api(cast, program, client):
    field = {"key": "stage", "kind": "file", "label": "Stage", "required": True}
    zhao, wang = program("zhao"), program("wang")
    here = f"instruments/{cast.microscope.pk}/"
    zhao.put(here + "questionnaires/", {"moment": "before", "questions": [field]})
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    one = f"reservations/{booked.pk}/"

    def send(who, **values):
        body = {"moment": "before", "key": "stage", "name": "Stage.pdf"} | values
        return client.post(
            f"{BASE}{one}answers/attachments/",
            body | {"file": SimpleUploadedFile("a.pdf", values.get("file", PDF))},
            headers={"Authorization": f"Bearer {who.token}"},
        )

    assert [send(wang, key="x").status_code, send(wang, file=b"x").status_code] == [400, 400]
    assert send(program("sun")).status_code == 404
    assert not AnswerFile.objects.exists()
    sent = send(wang)
    assert sent.status_code == 201, sent.content
    file = json.loads(sent.content)
    answers = {"moment": "before", "answers": {"stage": file["id"]}}
    assert wang.post(one + "answers/", answers).status == 200
    assert wang.get(one + "questions/").body["sheets"][0]["files"] == [file]
    assert zhao.get(here + "answers/").body["results"][0]["files"] == [file]
    answer = client.get(file["files"]["file"], headers={"Authorization": f"Bearer {wang.token}"})
    assert b"".join(answer.streaming_content) == PDF


def test_a_booking_over_the_api_is_asked(cast, program):
    zhao, wang = program("zhao"), program("wang")
    here = f"instruments/{cast.microscope.pk}/questionnaires/"
    field = {"key": "toxic", "kind": "yes_no", "label": "Toxic?", "required": True}
    assert zhao.put(here, {"moment": "booking", "questions": [field]}).status == 200
    assert wang.get(here + "?moment=booking").body["results"][0]["version"] == 1
    wish = {
        "instrument": str(cast.microscope.pk), "start": "2026-03-06T10:00:00+08:00",
        "end": "2026-03-06T12:00:00+08:00", "service_mode": "self", "purpose": {"code": "research"},
    }  # fmt: skip
    refused = wang.post("reservations/", wish)
    assert refused.status == 400 and "answers.toxic" in json.dumps(refused.body)
    assert wang.post("reservations/", wish | {"answers": ["toxic"]}).status == 400
    wrong = wang.post("reservations/", wish | {"answers": {"toxic": True}, "questions_version": 2})
    assert (wrong.status, wrong.body["version"]) == (409, 1)
    made = wang.post("reservations/", wish | {"answers": {"toxic": True}, "questions_version": 1})
    assert made.status == 201
    sheets = zhao.get(f"reservations/{made.body['id']}/questions/").body["sheets"]
    (sheet,) = [each for each in sheets if each["moment"] == "booking"]
    assert (sheet["state"], sheet["answers"]) == ("answered", {"toxic": True})
    again = {"moment": "booking", "answers": {"toxic": False}}
    assert wang.post(f"reservations/{made.body['id']}/answers/", again).status == 409

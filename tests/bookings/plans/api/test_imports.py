"""A calendar brought in over the API, and by the command."""

import base64
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from bookings.models import Reservation

HEADER = "instrument,starts,ends,reference,colour\n"
NAME = "Transmission electron microscope"
ONE = f"{NAME},2026-03-09 10:00,2026-03-09 12:00,B-1,red\n"
TWO = f"{NAME},2026-03-09 11:00,2026-03-09 13:00,B-2,red\n"


def body(*rows, **changes):
    text = HEADER + "".join(rows)
    return {"file": base64.b64encode(text.encode()).decode(), "file_name": "old.csv"} | changes


def test_preview_refuse_skip_and_once_more(cast, program):
    wang = program("wang")
    shown = wang.post("reservations/import/", body(ONE, TWO, dry_run=True))
    assert shown.status == 200
    assert (shown.body["booked"], shown.body["refused"], shown.body["id"]) == (1, 1, None)
    assert shown.body["columns_ignored"] == ["colour"]
    first, second = shown.body["rows"]
    assert first["total"] == {"amount": "657.20", "currency": "CNY"}
    assert (first["start"], first["result"]) == ("2026-03-09T02:00:00Z", "booked")
    assert [r["code"] for r in second["refusals"]] == ["slot-taken"]
    assert second["refusals"][0]["nearest"]["start"] == "2026-03-09T04:00:00Z"
    refused = wang.post("reservations/import/", body(ONE, TWO))
    assert (refused.status, refused.body["code"]) == (422, "rows-refused")
    assert refused.body["rows"] == shown.body["rows"]
    assert Reservation.objects.count() == 0
    made = wang.post("reservations/import/", body(ONE, TWO, on_refused="skip"))
    assert made.status == 201
    assert made.body["rows"][0]["reservation"] == str(Reservation.objects.get().pk)
    again = wang.post("reservations/import/", body(ONE))
    assert (again.status, again.body["unchanged"]) == (200, 1)


def test_what_is_no_file(cast, program):
    wang = program("wang")
    for changes, code in (({"file": "?"}, "not-base64"), ({"encoding": "x"}, "unknown-value")):
        answer = wang.post("reservations/import/", body(ONE, **changes))
        assert answer.status == 400
        assert [e["code"] for e in answer.body["errors"]] == [code]


class TestCommand:
    def run(self, path, *options):
        out = StringIO()
        call_command("import_bookings", str(path), "--person", "wang@fudan.example", *options,
                     stdout=out)  # fmt: skip
        return out.getvalue()

    def test_every_row_is_accounted_for(self, cast, tmp_path):
        """Of long ago and far ahead, as the command reads the clock."""
        path = tmp_path / "old.csv"
        path.write_text(HEADER + ONE.replace("2026", "2019") + TWO.replace("2026", "2099"))
        said = self.run(path, "--dry-run")
        assert "2 rows: 0 booked, 0 unchanged, 2 refused" in said
        assert "line 2: too-soon - " in said and "line 3: too-far - " in said
        for options in ((), ("--skip-refused",)):
            with pytest.raises(CommandError) as refused:
                self.run(path, *options)
            assert refused.value.returncode == 2
        path.write_text("name\n")
        with pytest.raises(CommandError, match="column-missing"):
            self.run(path)
        with pytest.raises(CommandError, match="cannot be read"):
            self.run(tmp_path / "none.csv")

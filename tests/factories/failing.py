"""Pages and a job that fail with secrets at hand. They run in processes of their own."""

import io
import os
from importlib import import_module

from config.celery import app

SECRET = "s3cretS3cret-s3cret_s3cretS3cret"
PERSON = "Zhang Wei"
MAIL = "zhang.wei@campus.example"
VISITOR = "203.0.113.9"


@app.task(name="tests.fail")
def fail(person: str) -> None:
    password = f"{person} {SECRET}"
    raise RuntimeError(password)


@app.task(name="tests.fail_within")
def fail_within(person: str) -> None:
    """One thing of a job fails, is noted, and fails again when it is tried again."""
    from datetime import UTC, datetime, timedelta
    from uuid import UUID

    from accounts.services.jobs import work_through

    def act(pk: UUID) -> int:
        raise LookupError(f"{person} {SECRET}")

    for days in (0, 9):
        now = datetime.now(UTC) + timedelta(days=days)
        work_through(job="tests", due=[UUID(int=1)], act=act, now=now)


def _fail(request, token):
    from django.db import IntegrityError, connection

    fail.delay(PERSON)
    fail_within.delay(PERSON)
    password = request.POST["password"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text", [PERSON])
        try:
            # PostgreSQL tells the whole row that it did not take.
            cursor.execute("INSERT INTO django_session (session_key) VALUES (%s)", [MAIL])
        except IntegrityError as error:
            raise ValueError(password) from error


def serve() -> None:
    """Ask the web process, and print what it answers."""
    application = import_module("config.wsgi").application  # before all else, as a server does
    from django.conf import settings
    from django.core.exceptions import PermissionDenied
    from django.urls import path
    from django.views.decorators.csrf import csrf_exempt
    from rest_framework.views import APIView

    from accounts.domain.errors import NotPermitted
    from config import urls

    class Failing(APIView):
        authentication_classes = permission_classes = throttle_classes = ()

        def post(self, request):
            raise ArithmeticError(f"{MAIL} {request.data} {SECRET}")

    def refuse(request):
        raise NotPermitted

    def deny(request):
        raise PermissionDenied(PERSON)

    plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES["staticfiles"]["BACKEND"] = plain
    urls.urlpatterns[:0] = [
        path("calendar/<str:token>.ics", csrf_exempt(_fail)),
        path("api/v1/failing/", Failing.as_view()),
        path("refused/", csrf_exempt(refuse)),
        path("denied/", csrf_exempt(deny)),
    ]
    form, host = "application/x-www-form-urlencoded", os.environ.get("HOST", "127.0.0.1")
    for address, kind, body, name in (
        (f"/calendar/{SECRET}.ics", form, f"password={SECRET}&name={PERSON}", host),
        ("/api/v1/failing/", "application/json", f'{{"password": "{SECRET}"}}', host),
        ("/refused/", form, "", host),
        ("/denied/", form, "", host),
        (f"/nowhere/{MAIL}/", form, "", host),
        ("/denied/", form, "", "elsewhere.example"),
        ("/readyz/web", form, "", "elsewhere.example"),
    ):
        asked = body.encode()
        answer = application(
            {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": address,
                "QUERY_STRING": f"code={SECRET}&q={PERSON}",
                "CONTENT_TYPE": kind,
                "CONTENT_LENGTH": str(len(asked)),
                "HTTP_HOST": name,
                "HTTP_COOKIE": f"sessionid={SECRET}; csrftoken={SECRET}",
                "HTTP_AUTHORIZATION": f"Bearer {SECRET}",
                "HTTP_USER_AGENT": PERSON,
                "HTTP_REFERER": f"http://127.0.0.1/invitations/{SECRET}/",
                "REMOTE_ADDR": VISITOR,
                "SERVER_NAME": name,
                "SERVER_PORT": "80",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "wsgi.url_scheme": "http",
                "wsgi.input": io.BytesIO(asked),
                "wsgi.errors": io.StringIO(),
            },
            lambda status, headers, error=None: print(status),
        )
        answer.close()

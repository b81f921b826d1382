"""Run `manage.py webhook_receive`: receive webhooks here, check their signatures and print them."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bookings.messaging.domain.webhooks import is_signed

LONGEST = 1 << 20  # bytes of a body


class Command(BaseCommand):
    help = (
        "Receive webhooks at http://127.0.0.1:PORT/, check their signatures with the secret of the webhook's "
        "page, and print them: for trying. Only the demonstration sends to this machine."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=9090)
        parser.add_argument(
            "--secret",
            default=os.environ.get("WEBHOOK_SECRET", ""),
            help="whsec_...; default: the variable WEBHOOK_SECRET; without one nothing is checked",
        )
        parser.add_argument(
            "--status", type=int, default=204, help="what to answer to what is signed, such as 500 or 410"
        )
        parser.add_argument("--most", type=int, default=0, help="end after so many; 0: with Ctrl+C")

    def handle(self, *args: Any, port: int, secret: str, status: int, most: int, **options: Any) -> None:
        if secret and not secret.startswith("whsec_"):
            raise CommandError("A secret begins with whsec_: copy it from the webhook's page.")
        say = self.stdout.write

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = self.headers.get("Content-Length") or ""
                body = self.rfile.read(min(int(length), LONGEST) if length.isdecimal() else 0)
                good = not secret or is_signed(secret, dict(self.headers.items()), body)
                verdict = ("signed" if good else "SIGNATURE WRONG") if secret else "not checked"
                # What came is shown without what a terminal would obey.
                named = "".join(filter(str.isprintable, self.headers.get("webhook-id", "-")))
                say(f"{named} {verdict}")
                say(_shown(body))
                self.send_response(status if good else 401)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        with HTTPServer(("127.0.0.1", port), Receiver) as server:
            say(f"Listening at http://127.0.0.1:{server.server_address[1]}/ ...")
            self.stdout.flush()
            received = 0
            try:
                while not most or received < most:
                    server.handle_request()
                    received += 1
            except KeyboardInterrupt:
                pass


def _shown(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return repr(body)

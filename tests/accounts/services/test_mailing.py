"""Several mails leave over one connection, and none is lost when the server closes it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from django.core.mail import EmailMultiAlternatives

from accounts.services.messages import mail_send, one_connection
from config.local.ports import any_free

CLOSES_AFTER = 3


class Server(Controller):
    """Accepts mails, refuses those to nobody, and closes a connection after three, with or without a word."""

    says_so = True
    began = 0

    def __init__(self) -> None:
        self.accepted: list[str] = []
        self.connections: Counter[Any] = Counter()
        super().__init__(self, hostname="127.0.0.1", port=any_free())

    async def handle_EHLO(
        self, server: SMTP, session: Any, envelope: Any, host: str, answers: list[str]
    ) -> list[str]:
        self.began += 1
        session.host_name = host
        return answers

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, _: list[str]) -> str:
        if address.startswith("nobody"):
            return "550 No such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        self.accepted += envelope.rcpt_tos
        self.connections[session.peer] += 1
        return "250 OK"

    async def handle_NOOP(self, server: SMTP, session: Any, envelope: Any, _: str) -> str:
        if self.connections[session.peer] < CLOSES_AFTER:
            return "250 OK"
        if not self.says_so:
            assert server.transport is not None
            server.transport.close()
        return "421 That is enough"


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    server = Server()
    server.start()
    options = {"host": "127.0.0.1", "port": server.port, "timeout": 5}
    backend = "django.core.mail.backends.smtp.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}
    yield server
    server.stop()


def send(to: str) -> str:
    mail: Any = EmailMultiAlternatives(subject="x", body="x", to=[f"{to}@lab.example"])
    return mail_send([mail])


def test_one_connection_for_several(server: Server) -> None:
    for name in "ab":
        assert send(name) == "sent"
    assert len(server.connections) == 2
    server.connections.clear()
    with one_connection():
        for name in "cd":
            assert send(name) == "sent"
    assert list(server.connections.values()) == [2]
    assert [address[0] for address in server.accepted] == list("abcd")


def test_a_refused_mail_does_not_end_it(server: Server) -> None:
    with one_connection():
        assert send("a") == "sent"
        with pytest.raises(Exception, match="No such user"):
            send("nobody")
        assert send("b") == "sent"
    assert list(server.connections.values()) == [2]


@pytest.mark.parametrize("says_so", [True, False])
def test_it_is_opened_again_when_the_server_has_closed_it(server: Server, says_so: bool) -> None:
    server.says_so = says_so
    with one_connection():
        for name in "abcdefgh":
            assert send(name) == "sent"
    assert [address[0] for address in server.accepted] == list("abcdefgh")
    assert sorted(server.connections.values()) == [2, 3, 3]


def test_without_mails_none_is_opened(server: Server) -> None:
    with one_connection():
        assert mail_send([]) == "skipped"
    assert server.began == 0

"""A server is asked over HTTP: one address at a time, on connections that stay open.

Nothing here knows this platform. A server is described by its address and by one `Ask` for each row
of the table; `$names` in an `Ask` are replaced by the values of the single request.
"""

import http.client
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 60.0


@dataclass(frozen=True)
class Ask:
    """One request. `expects` is the status of an answer that counts as none of the errors;
    `answers` a pattern that its body must show besides."""

    method: str
    path: str
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    expects: int = 200
    answers: str = ""

    def refused(self, status: int, body: bytes) -> str:
        """ "" where the answer is the expected one, else what came instead."""
        if status != self.expects:
            return f"{status} {code_of(body)}".strip()
        is_shown = re.search(self.answers, body.decode(errors="replace"))
        return "" if is_shown else f"{status} with another body"

    def filled(self, values: Mapping[str, str]) -> tuple[str, str | None, dict[str, str]]:
        """Path, body and headers of the request with these values."""
        headers = {name: Template(text).substitute(values) for name, text in self.headers.items()}
        if not self.body:
            return Template(self.path).substitute(values), None, headers
        headers.setdefault("Content-Type", "application/json")
        return (Template(self.path).substitute(values), Template(self.body).substitute(values), headers)


class Server:
    """What listens at host and port. Each process that uses it has one connection of its own."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._connections: dict[int, http.client.HTTPConnection] = {}

    @classmethod
    def at(cls, base: str) -> "Server":
        """The server of an address such as `http://127.0.0.1:8000`."""
        parts = urlsplit(base)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"{base!r} is not like http://host:port")
        return cls(parts.hostname, parts.port or 80)

    def send(self, ask: Ask, values: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer. After an error of the network the connection is closed,
        and the next request opens another."""
        connection = self._connections.setdefault(
            os.getpid(), http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        )
        path, body, headers = ask.filled(values)
        try:
            connection.request(ask.method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """End what this process has open."""
        if connection := self._connections.pop(os.getpid(), None):
            connection.close()

    def act(self, ask: Ask, values: Callable[[int], Mapping[str, str]]) -> Callable[[int], str]:
        """`act(n)` sends the nth request and gives "" where the answer is the expected one, else
        what came instead."""

        def act(number: int) -> str:
            try:
                status, body = self.send(ask, values(number))
            except (OSError, http.client.HTTPException) as error:
                return type(error).__name__
            return ask.refused(status, body)

        return act


def code_of(body: bytes) -> str:
    """The code of a problem (RFC 9457), where the body is one."""
    try:
        problem: Any = json.loads(body)
    except ValueError:
        return ""
    return str(problem.get("code", "")) if isinstance(problem, dict) else ""

"""A web server on this machine that answers as it is told, also badly."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

type Told = tuple[int, dict[str, str | None], bytes]


class Web:
    """`answers`: path -> status, headers, body; `asked`: the headers of every request. /drip and
    /drip-headers send a byte now and then, for ever. An `If-None-Match` that fits gets 304."""

    def __init__(self) -> None:
        self.answers: dict[str, Told] = {}
        self.asked: list[Any] = []
        self.stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def __enter__(self) -> "Web":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            web.asked.append(self.headers)
            try:
                if self.path.startswith("/drip"):
                    self._drip()
                else:
                    self._answer(*web.answers.get(self.path, (404, {}, b"")))
            except OSError:
                pass  # they went away

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def _answer(self, status: int, headers: dict[str, str | None], body: bytes) -> None:
            if headers.get("ETag") and headers["ETag"] == self.headers["If-None-Match"]:
                status, body = 304, b""
            is_chunked = "Transfer-Encoding" in headers
            length = {} if is_chunked else {"Content-Length": str(len(body))}
            self.send_response(status)
            for name, value in {**length, **headers}.items():
                if value is not None:
                    self.send_header(name, value)
            self.end_headers()
            if is_chunked:
                body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
            self.wfile.write(body)

        def _drip(self) -> None:
            if self.path == "/drip":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\n")
            else:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not web.stopped.wait(0.05):
                self.wfile.write(b"x")

        def log_message(self, *_args: Any) -> None:
            pass

    return Handler

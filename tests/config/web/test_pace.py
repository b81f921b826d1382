"""Which connections stand still, and what becomes of them."""

import io
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.web.pace import Bodies, Body, Pace, Seen, is_slow

LIMITS = {"seconds": 60.0, "least": 1000}


def seen(at: float, taken: int = 0, sent: int = 0, is_waiting: bool = True) -> Seen:
    return Seen(at, taken, sent, is_waiting)


@pytest.mark.parametrize(
    ("history", "owes_body", "slow"),
    [
        # Takes nothing of what waits for it.
        ([seen(0), seen(30), seen(60)], False, True),
        ([seen(0), seen(30, 500), seen(60, 999)], False, True),
        ([seen(0), seen(30, 500), seen(60, 1000)], False, False),
        # Not for so long yet.
        ([seen(0), seen(30), seen(59)], False, False),
        ([seen(5)], False, False),
        # It had taken everything meanwhile: it was we who were slow.
        ([seen(0), seen(30, is_waiting=False), seen(60)], False, False),
        # Sends nothing, which matters only where we wait for a body.
        ([seen(0, is_waiting=False), seen(60, is_waiting=False)], True, True),
        ([seen(0, is_waiting=False), seen(60, is_waiting=False)], False, False),
        ([seen(0, sent=9, is_waiting=False), seen(60, sent=1009, is_waiting=False)], True, False),
        # What lies further back counts no more.
        ([seen(0), seen(60, 9000), seen(120, 9000)], False, True),
    ],
)
def test_who_moves_too_little_in_its_time_is_slow(history: list[Seen], owes_body: bool, slow: bool) -> None:
    assert is_slow(history, **LIMITS, owes_body=owes_body) is slow


@given(st.lists(st.integers(1000, 5000), min_size=1, max_size=40))
def test_who_keeps_the_rate_is_never_ended(steps: list[int]) -> None:
    taken, history = 0, []
    for place, step in enumerate([0, *steps]):
        taken += step
        history.append(seen(60.0 * place, taken))
        assert not is_slow(history, **LIMITS, owes_body=True)


def test_a_body_is_read_as_it_was_and_owed_only_while_it_is_waited_for() -> None:
    bodies = Bodies()
    body = Body(io.BytesIO(b"one\ntwo\nthree"), "192.0.2.1", bodies)
    assert (body.read(2), body.readline(), list(body)) == (b"on", b"e\n", [b"two\n", b"three"])
    assert (body.read(), body.moved) == (b"", 13)
    bodies.begin(body)
    assert bodies.owing(0, **LIMITS) == set()
    assert bodies.owing(60, **LIMITS) == {"192.0.2.1"}
    bodies.end(body)
    assert bodies.owing(120, **LIMITS) == set()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection, of which the first is ours."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.socket()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        theirs.connect(server.getsockname())
        ours, _ = server.accept()
        with ours, theirs:
            ours.setblocking(False)
            yield ours, theirs


def filled(ours: socket.socket) -> None:
    """Send until no more is taken."""
    try:
        while True:
            ours.send(bytes(1 << 20))
    except BlockingIOError:
        pass


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="counted by Linux")
def test_only_what_stands_still_at_our_ports_is_ended(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    filled(ours)
    other = Pace(seconds=60, least=100)
    other.ports.add(1)
    pace = Pace(seconds=60, least=100)
    pace.ports.add(ours.getsockname()[1])
    assert [other.look(at) for at in (0, 30, 61)] == [0, 0, 0]
    assert [pace.look(at) for at in (0, 30, 61)] == [0, 0, 1]
    with pytest.raises(OSError):
        ours.send(b"more")
    while theirs.recv(1 << 20):  # what was on its way, and then the end
        pass

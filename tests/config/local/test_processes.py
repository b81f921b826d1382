"""Real processes: which is whose, and how one is stopped."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.local import stopping
from config.local.console import Failed
from config.local.processes import Record, identity, last_lines, run_to_end, running_beside, start


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield child
    child.kill()
    child.wait()


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "process.json")


class TestWhoseProcess:
    def test_a_running_process_is_recognised(
        self, record: Record, sleeper: "subprocess.Popen[bytes]"
    ) -> None:
        written = record.write(sleeper.pid, port=4321)
        assert record.read() == written
        assert written.port == 4321

    def test_one_that_ended_is_gone_even_before_its_parent_knows(
        self, record: Record, sleeper: "subprocess.Popen[bytes]"
    ) -> None:
        record.write(sleeper.pid)
        sleeper.kill()
        os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
        assert record.read() is None
        assert record.last() is not None

    def test_a_stranger_with_the_same_number_is_not_ours(
        self, record: Record, sleeper: "subprocess.Popen[bytes]"
    ) -> None:
        record.write(sleeper.pid)
        forged = json.loads(record.path.read_text())
        record.path.write_text(json.dumps(forged | {"identity": "another start"}))
        assert record.read() is None

    def test_the_record_of_a_copied_checkout_is_not_ours(
        self, record: Record, tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
    ) -> None:
        record.write(sleeper.pid)
        copy = Record(tmp_path / "copy.json")
        copy.path.write_bytes(record.path.read_bytes())
        assert copy.read() is None

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"other": 1}'])
    def test_a_torn_record_counts_as_none(self, record: Record, text: str) -> None:
        record.path.write_text(text)
        assert record.read() is None

    def test_no_record_no_process(self, record: Record) -> None:
        assert record.read() is None
        record.clear()

    def test_two_processes_differ(self, sleeper: "subprocess.Popen[bytes]") -> None:
        assert identity(sleeper.pid) != identity(os.getpid())
        assert identity(sleeper.pid) == identity(sleeper.pid)

    def test_stopping_is_polite_then_certain(self, record: Record, tmp_path: Path) -> None:
        deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True)"
        child = start([sys.executable, "-c", f"{deaf}; time.sleep(60)"], tmp_path / "log", {})
        until(lambda: "up" in (tmp_path / "log").read_text())
        record.write(child.pid).stop((signal.SIGTERM, 0.2))
        assert child.wait(5) == -signal.SIGKILL
        assert record.read() is None


class TestCommands:
    def test_a_failing_command_shows_the_end_of_its_log(self, tmp_path: Path) -> None:
        command = [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"]
        with pytest.raises(Failed, match=r"(?s)trial failed \(exit 3\).*the reason"):
            run_to_end("trial", command, {}, tmp_path / "log")

    def test_only_the_last_start_is_shown(self, tmp_path: Path) -> None:
        for word in ("earlier", "latest"):
            run_to_end("trial", [sys.executable, "-c", f"print('{word}')"], {}, tmp_path / "log")
        assert "latest" in last_lines(tmp_path / "log")
        assert "earlier" not in last_lines(tmp_path / "log")

    def test_one_beside_others_is_awaited_and_must_succeed(self, tmp_path: Path) -> None:
        command = [sys.executable, "-c", "import time; time.sleep(0.3); print('whole')"]
        with running_beside("trial", command, {}, tmp_path / "log"):
            pass
        assert "whole" in last_lines(tmp_path / "log")
        command[-1] += "; raise SystemExit(3)"
        with (
            pytest.raises(Failed, match=r"trial failed \(exit 3\)"),
            running_beside("trial", command, {}, tmp_path / "log"),
        ):
            pass

    def test_one_beside_what_fails_is_ended(self, tmp_path: Path) -> None:
        command = [sys.executable, "-c", "import time; time.sleep(60); print('whole')"]
        began = time.monotonic()
        with pytest.raises(Failed, match="the first"), running_beside("trial", command, {}, tmp_path / "log"):
            raise Failed("the first")
        assert time.monotonic() - began < 10
        assert "whole" not in last_lines(tmp_path / "log")

    def test_a_wish_to_stop_ends_the_command(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stopping, "_received", [])
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        threading.Timer(0.3, stopping.note, [signal.SIGTERM]).start()
        began = time.monotonic()
        with pytest.raises(stopping.StopRequested):
            run_to_end("trial", command, {}, tmp_path / "log")
        assert time.monotonic() - began < 10

    def test_while_holding_back_nothing_is_cut_short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stopping, "_received", [signal.SIGINT])
        with stopping.holding_back():
            stopping.nap(0)
        with pytest.raises(stopping.StopRequested):
            stopping.nap(0)
        assert stopping.exit_code() == 130


def until(true: Callable[[], bool], patience: float = 10) -> None:
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)

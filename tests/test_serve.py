"""The real command, from outside: start, answer, stop in time, stop at once, several processes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from bot.lock import Busy, ServingLock

HOME = Path(__file__).parent.parent


class Served:
    """A running ``aftercare serve``."""

    def __init__(self, folder: Path, database: str, *more: str) -> None:
        config = (HOME / "config.yaml").read_text("utf-8").replace("knowledge/", f"{HOME}/knowledge/")
        config = config.replace("intents: intents", f"intents: {HOME}/intents")
        (folder / "config.yaml").write_text(config, "utf-8")
        environment = {**os.environ, "DATABASE_URL": database}
        command = [sys.executable, "-m", "bot", "serve", "--port", "0", *more]
        environment["PYTHONPATH"] = str(HOME)
        self.log = (folder / "log").open("a+")
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.url = ""
        assert self.process.stdout
        for line in self.process.stdout:
            if found := re.search(r"ready at (http://\S+)", line):
                self.url = found[1]
                return
        self.log.seek(0)
        said = self.log.read()
        self.end()
        raise AssertionError(said)

    def end(self) -> None:
        """Kill it, whatever it does."""
        self.process.kill()
        self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()
        self.log.close()


@contextmanager
def served(folder: Path, database: str, *more: str) -> Iterator[Served]:
    """Start it, and end it whatever happens."""
    server = Served(folder, database, *more)
    try:
        yield server
    finally:
        server.end()


class Customer:
    """Somebody with the widget open."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self._http, self._url, self._headers = http, url, {"Authorization": f"Bearer {token}"}

    async def say(self, text: str, id: str = "") -> dict[str, Any]:
        message = {"id": id or str(uuid4()), "text": text}
        async with self._http.post(f"{self._url}/chat/messages", json=message, headers=self._headers) as answer:
            assert answer.status == 202, await answer.text()
            return dict(await answer.json())

    async def heard(self, many: int, seconds: float = 10) -> list[dict[str, Any]]:
        """The first so many messages of the chat."""
        found: list[dict[str, Any]] = []
        async with asyncio.timeout(seconds):
            async with self._http.get(f"{self._url}/chat/events?after=0", headers=self._headers) as stream:
                async for line in stream.content:
                    if line.startswith(b"data:") and b'"seq"' in line:
                        found.append(json.loads(line[5:]))
                    if len(found) >= many:
                        return found
        raise AssertionError(found)


async def customer(http: aiohttp.ClientSession, url: str) -> Customer:
    async with http.post(f"{url}/chat/session", json={}) as answer:
        return Customer(http, url, (await answer.json())["token"])


async def test_it_answers_and_a_restart_after_kill_9_has_lost_nothing(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/a.db"
    async with aiohttp.ClientSession() as http:
        with served(tmp_path, database) as first:
            asker = await customer(http, first.url)
            receipt = await asker.say("怎么恢复出厂设置")
            asked, answered = await asker.heard(2)
            assert (asked["author"], answered["author"]) == ("customer", "bot")
            assert "Reset" in answered["text"]
            assert receipt["seq"] == 1
            await asker.say("人工")
            first.process.send_signal(signal.SIGKILL)
        with served(tmp_path, database) as second:
            again = Customer(http, second.url, asker._headers["Authorization"].split()[1])
            history = await again.heard(4)
            assert [m["text"] for m in history if m["author"] == "customer"] == ["怎么恢复出厂设置", "人工"]
            assert re.search(r"T-[0-9A-Z]{8}", history[3]["text"])


async def test_it_tells_its_health_and_stops_in_time_with_a_stream_open(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:
        with served(tmp_path, f"sqlite:///{tmp_path}/a.db") as server:
            async with http.get(f"{server.url}/livez") as answer:
                assert answer.status == 200
            async with http.get(f"{server.url}/readyz") as answer:
                assert answer.status == 200
                assert (await answer.json())["ready"] is True
            asker = await customer(http, server.url)
            await asker.say("hello")
            await asker.heard(2)
            async with http.get(f"{server.url}/metrics") as answer:
                assert 'aftercare_events_received_total{channel="web",kind="new"} 1.0' in await answer.text()
            waiting = asyncio.create_task(asker.heard(99, 30))
            await asyncio.sleep(0.3)
            server.process.terminate()
            assert await asyncio.to_thread(server.process.wait, 10) == 0
            with pytest.raises((AssertionError, aiohttp.ClientError)):
                await waiting
            server.log.seek(0)
            assert "hello" not in server.log.read()


@pytest.mark.parametrize("ignored", [False, True])
def test_a_terminal_that_goes_away_ends_the_server_properly_and_nohup_keeps_it(tmp_path: Path, ignored: bool) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)  # a child inherits it
    try:
        with served(tmp_path, f"sqlite:///{tmp_path}/a.db") as server:
            server.process.send_signal(signal.SIGHUP)
            if ignored:
                server.process.terminate()
            assert server.process.wait(15) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_server_on_one_sqlite_file_is_refused(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/a.db"
    with served(tmp_path, database) as first:
        with pytest.raises(AssertionError) as refused:
            Served(tmp_path, database)
        told = f"another aftercare process serves {tmp_path}/a.db; its web chat is at {first.url}\n"
        assert str(refused.value).endswith(told)
        (tmp_path / "b.db").hardlink_to(tmp_path / "a.db")
        with pytest.raises(AssertionError, match=r"b\.db has 2 names \(hard links\)"):
            Served(tmp_path, f"sqlite:///{tmp_path}/b.db")


def test_a_link_to_a_sqlite_file_has_no_lock_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "b.db").symlink_to(tmp_path / "a.db")
    first = ServingLock(str(tmp_path / "a.db"))
    first.take()
    with pytest.raises(Busy, match=r"serves .*/a\.db"):
        ServingLock(str(tmp_path / "b.db")).take()
    first.drop()


async def test_two_processes_on_postgresql_share_the_work(tmp_path: Path, postgres: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(postgres.format(name="postgres"))
    await connection.execute("CREATE DATABASE two_processes")
    await connection.close()
    url = postgres.format(name="two_processes")
    async with aiohttp.ClientSession() as http:
        with served(tmp_path, url, "--workers", "2") as server:

            async def one() -> None:
                asker = await customer(http, server.url)
                for k in range(3):
                    await asker.say("hello" if k % 2 else "你好")
                heard = await asker.heard(6, 20)
                assert [m["seq"] for m in heard] == [1, 2, 3, 4, 5, 6]

            await asyncio.gather(*(one() for _ in range(12)))
            server.process.terminate()
            assert await asyncio.to_thread(server.process.wait, 20) == 0


async def test_workers_whose_parent_is_killed_before_they_look_around_end_too(tmp_path: Path, postgres: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(postgres.format(name="postgres"))
    await connection.execute("CREATE DATABASE orphans")
    await connection.close()
    url = postgres.format(name="orphans")
    with served(tmp_path, url, "--workers", "2") as server:  # it says so as soon as they are begun
        port = int(server.url.rpartition(":")[2])
        server.process.kill()
        server.process.wait(10)
        end = time.monotonic() + 60
        while await asyncio.to_thread(listening, port):
            assert time.monotonic() < end, "they live on"
            await asyncio.sleep(0.2)


def listening(port: int) -> bool:
    """Whether anybody does there."""
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def test_where_others_reach_it_it_does_not_start_without_an_admin(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/a.db"
    environment = {**os.environ, "DATABASE_URL": database, "AFTERCARE_SECRET_KEY": os.urandom(32).hex()}
    command = [sys.executable, "-m", "bot", "serve", "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(command, cwd=HOME, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (1, 2)
    assert "there is no admin, and with host 0.0.0.0 others can reach the console" in done.stderr
    assert "aftercare agent add LOGIN --role admin" in done.stderr
    assert "ready" not in done.stdout


def test_ctrl_c_ends_a_chat_that_waits_for_a_line(tmp_path: Path) -> None:
    settings = (
        f"database: sqlite:///{tmp_path}/a.db\nknowledge: {{faq: {HOME}/knowledge/faq, intents: {HOME}/intents}}\n"
    )
    (tmp_path / "config.yaml").write_text(settings, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    command = [sys.executable, "-m", "bot", "chat"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, **pipes) as chat:
        assert chat.stdout
        assert chat.stderr
        while chat.stdout.readline().strip() == "":  # until he is greeted
            assert chat.poll() is None, chat.stderr.read()
        chat.send_signal(signal.SIGINT)
        try:
            assert chat.wait(60) == 130
        finally:
            chat.kill()
        assert chat.stderr.read() == ""

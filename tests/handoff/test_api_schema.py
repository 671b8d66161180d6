"""The API keeps to its own document, whatever is sent: nothing breaks it, nothing comes back that is not written."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as written

from bot.app import App
from bot.config import Limits, Settings
from bot.known import Known
from bot.server import listen, web
from bot.store import Store
from handoff import accounts, tokens
from tests.handoff.conftest import matters, people

CHECKS = (
    checks.not_a_server_error,
    written.status_code_conformance,
    written.content_type_conformance,
    written.response_headers_conformance,
    written.response_schema_conformance,
)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
REAL: dict[str, dict[str, list[Any]]] = {  # what there is, so that not everything is "there is no such"
    "number": {"conversations": ["C-REPAIR00", "C-SALES000"], "tickets": ["T-REPAIR00", "T-SALES000"]},
    "id": {"customers": [1, 2], "agents": [1, 2, 6], "alarms": [1], "dead": ["1", "r1"]},
}


class Serving(threading.Thread):
    """A whole house with its server, on a loop of its own."""

    def __init__(self, database: str, folder: Path, known: Callable[[], Known]) -> None:
        super().__init__(daemon=True)
        self._database, self._known = database, known
        self._settings = Settings(data=folder, limits=Limits(api_per_minute=1_000_000, attempts=1))
        self._listener = listen("127.0.0.1", 0)
        self.place = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.token = ""
        self._ready, self._server = threading.Event(), uvicorn.Server(uvicorn.Config("", log_config=None))
        self.faults: list[Any] = []

    def run(self) -> None:
        """Until it is over."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        app = App(self._settings, store=Store(self._database, durable=False), channels=[], known=self._known)
        await app.store.write(people)
        await app.store.write(matters)
        self.token = await app.store.write(lambda c: tokens.add(c, None, accounts.named(c, "root"), "all", ["all"]))
        await app.start()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.faults.append(context))
        config = uvicorn.Config(web(app), log_config=None, access_log=False, lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._ready.set()
        await self._server.serve([self._listener])
        await app.stop()

    def __enter__(self) -> Serving:
        self.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self.join(30)


@pytest.fixture
def serving(database: str, tmp_path: Path, known: Callable[[], Known]) -> Iterator[Serving]:
    """A house that is served."""
    with Serving(database, tmp_path, known) as one:
        yield one


def attack(serving: Serving, most: int) -> int:
    """Ask every operation so many things, half of them wrong; returns how many were answered with what was asked."""
    schema = schemathesis.openapi.from_url(f"{serving.place}/openapi.json")
    headers, done = {"Authorization": f"Bearer {serving.token}"}, []
    for operation in schema.get_all_operations():
        for mode in MODES:
            cases = operation.ok().as_strategy(generation_mode=mode)  # type: ignore[union-attr]

            @settings(
                max_examples=most,
                deadline=None,
                database=None,
                derandomize=True,
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
            )
            @given(case=cases, pick=st.integers(0, 5))
            def ask(case: Any, pick: int) -> None:
                for name, known in REAL.items():
                    if name in case.path_parameters and pick:
                        real = next((v for k, v in known.items() if f"/{k}/" in case.path), None)
                        case.path_parameters[name] = real[pick % len(real)] if real else case.path_parameters[name]
                assume("\n" not in "".join(map(str, case.path_parameters.values())))  # in no address at all
                assume("/agents/" not in case.path or str(case.path_parameters["id"]) != "4")  # it is who asks
                answer = case.call_and_validate(headers=headers, checks=CHECKS)
                done.append(answer.status_code < 400)

            ask()
    assert httpx2.get(f"{serving.place}/api/v1/me", headers=headers).status_code == 200
    return sum(done)


def test_nothing_breaks_it_and_it_keeps_to_its_document(serving: Serving, backend: str) -> None:
    most = 6 if backend == "sqlite" else 2
    assert attack(serving, most) > 20 * most
    assert serving.faults == []


@pytest.mark.soak
def test_nothing_breaks_it_for_long(serving: Serving) -> None:
    assert attack(serving, 200) > 4000
    assert serving.faults == []

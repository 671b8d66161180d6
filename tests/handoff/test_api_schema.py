"""The API keeps to its own document, whatever is sent: nothing breaks it, nothing comes back that is not written."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as written

from tests.handoff.serving import Serving

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

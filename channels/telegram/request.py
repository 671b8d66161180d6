"""The HTTP client that python-telegram-bot is given: aiohttp takes a tenth of the CPU of the library's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import aiohttp
from telegram.error import NetworkError, TelegramError
from telegram.request import BaseRequest, RequestData

from channels import NotSent, Unknown

CONNECT: Final = 5.0  # seconds
ANSWER: Final = 30.0


class AiohttpRequest(BaseRequest):
    """Says of every failure whether the request can have arrived. ``clock`` is told the time there."""

    read_timeout = ANSWER

    def __init__(self, http: Callable[[], aiohttp.ClientSession], clock: Callable[[str], None]) -> None:
        super().__init__()
        self._http, self._clock = http, clock

    async def initialize(self) -> None:
        """Nothing: the session is made when it is needed."""

    async def shutdown(self) -> None:
        """Do nothing: the session is the client's."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = None,
        *_: Any,
        **__: Any,
    ) -> tuple[int, bytes]:
        """Status and body of the answer."""
        wait = read_timeout if isinstance(read_timeout, int | float) else ANSWER
        patience = aiohttp.ClientTimeout(total=wait, sock_connect=CONNECT)
        try:
            async with self._http().request(method, url, data=_form(request_data), timeout=patience) as answer:
                self._clock(answer.headers.get("Date", ""))
                return answer.status, await answer.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NetworkError("not reached") from NotSent(f"Telegram is not reached: {type(error).__name__}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NetworkError("no answer") from Unknown(f"no answer from Telegram: {type(error).__name__}")

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Parse an answer as the library does, but without its payload, which is people's words, in the log."""
        try:
            return dict(json.loads(payload))
        except (ValueError, TypeError, RecursionError) as error:
            raise TelegramError("Invalid server response") from error


def _form(data: RequestData | None) -> Any:
    if data is None:
        return None
    if not data.contains_files:
        return data.json_parameters
    form = aiohttp.FormData(data.json_parameters)
    for field, (name, content, kind) in data.multipart_data.items():
        form.add_field(field, content, filename=name, content_type=kind)
    return form

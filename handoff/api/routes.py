"""Everything the API can do: one table, from which routes, policies and the OpenAPI document come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema
from starlette.responses import Response
from starlette.types import ASGIApp

from handoff.api import conversations, customers, house, tickets
from handoff.api.conversation_responses import Conversation, Course, Line, Message
from handoff.api.gate import Gate, Operation
from handoff.api.house_responses import (
    Agent,
    Alarm,
    Answer,
    Booked,
    Colleague,
    Counts,
    Failure,
    Faq,
    Found,
    Hired,
    Phrase,
    Settings,
    Unanswered,
    Wall,
    Why,
)
from handoff.api.problems import MEDIA, Problem, answered
from handoff.api.responses import Customer, CustomerLine, Done, File, Me, Page, Ticket, TicketKind, TicketLine

AT: Final = "/api/v1"
_ABOUT: Final = (
    "What agents can do in the console, for integrations. A token acts for an account, within its scopes: "
    "the role and teams of that account hold. Commands carry an Idempotency-Key; lists are paged by a cursor."
)
_PROBLEM: Final = {
    "description": "Why it was not done",
    "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_BYTES: Final = {"schema": {"type": "string", "format": "binary"}}
_FORM: Final = {"schema": {"type": "object", "properties": {"file": _BYTES["schema"]}, "required": ["file"]}}
_FILE: Final = {"required": True, "content": {"application/octet-stream": _BYTES, "multipart/form-data": _FORM}}
_NAME: Final = {
    "name": "X-File-Name",
    "in": "header",
    "description": "Percent-encoded, of a file that is the body itself.",
    "schema": {"type": "string"},
}


def operations() -> list[Operation]:
    """All there is; what has no action cannot be written."""
    return [
        Operation("GET", "/me", house.me, "self", Me),
        Operation("PUT", "/me/presence", house.be, "self", Me),
        Operation("GET", "/search", conversations.search, "inbox.read", Found),
        Operation("GET", "/counts", house.counts, "inbox.read", Counts),
        Operation("GET", "/colleagues", house.colleagues, "inbox.read", list[Colleague]),
        Operation("GET", "/wall", house.wall, "wall.read", Wall),
        Operation("GET", "/alarms", house.alarms, "alarm.read", list[Alarm]),
        Operation("POST", "/alarms/{id}/settle", house.settle_alarm, "alarm.command", Done),
        Operation("GET", "/dead", house.failures, "dead.read", Page[Failure]),
        Operation("POST", "/dead/{id}/{do}", house.settle_failure, "dead.command", Done),
        Operation("GET", "/faq", house.faq, "faq.read", Faq),
        Operation("GET", "/faq/search", house.answers, "faq.read", list[Answer]),
        Operation("GET", "/faq/why", house.why, "faq.read", Why),
        Operation("GET", "/faq/unanswered", house.unanswered, "faq.read", list[Unanswered]),
        Operation("GET", "/agents", house.agents, "account.read", list[Agent]),
        Operation("POST", "/agents", house.add_agent, "account.command", Hired, status=201),
        Operation("PATCH", "/agents/{id}", house.change_agent, "account.command", Done),
        Operation("POST", "/agents/{id}/link", house.link_agent, "account.command", Hired),
        Operation("POST", "/agents/{id}/{do}", house.settle_agent, "account.command", Done),
        Operation("GET", "/settings", house.settings, "settings.read", Settings),
        Operation("GET", "/audit", house.audit, "audit.read", Page[Booked]),
        *_of_customers(),
        *_of_tickets(),
        *_of_conversations(),
    ]


def _of_customers() -> list[Operation]:
    command, here = "customer.command", "/customers/{id}"
    return [
        Operation("GET", "/customers", customers.customers, "customer.read", Page[CustomerLine]),
        Operation("GET", here, customers.customer, "customer.read", Customer, "id"),
        Operation("POST", f"{here}/notes", customers.note_customer, command, Done, "id"),
        Operation("PUT", f"{here}/tier", customers.set_tier, "customer.tier", Done, "id"),
        Operation("POST", f"{here}/start", customers.write_to, command, Done, "id"),
        Operation("POST", f"{here}/tickets", customers.register, command, Done, "id"),
    ]


def _of_tickets() -> list[Operation]:
    command, here, number = "ticket.command", "/tickets/{number}", "number"
    return [
        Operation("GET", "/kinds", tickets.kinds, "ticket.read", list[TicketKind]),
        Operation("POST", "/tickets", customers.register_new, "customer.command", Done),
        Operation("GET", "/tickets", tickets.tickets, "ticket.read", Page[TicketLine]),
        Operation("GET", here, tickets.ticket, "ticket.read", Ticket, number),
        Operation("POST", f"{here}/move", tickets.move, command, Done, number),
        Operation("POST", f"{here}/own", tickets.own, command, Done, number),
        Operation("POST", f"{here}/word", tickets.word, command, Done, number),
    ]


def _of_conversations() -> list[Operation]:
    read, command, here, number = "conversation.read", "conversation.command", "/conversations/{number}", "number"
    do = conversations
    commands: dict[str, Callable[..., Awaitable[Any]]] = {
        "claim": do.claim,
        "say": do.say,
        "start": do.start,
        "note": do.note,
        "back": do.back,
        "transfer": do.transfer,
        "snooze": do.snooze,
        "close": do.close,
        "reopen": do.reopen,
        "language": do.language,
        "tickets": do.open_ticket,
        "promises": do.promise,
        "promises/{promise}": do.end_promise,
        "seen": do.seen,
        "messages/{reply}/resend": do.resend,
    }
    return [
        Operation("GET", "/conversations", do.conversations, "inbox.read", Page[Line]),
        Operation("GET", here, do.conversation, read, Conversation, number),
        Operation("GET", f"{here}/messages", do.messages, read, Page[Message], number),
        Operation("GET", f"{here}/course", do.course, read, Course, number),
        Operation("GET", f"{here}/phrases", do.phrases, command, list[Phrase], number),
        Operation("GET", f"{here}/suggested", do.suggested, read, list[Answer], number),
        Operation("POST", f"{here}/files", do.upload, command, File, number, 201, raw=True),
        Operation("GET", f"{here}/files/{{id}}", do.download, read, None, number),
        *(Operation("POST", f"{here}/{name}", one, command, Done, number) for name, one in commands.items()),
    ]


class Api(FastAPI):
    """FastAPI with the document told as it is: every refusal is a problem, every operation wants a token."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if not self.openapi_schema:
            parts = super().openapi().setdefault("components", {})
            _, told = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
            parts["schemas"].update(told["$defs"])
            parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        return super().openapi()


def api(house: Any) -> ASGIApp:
    """The API of a running application."""
    app = Api(title="Aftercare", version="1", description=_ABOUT, docs_url=None, redoc_url=None)  # no foreign scripts
    gate = Gate(house)
    answered(app)
    for one in operations():
        app.router.add_api_route(
            AT + one.path,
            one.endpoint,
            methods=[one.method],
            route_class_override=gate.route(one),
            **_written(one),
        )
    return app


def _written(one: Operation) -> dict[str, Any]:
    """What the document tells of it beside its models."""
    responses: dict[int | str, Any] = {"default": _PROBLEM}
    told: dict[str, Any] = {"operation_id": one.endpoint.__name__, "tags": [one.path.split("/")[1]]}
    told["openapi_extra"] = {"security": [{"token": [one.action]}]}
    told["status_code"] = one.status
    if one.answer is None:
        told["response_class"] = Response
        responses[one.status] = {"description": "The file", "content": {"*/*": _BYTES}}
    else:
        told["response_model"] = one.answer
    if one.answer is Done and one.action.endswith(".command"):
        responses[202] = {"model": Done, "description": "It is under way"}
    if one.raw:
        told["openapi_extra"] |= {"requestBody": _FILE, "parameters": [_NAME]}
    return {**told, "responses": responses}

"""Every route of the console with its policy: what is done there, and to which conversation or ticket."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from handoff.console import alarms, books, customers, inbox, live, login, people, tickets, wall, work
from handoff.console.gate import PUBLIC, Asked, House, Way, route
from handoff.console.look import files, version

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def ways(pages: live.Live) -> list[Way]:
    """All there is; a route without a policy cannot be written."""
    return [
        Way("/static/{version}/{name}", static, PUBLIC),
        Way("/login", login.login, PUBLIC, page=True),
        Way("/login", login.sign_in, PUBLIC, method="POST", page=True),
        Way("/welcome/{token}", login.welcome, PUBLIC, page=True),
        Way("/welcome/{token}", login.settle, PUBLIC, method="POST", page=True),
        Way("/logout", login.sign_out, "self", method="POST"),
        Way("/presence", login.presence, "self", method="POST"),
        Way("/", inbox.inbox, "inbox.read", page=True),
        Way("/list", inbox.listing, "inbox.read"),
        Way("/counts", inbox.counts, "inbox.read"),
        Way("/events", partial(live.events, live=pages), "inbox.read"),
        Way("/tickets", tickets.listing, "ticket.read", page=True),
        Way("/tickets/{number}", tickets.one, "ticket.read", "number", page=True),
        Way("/tickets/{number}/commands/{name}", tickets.command, "ticket.command", "number", "POST"),
        Way("/alarms", alarms.alarms, "alarm.read", page=True),
        Way("/alarms", alarms.settle, "alarm.command", method="POST"),
        Way("/wall", wall.wall, "wall.read", page=True),
        Way("/wall/figures", wall.figures, "wall.read"),
        Way("/dead", books.failures, "dead.read", page=True),
        Way("/dead", books.settle_failure, "dead.command", method="POST"),
        Way("/faq", books.answers, "faq.read", page=True),
        Way("/settings", books.settings, "settings.read", page=True),
        Way("/audit", books.audits, "audit.read", page=True),
        Way("/faq/search", inbox.answers, "faq.read"),
        *_of_customers(),
        *_of_accounts(),
        *_of_a_conversation(),
    ]


def _of_customers() -> list[Way]:
    command, here = "customer.command", "/customers/{id}"
    return [
        Way("/customers", customers.listing, "customer.read", page=True),
        Way(here, customers.one, "customer.read", "id", page=True),
        Way(f"{here}/notes", customers.note, command, "id", "POST"),
        Way(f"{here}/tier", customers.tier, "customer.tier", "id", "POST"),
        Way(f"{here}/start", customers.start, command, "id", "POST"),
        Way("/register", customers.form, command, page=True),
        Way("/register", customers.register, command, method="POST"),
    ]


def _of_accounts() -> list[Way]:
    return [
        Way("/people", people.people, "account.read", page=True),
        Way("/people", people.add, "account.command", method="POST"),
        Way("/people/{id}", people.change, "account.command", method="POST"),
        Way("/people/{id}/tokens", people.add_token, "account.command", method="POST"),
        Way("/people/{id}/tokens/revoke", people.revoke_token, "account.command", method="POST"),
        Way("/people/{id}/{do}", people.settle, "account.command", method="POST"),
    ]


def _of_a_conversation() -> list[Way]:
    read, command, here = "conversation.read", "conversation.command", "/conversations/{number}"
    return [
        Way(here, inbox.conversation, read, "number", page=True),
        Way(f"{here}/head", inbox.head, read, "number"),
        Way(f"{here}/side", inbox.side, read, "number"),
        Way(f"{here}/colleagues", inbox.colleagues, command, "number"),
        Way(f"{here}/older", inbox.older, read, "number"),
        Way(f"{here}/files/{{id}}", work.download, read, "number"),
        Way(f"{here}/seen", inbox.look, read, "number", "POST"),
        Way(f"{here}/suggested", inbox.suggested, read, "number"),
        Way(f"{here}/canned", inbox.phrases, command, "number"),
        Way(f"{here}/files", work.upload, command, "number", "POST"),
        Way(f"{here}/retry", inbox.retry, command, "number", "POST"),
        Way(f"{here}/commands/{{name}}", work.command, command, "number", "POST"),
    ]


def console(house: House) -> Starlette:
    """The console of a running application."""
    routes: list[Route] = [route(house, way) for way in ways(live.Live(house))]
    return Starlette(routes=routes)


async def static(asked: Asked) -> Response:
    """A file of the console itself; its address changes with it."""
    name = asked.path("name")
    if name not in files():
        return Response(status_code=404)
    kept = "public, max-age=31536000, immutable" if asked.path("version") == version() else "no-cache"
    headers = {"Cache-Control": kept}
    return Response(files()[name], media_type=_TYPES[Path(name).suffix], headers=headers)

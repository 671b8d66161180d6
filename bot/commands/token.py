"""``aftercare agent token …``: what integrations may do with the API."""

from __future__ import annotations

from json import dumps
from typing import Annotated, Any

import typer

from bot.commands.options import CONFIG, Config

token = typer.Typer(help="Tokens of integrations.", no_args_is_help=True, rich_markup_mode=None)


@token.command()
def add(
    login: Annotated[str, typer.Argument(help="The account it acts for: its role and teams are the token's.")],
    name: Annotated[str, typer.Argument(help="What the integration is called, such as shop.")],
    config: Config = CONFIG,
    scope: Annotated[list[str] | None, typer.Option(help="May be given several times; else read.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="So long it lasts; else for good.")] = None,
) -> None:
    """Print a new token, for the only time."""
    from bot import transaction
    from bot.config import load
    from handoff import accounts, tokens

    def work(connection: Any) -> str:
        return tokens.add(connection, None, accounts.named(connection, login), name, scope or ["read"], days)

    typer.echo(transaction.run(load(config), work, write=True))
    typer.echo("It is not shown again: only its hash is kept.", err=True)


@token.command("list")
def show(
    config: Config = CONFIG,
    json: Annotated[bool, typer.Option("--json", help="For programs: one object a line.")] = False,
) -> None:
    """Show every token: for whom it acts, what it may, when it was last used."""
    from datetime import UTC, datetime

    from bot import transaction
    from bot.config import load
    from handoff import tokens

    for row in transaction.run(load(config), tokens.listed):
        used = f"{datetime.fromtimestamp(row['used_at'], UTC):%Y-%m-%d %H:%M}Z" if row["used_at"] else "never used"
        state = used if row["usable"] else "of no use"
        line = f"{row['name']:20} {row['login']:20} {state:18} {' '.join(row['scopes'])}"
        typer.echo(dumps(row, ensure_ascii=False) if json else line)


@token.command()
def revoke(
    name: Annotated[str, typer.Argument(help="What the integration is called.")], config: Config = CONFIG
) -> None:
    """Take a token out of use at once; what it did stays on record."""
    from bot import transaction
    from bot.config import load
    from handoff import tokens

    transaction.run(load(config), lambda c: tokens.revoke(c, None, name), write=True)
    typer.echo(f"{name} is revoked")

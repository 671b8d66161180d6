"""``aftercare agent …``: the accounts of the people who work here."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.options import CONFIG, Config
from bot.commands.token import token

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.store import Work

agent = typer.Typer(help="The people who work with customers.", no_args_is_help=True, rich_markup_mode=None)
agent.add_typer(token, name="token")
Login = Annotated[str, typer.Argument(help="What they sign in with, such as anna or li.wei.")]
Many = list[str] | None


@agent.command()
def add(
    login: Login,
    config: Config = CONFIG,
    name: Annotated[str, typer.Option(help="As customers and colleagues see it; else the login.")] = "",
    role: Annotated[str, typer.Option(help="agent, supervisor, admin or auditor.")] = "agent",
    team: Annotated[Many, typer.Option(help="May be given several times.")] = None,
    skill: Annotated[Many, typer.Option(help="A product or kind of service; none given: all.")] = None,
    language: Annotated[Many, typer.Option(help="A language they answer in; none given: all.")] = None,
    capacity: Annotated[int | None, typer.Option(help="Conversations at a time; else handoff.capacity.")] = None,
) -> None:
    """Add an account and print the one-use link that brings its password."""
    from handoff import accounts
    from handoff.access import audit

    room = _settings(config).handoff.capacity if capacity is None else capacity

    def work(connection: Any) -> str:
        more = {"teams": team or (), "skills": skill or (), "languages": language or (), "capacity": room}
        number = accounts.add(connection, login, name=name, role=role, **more)
        told = {"login": login, "role": role, "via": "command line"}
        audit(connection, None, "account_added", f"agent:{number}", told)
        return accounts.link(connection, number)

    _tell_link(config, work)


@agent.command("list")
def show(
    config: Config = CONFIG,
    json: Annotated[bool, typer.Option("--json", help="For programs: one object a line.")] = False,
) -> None:
    """Show every account: its role, teams, and whether it can be used."""
    from bot import transaction
    from bot.config import load
    from handoff.accounts import listed

    for row in transaction.run(load(config), listed):
        state = "disabled" if row["disabled_at"] else row["presence"] if row["ready"] else "has not used its link"
        teams = ", ".join(row["teams"])
        line = f"{row['login']:20} {row['role']:10} {state:22} {row['name']}{f' ({teams})' if teams else ''}"
        typer.echo(dumps(row, ensure_ascii=False) if json else line)


@agent.command()
def disable(login: Login, config: Config = CONFIG) -> None:
    """Take an account out of use at once; what it did stays on record."""
    from bot import transaction
    from handoff import accounts
    from handoff.access import audit

    def work(connection: Any) -> None:
        number = accounts.named(connection, login).id
        accounts.disable(connection, number)
        audit(connection, None, "account_disabled", f"agent:{number}", {"via": "command line"})

    transaction.run_on_upgraded(_settings(config), work)
    typer.echo(f"{login} is disabled; whoever was signed in under it is no longer")


@agent.command()
def link(
    login: Login,
    config: Config = CONFIG,
    channel: Annotated[str, typer.Option(help="Link who they are there instead: a name in config.yaml.")] = "",
    sender: Annotated[str, typer.Option(help="Their id on that channel.")] = "",
) -> None:
    """Print a new one-use link (a forgotten password), or link an account to somebody on a channel."""
    from bot import transaction
    from handoff import accounts
    from handoff.access import audit

    if bool(channel) != bool(sender):
        raise typer.BadParameter("--channel and --sender go together")

    def identify(connection: Any) -> None:
        number = accounts.named(connection, login).id
        accounts.identify(connection, number, channel, sender)
        told = {"channel": channel, "sender": sender, "via": "command line"}
        audit(connection, None, "identity_linked", f"agent:{number}", told)

    def renew(connection: Any) -> str:
        account = accounts.named(connection, login)
        if account.disabled_at is not None:
            raise accounts.NoAccount(f"{login} is disabled; an admin can enable it in the console")
        audit(connection, None, "link_made", f"agent:{account.id}", {"via": "command line"})
        return accounts.link(connection, account.id)

    if not channel:
        return _tell_link(config, renew)
    settings = _settings(config)
    if channel not in settings.channels and channel not in settings.off:
        raise typer.BadParameter(f"there is no channel {channel!r} in {config}", param_hint="'--channel'")
    transaction.run_on_upgraded(settings, identify)
    typer.echo(f"{sender} on {channel} is {login} from now on")
    return None


def _tell_link(config: Path, work: Work[str]) -> None:
    from bot import transaction

    settings = _settings(config)
    typer.echo(f"{settings.server.place}/console/welcome/{transaction.run_on_upgraded(settings, work)}")
    typer.echo("The link can be used once, within three days.", err=True)


def _settings(config: Path) -> Settings:
    from bot.config import load

    return load(config)

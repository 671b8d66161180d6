"""The command line: each command is a few lines over a function that lives elsewhere, imported when it is called."""

from __future__ import annotations

import signal

_HEARD = signal.signal(signal.SIGINT, signal.SIG_DFL)  # what is imported takes a while: Ctrl-C then leaves no traceback

import errno
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from json import dumps, loads
from pathlib import Path
from typing import Annotated

import typer

from bot.commands import agent, audit, faq, knowledge
from bot.commands.options import CONFIG, FAILED, WRONG, Config, Lang, spoken
from bot.strictyaml import YamlError

MISNAMED = (errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)  # no file can be there
signal.signal(signal.SIGINT, _HEARD)

app = typer.Typer(
    help="Aftercare, a self-hosted after-sales support chatbot.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def serve(
    config: Config = CONFIG,
    host: Annotated[str, typer.Option(help="Listen here, not at server.host.")] = "",
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Listen here, not at server.port.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; more than one needs PostgreSQL.")] = 1,
) -> None:
    """Run everything that is configured: web chat, hooks, channels, workers."""
    gc.disable()  # until all is there: what is read at a start is there to stay
    from bot import log
    from bot.config import load
    from bot.knowledge_base import begin_loading

    log.set_up()
    settings = load(config, serving=True, host=host, port=port)
    known = begin_loading(settings)  # the answers are solved while the rest is imported

    from bot import launch

    launch.serve(settings, workers, known)


@app.command()
def chat(config: Config = CONFIG, lang: Lang = "") -> None:
    """Talk to the bot in this terminal, as a customer."""
    from bot import launch, log
    from bot.config import load

    log.set_up(level="WARNING")
    settings = load(config)
    launch.chat(settings, spoken(lang, settings.languages))


@app.command()
def ask(
    text: Annotated[list[str] | None, typer.Argument(help="A question; - or none: standard input, one a line.")] = None,
    config: Config = CONFIG,
    source: Annotated[
        Path | None, typer.Option("--faq", help="A folder of FAQ files, or a JSONL file of examples.")
    ] = None,
    lang: Lang = "",
    json: Annotated[bool, typer.Option("--json", help="JSON on a terminal, too, and JSON only from it.")] = False,
) -> None:
    """Tell what the bot would answer and how sure it is. Needs no database."""
    from bot import asking
    from bot.config import Settings, load
    from knowledge.ask import answer_lines

    settings = load(config) if config.exists() or not source else Settings()
    lang, decide = spoken(lang, settings.languages), asking.asker_of(settings, source)
    given, refused = bool(text and text != ["-"]), list[int]()

    def refuse(number: int) -> None:
        refused.append(number)
        like = f'{{"id": "7", "text": "a question"}}; "lang" may be {" or ".join(settings.languages)}'
        typer.echo(f"standard input:{number}: should be a line like {like}", err=True)

    asked = [dumps({"text": " ".join(text or ())})] if given else sys.stdin
    told = refuse if json and not given else None
    for line in answer_lines(decide, asked, lang, refuse=told, languages=settings.languages):
        typer.echo(line if json or not sys.stdout.isatty() else _readable(line))
    if refused:
        raise typer.Exit(WRONG)


@app.command()
def check(config: Config = CONFIG) -> None:
    """Read configuration, FAQ, intents and texts; tell every problem as file:line."""
    from bot.check import problems

    wrong, remarks = problems(config)
    if wrong:
        raise YamlError(wrong)
    for remark in remarks:
        typer.echo(str(remark))
    typer.echo("Everything can be used." if not remarks else f"Everything can be used; {len(remarks)} remarks.")


@app.command()
def migrate(config: Config = CONFIG) -> None:
    """Create the database, or bring it to this version."""
    from bot import launch
    from bot.config import load

    typer.echo("upgraded" if launch.migrate(load(config)) else "nothing to do")


@app.command()
def verify(config: Config = CONFIG) -> None:
    """Prove the invariants on the live database; JSON, and exit code 1 if one is broken."""
    from bot import transaction
    from bot.config import load
    from bot.verify import verify as prove

    found = transaction.run(load(config), prove)
    typer.echo(dumps(found, ensure_ascii=False, indent=2))
    raise typer.Exit(0 if found["ok"] else FAILED)


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="Where to.")], config: Config = CONFIG) -> None:
    """Copy the database while it is in use (PostgreSQL: an archive by pg_dump)."""
    from bot.backup import backup as copy
    from bot.config import load

    copy(load(config).database, file)
    typer.echo(f"{file}: {file.stat().st_size:,} bytes")


dead = typer.Typer(help="What could not be handled or sent.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(dead, name="dead")
Ids = Annotated[list[str], typer.Argument(help="12 names an event, r7 a reply, all everything.", metavar="ID...")]


@dead.command("list")
def dead_list(config: Config = CONFIG) -> None:
    """Name them, oldest first, one JSON object a line."""
    from sqlalchemy import Connection

    from bot import transaction
    from bot.config import load
    from bot.dead import every

    def tell(connection: Connection) -> None:
        for line in every(connection):
            typer.echo(dumps(line, ensure_ascii=False))

    transaction.run(load(config), tell)


@dead.command()
def retry(ids: Ids, config: Config = CONFIG) -> None:
    """Try these again."""
    from bot import transaction
    from bot.config import load
    from bot.dead import retry as again

    typer.echo(f"{transaction.run(load(config), lambda c: again(c, ids), write=True)} will be tried again")


@dead.command()
def discard(ids: Ids, config: Config = CONFIG) -> None:
    """Let these go; they stay on record."""
    from bot import transaction
    from bot.config import load
    from bot.dead import discard as let_go

    typer.echo(f"{transaction.run(load(config), lambda c: let_go(c, ids), write=True)} discarded")


app.add_typer(agent.agent, name="agent")
app.add_typer(faq.faq, name="faq")
faq.faq.command()(audit.audit)
app.add_typer(knowledge.knowledge, name="knowledge")
app.command()(faq.replay)

channel = typer.Typer(help="Where customers write from.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(channel, name="channel")
Name = Annotated[str, typer.Argument(help="Its name in config.yaml.")]


@channel.command("check")
def channel_check(name: Name, config: Config = CONFIG) -> None:
    """Ask the platform whether a channel is set up: what is wrong, and where to click."""
    from bot import launch
    from bot.config import load

    found = launch.ask_channel(load(config), name, lambda one: one.check())
    for right, line in found:
        typer.echo(f"{'ok   ' if right else 'WRONG'}  {line}")
    raise typer.Exit(0 if all(right for right, _ in found) else FAILED)


@channel.command()
def setup(name: Name, config: Config = CONFIG) -> None:
    """Register webhook, commands and descriptions with the platform."""
    from bot import launch
    from bot.config import load

    lines = launch.ask_channel(load(config), name, lambda one: one.setup())
    for line in lines:
        typer.echo(line)
    raise typer.Exit(FAILED if any(line.startswith("FAILED") for line in lines) else 0)


def _readable(line: str) -> str:
    """A decision for the eye: what would be done, then the candidates with their confidence."""
    made = loads(line)
    return "\n".join([made["outcome"], *(f"  {c['confidence']:.2f}  {c['entry']}" for c in made["candidates"])])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. What goes wrong is said in readable lines, never as a traceback."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads cost memory, and spin where others could work
    _open_streams()
    try:
        sys.exit(app(arguments, prog_name="aftercare", standalone_mode=False))
    except YamlError as error:
        typer.echo("\n".join(map(str, sorted(set(error.problems)))), err=True)
        sys.exit(WRONG)
    except BrokenPipeError:  # whoever read the output has had enough
        sys.stderr.close()
        sys.exit(FAILED)
    except Exception as error:
        typer.echo(_told(error), err=True)
        wrong = isinstance(error, UnicodeEncodeError) or getattr(error, "errno", None) in MISNAMED
        sys.exit(getattr(error, "exit_code", WRONG if wrong else FAILED))


def _open_streams() -> None:
    """All in UTF-8; one that whoever started us had closed leads nowhere: else a file of ours would take its place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if (stream := getattr(sys, name)) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), "w" if number else "r", encoding="utf-8"))
        else:
            stream.reconfigure(encoding="utf-8", errors="replace")


def _told(error: Exception) -> str:
    """An error in one line: its own words if they are for people, else also what it is and where it happened."""
    if isinstance(error, typer.TyperException):
        return error.format_message()
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, UnicodeEncodeError):
        return f"{error.object!r} is not UTF-8, which all we are given must be"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) or type(error).__module__.startswith(("bot.", "handoff.")):
        return said
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {said} ({Path(last.filename).name}:{last.lineno})"


if __name__ == "__main__":
    main()

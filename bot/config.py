"""config.yaml, read into typed settings; every mistake names file, line, key and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import available_timezones

from pydantic import Field, PrivateAttr, field_validator, model_validator

from bot import channel_settings, databaseurl, startrules
from bot.environment import filled
from bot.files import ACCEPTED, RECOGNISED
from bot.section import Bytes, Count, Duration, Section, Share, Span
from bot.strictyaml import Node, Problem, YamlError, check, suggest
from bot.strictyaml import load as read
from handoff.forms import Forms
from handoff.forms import read as read_forms
from handoff.settings import Handoff
from handoff.standards import CHAT, Standards

_HOST = re.compile(r"(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_HOUSE: Final = Path(__file__).parent.parent  # the demo company's answers, for a config.yaml that names no others
_LANGUAGES: Final = {file.stem for file in (Path(__file__).parent / "texts").glob("*.yaml")}


class Server(Section):
    """Where the server listens and under which name the world reaches it."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: str = ""  # as customers see it
    trusted_hosts: tuple[str, ...] = ()  # the names it answers to; empty = any
    proxies: tuple[str, ...] = ("127.0.0.1",)  # addresses or networks of reverse proxies whose word is taken
    secret_key: str = ""  # signs the customers' sessions

    @property
    def place(self) -> str:
        """Where people find this server: as the world does, or on this computer."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @field_validator("host")
    @classmethod
    def _a_host(cls, host: str) -> str:
        if not _HOST.fullmatch(host) or "*" in host:
            try:
                ip_address(host.strip("[]"))
            except ValueError:
                raise ValueError(f"must be an address or a name of this machine, not {host!r}") from None
        return host

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        if re.fullmatch(r"https?://[^/\s]+/?", url) and channel_settings.reachable(url):
            return url.rstrip("/")
        raise ValueError("must be like https://support.example.com")

    @field_validator("trusted_hosts")
    @classmethod
    def _are_hosts(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [name for name in names if not _HOST.fullmatch(name)]:
            raise ValueError(f"must be names like support.example.com or *.example.com, not {wrong[0]!r}")
        return names

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                ip_network(name)
            except ValueError:
                raise ValueError(f"must be addresses or networks like 172.16.0.0/12, not {name!r}") from None
        return names


class Company(Section):
    """The company whose bot this is; its words appear in the bot's sentences."""

    name: Mapping[str, str] = {}  # language -> name
    phone: str = ""
    hours: Mapping[str, str] = {}  # language -> when people are there, in words
    timezone: str = "UTC"  # "tomorrow at ten" is meant there
    products: tuple[str, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"must be a name like Asia/Shanghai or Europe/Berlin, not {name!r}")
        return name


class KnowledgeSettings(Section):
    """Where the answers are and how sure the bot must be."""

    faq: Path = _HOUSE / "knowledge" / "faq"
    intents: Path = _HOUSE / "intents"
    checks: Path = _HOUSE / "knowledge" / "checks"
    mode: Literal["strict", "balanced", "lenient"] = "balanced"
    answer_at: Share | None = None  # explicit thresholds win over the mode
    choose_at: Share | None = None
    model: str = ""  # a sentence-transformers model, empty = lexical

    @model_validator(mode="after")
    def _both_or_none(self) -> KnowledgeSettings:
        if (self.answer_at is None) != (self.choose_at is None):
            raise ValueError("answer_at and choose_at go together")
        if self.answer_at is not None and self.choose_at is not None and self.choose_at > self.answer_at:
            raise ValueError("choose_at may not be above answer_at")
        return self

    @property
    def certainty(self) -> str | dict[str, float]:
        """How sure the bot must be: the explicit thresholds, or the mode."""
        if self.answer_at is None or self.choose_at is None:
            return self.mode
        return {"answer": self.answer_at, "choose": self.choose_at}


class Limits(Section):
    """Retry, lease, back-off, burst, retention and size limits."""

    lease: Span = 20.0  # how long a chat is a worker's own
    attempts: Count = 5  # tries before an event is dead
    backoff: Annotated[tuple[Duration, ...], Field(min_length=1)] = (1.0, 2.0, 4.0, 8.0)  # between these tries
    group: Count = 64  # chats handled in one transaction
    burst: Duration = 1.2  # how long an unclear message waits for what follows
    idle: Span = 1800.0  # silence that closes a conversation
    rating_window: Span = 86400.0  # a rating may be changed for so long
    rating_pause: Duration = 86400.0  # at most one request for a rating per customer in so long
    keep_raw: Duration = 30 * 86400.0  # what the platforms sent, word for word, is kept so long
    send_timeout: Span = 15.0
    send_attempts: Count = 8
    stop: Span = 10.0  # graceful stop
    message_chars: Annotated[int, Field(ge=100)] = 8000
    body_bytes: Bytes = 1 << 20
    file_bytes: Bytes = 10 << 20
    file_types: tuple[str, ...] = ACCEPTED
    sessions_per_minute: Count = 600  # new web sessions per client address
    messages_per_minute: Count = 1200  # messages per web session
    streams_per_session: Count = 5
    api_per_minute: Count = 600  # requests of one integration

    @field_validator("file_types")
    @classmethod
    def _can_be_told(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [one for one in types if one not in RECOGNISED]:
            raise ValueError(f"{unknown[0]!r} is no type we can tell {suggest(unknown[0], RECOGNISED)}")
        return types


class Settings(Section):
    """All of config.yaml. ``off`` tells why a configured channel is not in ``channels``."""

    database: str = "sqlite:///data/aftercare.db"
    data: Path = Path("data")  # files, the secret key
    server: Server = Server()
    languages: Annotated[tuple[str, ...], Field(min_length=1)] = ("en", "zh")
    company: Company = Company()
    channels: Mapping[str, dict[str, Any]] = {"web": {"type": "web"}}
    knowledge: KnowledgeSettings = KnowledgeSettings()
    handoff: Handoff = Handoff()
    standards: Standards = Standards()
    limits: Limits = Limits()
    _off: dict[str, str] = PrivateAttr(default_factory=dict)
    _source: Path | None = PrivateAttr(default=None)

    @property
    def off(self) -> Mapping[str, str]:
        """Channel name -> why it is off."""
        return self._off

    @property
    def source(self) -> Path | None:
        """The file they were read from."""
        return self._source

    @cached_property
    def forms(self) -> Forms:
        """The kinds of tickets and what is asked for each. Raises YamlError."""
        return read_forms(self.handoff.forms, self.languages)

    @field_validator("database")
    @classmethod
    def _known_database(cls, url: str) -> str:
        """SQLite in a file or PostgreSQL."""
        return databaseurl.known(url)

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := set(languages) - _LANGUAGES:
            raise ValueError(f"{', '.join(sorted(unknown))}: no such file in bot/texts (there: {sorted(_LANGUAGES)})")
        if len(set(languages)) < len(languages):
            raise ValueError("each may stand once")
        return languages


def load(path: Path, *, serving: bool = False, host: str = "", port: int | None = None) -> Settings:
    """The settings in the file at ``path``; ``host`` and ``port`` go before those of the file.

    ``serving`` adds the rules of a safe start. Raises YamlError with everything that is wrong.
    """
    with suppress(OSError):  # of a name that no file can have, reading says why
        if not path.exists():
            way_out = "run aftercare where config.yaml is, or name one with --config FILE"
            raise YamlError([Problem(str(path), 1, f"there is no such file: {way_out}")])
    node, problems = filled(read(path))
    given = {key: value for key, value in (("host", host), ("port", port)) if value not in ("", None)}
    node = _with_server(node, given)
    if serving:
        problems += startrules.refusals(node)
    channels, off, wrong = channel_settings.fit(node)
    problems += wrong + _tongues(node)
    try:
        settings = check(Settings, node)
    except YamlError as error:
        problems += error.problems
    if problems:
        raise YamlError(sorted(set(problems)))
    settings = _anchored(settings, path.resolve().parent)
    if misplaced := _misplaced(settings, node) or _of_no_kind(settings, node):
        raise YamlError(misplaced)
    if "channels" in settings.model_fields_set:
        settings = settings.model_copy(update={"channels": channels})
    settings._off, settings._source = off, path.resolve()
    return settings


def _tongues(node: Node) -> list[Problem]:
    """What the company says in one of its languages and not in another, or in none of them."""
    data = node.data if isinstance(node.data, dict) else {}
    spoken, company = data.get("languages") or ["en", "zh"], data.get("company")
    problems = []
    for what in ("name", "hours"):
        said = company.get(what) if isinstance(company, dict) else None
        if isinstance(said, dict) and said and isinstance(spoken, list):
            at = ("company", what)
            missing = [x for x in _LANGUAGES if x in spoken and x not in said]
            foreign = [x for x in said if x not in spoken]
            problems += [node.problem(f"company.{what} is missing in {x}", *at) for x in missing]
            problems += [node.problem(f"company.{what}: {x!r} is not among the languages", *at, x) for x in foreign]
    return problems


def _misplaced(settings: Settings, node: Node) -> list[Problem]:
    """Folders that are files, and the other way round."""
    problems, database = [], databaseurl.file_of(settings.database)
    for name, place, folder in (("data", settings.data, True), ("database", database, False)):
        try:
            if place and place.exists() and place.is_dir() is not folder:
                what = "must be a folder" if folder else "is a folder; name a file"
                problems.append(node.problem(f"{name}: {place} {what}", name))
        except OSError as error:
            problems.append(node.problem(f"{name}: {place} cannot be used: {error.strerror}", name))
    return problems


def _of_no_kind(settings: Settings, node: Node) -> list[Problem]:
    """Promises for kinds of tickets that there are not. Raises YamlError for forms that cannot be used."""
    kinds = {*settings.forms.kinds, CHAT}
    lines = enumerate(settings.standards.promised)
    strange = [(n, kind) for n, line in lines for kind in line.kind if kind not in kinds]
    at, said = ("standards", "promised"), "standards.promised: unknown kind of ticket"
    return [node.problem(f"{said} {kind!r} {suggest(kind, kinds)}", *at, n, "kind") for n, kind in strange]


def _with_server(node: Node, given: dict[str, Any]) -> Node:
    server = node.data.get("server") or {} if isinstance(node.data, dict) else None
    if not given or not isinstance(server, dict):
        return node
    return replace(node, data={**node.data, "server": {**server, **given}})


def _anchored(settings: Settings, home: Path) -> Settings:
    """Relative paths are meant from the folder of config.yaml."""
    known, people = settings.knowledge, settings.handoff
    faq, intents, checks = home / known.faq, home / known.intents, home / known.checks
    database = settings.database
    if file := databaseurl.file_of(database):
        database = f"sqlite:///{home / file}"
    return settings.model_copy(
        update={
            "data": home / settings.data,
            "database": database,
            "handoff": people.model_copy(update={"forms": home / people.forms}),
            "knowledge": known.model_copy(update={"faq": faq, "intents": intents, "checks": checks}),
        }
    )

"""config.yaml: what is understood, what is refused, and how the door to the world is kept."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bot.config import Settings, load
from bot.section import seconds
from bot.startrules import secret_key
from bot.strictyaml import YamlError

GOOD = "5f0c9d1e7ab34c28961fd04e7b3a85c2"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "AFTERCARE_SECRET_KEY", "NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def read(file: Path, text: str, *, serving: bool = False, host: str = "", port: int | None = None) -> Settings:
    file.write_text(text, "utf-8")
    return load(file, serving=serving, host=host, port=port)


def wrong(file: Path, text: str, *, serving: bool = False, host: str = "") -> list[str]:
    with pytest.raises(YamlError) as caught:
        read(file, text, serving=serving, host=host)
    return str(caught.value).replace(str(file), "c").splitlines()


# ---------------------------------------------------------------- what is understood


@pytest.mark.parametrize("text", ["", "# nothing\n", "server:\nlimits: {}\nhandoff:\n"])
def test_nothing_said_means_the_defaults(file: Path, text: str) -> None:
    settings = read(file, text)
    assert settings.server.port == 8080
    assert settings.limits.burst == 1.2
    assert settings.channels == {"web": {"type": "web"}}
    assert any(settings.knowledge.faq.glob("*.yaml"))


def test_paths_are_meant_from_the_files_folder(file: Path) -> None:
    settings = read(file, "data: d\ndatabase: sqlite:///d/a.db\nknowledge: {faq: answers, checks: /abs}\n")
    home = file.parent
    assert settings.data == home / "d"
    assert settings.database == f"sqlite:///{home}/d/a.db"
    assert (settings.knowledge.faq, settings.knowledge.checks) == (home / "answers", Path("/abs"))


def test_an_absolute_database_stays(file: Path) -> None:
    assert read(file, "database: sqlite:////srv/a.db").database == "sqlite:////srv/a.db"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("postgresql://u:p@h/n?sslmode=require", "postgresql://u:p@h/n?sslmode=require"),
        ("postgres://u:p@h/n", "postgresql://u:p@h/n"),
        ("postgresql+asyncpg://u:p@h/n", "postgresql://u:p@h/n"),
        ("sqlite+aiosqlite:////srv/a.db", "sqlite:////srv/a.db"),
    ],
)
def test_a_database_as_it_stands(file: Path, monkeypatch: pytest.MonkeyPatch, written: str, meant: str) -> None:
    monkeypatch.setenv("DATABASE_URL", written)
    assert read(file, "database: ${DATABASE_URL:-sqlite:///x.db}").database == meant


def test_the_environment_fills_in(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "海澜 ${X}")  # what it holds is not looked into again
    settings = read(file, "company: {name: {en: '<${NAME}>', zh: '${NONE:-a: b}'}, phone: '${NONE:-}'}")
    assert settings.company.name == {"en": "<海澜 ${X}>", "zh": "a: b"}
    assert settings.company.phone == ""


@pytest.mark.parametrize(
    ("written", "meant"),
    [("0", 0), ("1.5", 1.5), ("500ms", 0.5), ("1.2 s", 1.2), ("15m", 900), ("2h", 7200), ("30d", 2592000)],
)
def test_times(written: str, meant: float) -> None:
    assert seconds(written) == pytest.approx(meant)


def test_the_command_line_goes_before_the_file(file: Path) -> None:
    settings = read(file, "server: {host: '::1', port: 1}", host="127.0.0.2", port=0)
    assert (settings.server.host, settings.server.port) == ("127.0.0.2", 0)


def test_thresholds_win_over_the_mode(file: Path) -> None:
    assert read(file, "knowledge: {mode: strict}").knowledge.certainty == "strict"
    explicit = read(file, "knowledge: {mode: strict, answer_at: 0.6, choose_at: 0.3}").knowledge
    assert explicit.certainty == {"answer": 0.6, "choose": 0.3}


# ---------------------------------------------------------------- what is refused


def test_every_mistake_is_told_at_once(file: Path) -> None:
    assert wrong(
        file,
        "server: {prot: 80, public_url: example.com}\n"
        "database: mysql://x\n"
        "languages: [en, xx]\n"
        "company: {name: {zh: 海澜}}\n"
        "knowledge: {mode: blanced, answer_at: 0.2, choose_at: 0.3}\n"
        "limits:\n"
        "  idle: soon\n"
        "  lease: 0s\n"
        "  attempts: ${NONE}\n"
        "  group: ${\n"
        "chanels: {}\n",
        serving=True,
        host="0.0.0.0",
    ) == [
        "c:1: server.public_url: must be like https://support.example.com",
        "c:1: server.secret_key: is missing, and with host 0.0.0.0 others can reach this server: "
        "set AFTERCARE_SECRET_KEY to what `openssl rand -hex 32` prints",
        "c:1: unknown key 'prot' (did you mean 'port'?)",
        "c:2: database: must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
        "c:3: languages: xx: no such file in bot/texts (there: ['en', 'zh'])",
        "c:4: company.name is missing in en",
        "c:4: company.name: 'zh' is not among the languages",
        "c:5: knowledge.mode: 'blanced' is not allowed (did you mean 'balanced'?)",
        "c:7: limits.idle: must be a time like 1.2s, 15m, 2h or 30d, not 'soon'",
        "c:8: limits.lease: must be more than 0",
        "c:9: the environment variable NONE is not set (${NONE:-} would allow that)",
        "c:10: '${' must go on as ${NAME} or ${NAME:-default}",
        "c:11: unknown key 'chanels' (did you mean 'channels'?)",
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("just words", "c:1: must be a block of 'key: value' lines"),
        ("server: 8080", "c:1: server: must be a block of 'key: value' lines"),
        ("channels: [web]", "c:1: channels: must be a block of 'key: value' lines"),
        ("channels: {a: web}", "c:1: channels.a: must be a block of 'key: value' lines"),
        ("channels:\n  a: {type: wbe}", "c:2: channels.a.type: unknown 'wbe' (did you mean 'web'?)"),
        ("channels:\n  web:\n    orgins: []", "c:3: channels.web: unknown key 'orgins' (did you mean 'origins'?)"),
        ("channels:\n  web: {secret: x}", "c:2: channels.web: unknown key 'secret'"),
        ("channels:\n  web: {origins: x}", "c:2: channels.web: origins: must be a list"),
        ("channels:\n  web: {session_days: 0}", "c:2: channels.web: session_days: must be at least 1"),
        (
            "channels:\n  wecom: {corp_id: a, agent_id: b, app_secret: c, token: d, aes_key: '', kf_sessions: both}",
            "c:2: channels.wecom: kf_sessions: 'both' is not allowed (allowed: native, relay)",
        ),
        (
            "channels:\n  wecom: {corp_id: a, agent_id: b, app_secret: c, token: d, aes_key: short}",
            "c:2: channels.wecom: aes_key: must match",
        ),
        ("channels:\n  a/b: {type: web}", "c:2: channels: 'a/b' must be a name of letters, digits, - and _"),
        (
            "channels:\n  telegram: {token: x, api_url: 'localhost:81'}",
            "c:2: channels.telegram: api_url: must be an address like https://api.example.com, not 'localhost:81'",
        ),
        ("database: 'sqlite:///:memory:'", "c:1: database: must be sqlite:///FILE"),
        ("languages: []", "c:1: languages: needs at least 1, has 0"),
        ("company: {name: {en: A}}", "c:1: company.name is missing in zh"),
        ("company: {name: {en: A, zh: 甲, fr: B}}", "c:1: company.name: 'fr' is not among the languages"),
        ("company: {timezone: Peking}", "c:1: company.timezone: must be a name like Asia/Shanghai"),
        ("languages: [en, zh, en]", "c:1: languages: each may stand once"),
        ("server: {host: my computer}", "c:1: server.host: must be an address or a name of this machine"),
        ("server: {proxies: [nginx]}", "c:1: server.proxies: must be addresses or networks like 172.16.0.0/12, not"),
        (
            "standards:\n  promised:\n    - {first_reply: 8h}\n    - {kind: fualt, first_reply: 1h}",
            "c:4: standards.promised: unknown kind of ticket 'fualt' (did you mean 'fault'?)",
        ),
        ("standards: {promised: [{kind: fault, first_reply: 8h}]}", "c:1: standards.promised: the first line must be"),
        ("standards: {promised: [{first_reply: 0}]}", "c:1: standards.promised.0.first_reply: must be more than 0, or"),
        (
            "standards: {promised: [{first_replay: 8h}]}",
            "c:1: unknown key 'first_replay' (did you mean 'first_reply'?)",
        ),
        ("standards: {warn_owner: 1.5}", "c:1: standards.warn_owner: must be less than 1"),
        ("standards: {escalate: [boss]}", "c:1: standards.escalate.0: 'boss' is not allowed (allowed: admin, superv"),
        ("standards: {escalate: []}", "c:1: standards.escalate: needs at least 1, has 0"),
        ("limits: {file_types: [gif]}", "c:1: limits.file_types: 'gif' is no type we can tell (allowed: appl"),
        ("data: config.yaml", "c:1: data: "),
        (f"data: {'x' * 300}", "c:1: data: "),
        ("languages: [[]]\ncompany: {name: {en: A}}", "c:1: languages.0: must be a text"),
        ("channels:\n  a: {type: [web]}", "c:2: channels.a.type: unknown \"['web']\""),
        ("server: {port: [1]}", "c:1: server.port: must be a whole number"),
        ("knowledge: {answer_at: {}, choose_at: 0.3}", "c:1: knowledge.answer_at: must be a number"),
        ("limits: {group: 99999999999999999999}", "c:1: limits.group: must be at most 1000000000"),
        ("server: {public_url: 'http://['}", "c:1: server.public_url: must be like"),
        ("channels:\n  telegram: {token: x, api_url: 'http://['}", "c:2: channels.telegram: api_url: must be an addr"),
        ("database: sqlite:///a.db?mode=ro", "c:1: database: must be sqlite:///FILE"),
        ("database: postgresql://u:p#w@host/db", "c:1: database: has a host or a port that cannot be; in a user's"),
        ("database: postgresql://host:99999/db", "c:1: database: has a host or a port that cannot be; in a user's"),
        ("database: sqlite:///.", "c:1: database: "),
        (
            "server:\n\tport: 1",
            "c:2: is not YAML: found a tab at the beginning of a line (indent with spaces, not with tabs)",
        ),
        ("knowledge: {answer_at: 0.2}", "c:1: knowledge: answer_at and choose_at go together"),
        ("knowledge: {answer_at: 0.2, choose_at: 0.3}", "c:1: knowledge: choose_at may not be above answer_at"),
        ("limits: {backoff: []}", "c:1: limits.backoff: needs at least 1, has 0"),
    ],
)
def test_refused(file: Path, text: str, what: str) -> None:
    assert wrong(file, text)[0].startswith(what)


def test_a_mistake_is_one_line_however_long_what_was_written_is(file: Path) -> None:
    told = wrong(file, f"company:\n  timezone: |\n    {'x' * 100_000}\n    y")[0]
    assert "\n" not in told
    assert len(told) < 1000


def test_the_end_of_a_line_is_no_part_of_a_secret(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "abc\r\n")
    assert read(file, "server: {secret_key: '${KEY}'}").server.secret_key == "abc"


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(YamlError, match="cannot be read: File name too long"):
        load(tmp_path / ("x" * 300))


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(YamlError, match=r"no such file: run aftercare where config\.yaml is, or name one"):
        load(tmp_path / "config.yaml")
    with pytest.raises(YamlError, match="cannot be read: Is a directory"):
        load(tmp_path)


# ---------------------------------------------------------------- channels


def test_a_channels_settings_are_its_constructors_parameters(file: Path) -> None:
    settings = read(
        file, "channels:\n  shop: {type: web, origins: ['https://A.b:443', 'http://c:81'], session_days: 7}\n"
    )
    assert settings.channels == {
        "shop": {"type": "web", "origins": ("https://a.b", "http://c:81"), "session_days": 7},
    }


@pytest.mark.parametrize(
    "site",
    ["x", "*", "https://", "https://a.b/", "https://a.b/shop", "a.b", "'; script-src *", "https://a.b:0", "ftp://a.b"],
)
def test_a_site_that_may_embed_the_chat_is_a_site(file: Path, site: str) -> None:
    assert wrong(file, f'channels:\n  web:\n    origins: ["https://good.example", "{site}"]\n') == [
        f"c:3: channels.web: origins.1: must be a site like https://www.example.com, without a path, not {site!r}"
    ]


def test_there_is_one_web_chat(file: Path) -> None:
    assert wrong(file, "channels:\n  web: {}\n  shop: {type: web}\n") == [
        "c:3: channels.shop: web on line 2 is of type web already, and there can be only one"
    ]


def test_a_channel_without_its_keys_is_off(file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pigeon.py").write_text(
        "import no_such_platform_library\n"
        "class Pigeon:\n    def __init__(self, *, name: str, token: str, loft: str = '', speed: int = 3) -> None: ...\n"
    )
    monkeypatch.setattr("bot.channel_settings.FOLDER", tmp_path)
    from bot import channel_settings

    channel_settings.kinds.cache_clear()
    channel_settings.sheet.cache_clear()
    try:
        settings = read(file, "channels:\n  pigeon: {token: '${NONE:-}'}\n  fast: {type: pigeon, token: x, speed: 9}\n")
        assert settings.channels == {"fast": {"type": "pigeon", "token": "x", "speed": 9}}
        assert dict(settings.off) == {"pigeon": "token empty"}
        assert wrong(file, "channels:\n  pigeon: {loft: a}\n") == ["c:2: channels.pigeon: token: is missing"]
    finally:
        channel_settings.kinds.cache_clear()
        channel_settings.sheet.cache_clear()


# ---------------------------------------------------------------- the door to the world


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "is missing"),
        (GOOD[:31], "is shorter than 32 characters"),
        ("a" * 40, "looks like a sample"),
        ("change-me-change-me-change-me-change-me", "looks like a sample"),
        (f"my-secret-{GOOD}", "looks like a sample"),
    ],
)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "bot.example.com"])
def test_no_door_to_the_world_with_a_key_that_can_be_guessed(file: Path, host: str, key: str, why: str) -> None:
    text = f"server:\n  secret_key: '{key}'\n"
    assert wrong(file, text, serving=True, host=host)[0].startswith(
        f"c:2: server.secret_key: {why}, and with host {host}"
    )
    assert read(file, text, host=host).server.secret_key == key  # commands that open no door do not mind


@pytest.mark.parametrize("host", ["", "127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_alone_needs_no_key(file: Path, host: str) -> None:
    assert read(file, "", serving=True, host=host).server.secret_key == ""


def test_a_good_key_opens_the_door(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERCARE_SECRET_KEY", GOOD)
    text = "server: {host: 0.0.0.0, secret_key: '${AFTERCARE_SECRET_KEY:-}'}"
    assert read(file, text, serving=True).server.secret_key == GOOD


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert secret_key("mine", data) == "mine"
    assert not data.exists()
    made = secret_key("", data)
    assert len(made) == 64
    assert secret_key("", data) == made
    assert stat.S_IMODE((data / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in data.iterdir()] == ["secret.key"]

"""What must be true before the server may be reached from outside, and the key it signs with."""

from __future__ import annotations

import ipaddress
import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

from bot.strictyaml import Node, Problem

SHORTEST: Final = 32  # characters of a secret key
_SAMPLES: Final = ("change", "example", "sample", "secret", "password", "0123456789", "abcdef")


def refusals(node: Node) -> list[Problem]:
    """Why this configuration may not be served: beyond this machine only with a secret nobody can guess."""
    server = node.data.get("server") if isinstance(node.data, dict) else None
    server = server if isinstance(server, dict) else {}
    host, key = str(server.get("host") or "127.0.0.1"), str(server.get("secret_key") or "")
    wrong = "" if loopback(host) and not key else _weakness(key)  # alone, one is made
    if not wrong:
        return []
    way_out = "set AFTERCARE_SECRET_KEY to what `openssl rand -hex 32` prints"
    reached = "behind a reverse proxy" if loopback(host) else f"with host {host}"
    what = f"server.secret_key: {wrong}, and {reached} others can reach this server: {way_out}"
    return [node.problem(what, "server", "secret_key")]


def _weakness(key: str) -> str:
    if not key:
        return "is missing"
    if len(key) < SHORTEST:
        return f"is shorter than {SHORTEST} characters"
    if len(set(key)) < 10 or any(sample in key.lower() for sample in _SAMPLES):
        return "looks like a sample"
    return ""


def loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def secret_key(configured: str, data: Path) -> str:
    """The configured key; without one, that of data/secret.key (0600), which is made once and complete."""
    kept = data / "secret.key"
    if not configured and not kept.exists():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=data)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(SHORTEST))
        try:
            os.link(draft, kept)
        except FileExistsError:  # another process was faster
            pass
        finally:
            Path(draft).unlink()
    return configured or kept.read_text("utf-8").strip()

"""Starts `auth` with a provisioning system and lets scim2-tester examine it. Exit status 1 if anything fails."""

import os
import pathlib
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

FAILED = {Status.ERROR, Status.CRITICAL, Status.DEVIATION}
# What the server does differently on purpose, with the resource type and the end of the reason.
KNOWN = [
    ("User", "search_with_attributes", "nothing at this address."),  # searching by POST is optional
    ("Group", "search_with_attributes", "nothing at this address."),
    ("User", "check_remove_attribute", "did not remove attribute 'active'"),  # it is true unless it is false
]


def is_known(result) -> bool:
    reason = (result.reason or "").strip()
    return any((result.resource_type, result.title) == known[:2] and reason.endswith(known[2]) for known in KNOWN)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(program: str, folder: pathlib.Path, port: int, secret: str) -> subprocess.Popen:
    for name, text in [("scim", secret), ("master", secrets.token_urlsafe(32))]:
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    config = folder / "portcullis.toml"
    config.write_text(f'[scim]\nsecret_file = "{folder}/scim"\nmatch_by = "email"\n')
    settings = {
        "AUTH_CONFIG_FILE": str(config),
        "AUTH_ISSUER": f"http://localhost:{port}",
        "AUTH_LISTEN": f"127.0.0.1:{port}",
        "AUTH_SECRET_FILE": str(folder / "master"),
        "AUTH_STORY_FILE": str(folder / "stories"),
        "DATABASE_URL": f"sqlite://{folder}/auth.db",
        "GITHUB_CLIENT_ID": "unused",
        "GITHUB_CLIENT_SECRET": "unused",
    }
    return subprocess.Popen([program], env={**os.environ, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_until_ready(base: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if httpx2.get(f"{base}/ready").is_success:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("auth did not become ready")


def main(program: str) -> None:
    port = free_port()
    base = f"http://localhost:{port}"
    secret = secrets.token_urlsafe(32)
    with tempfile.TemporaryDirectory() as folder:
        server = start(program, pathlib.Path(folder), port, secret)
        try:
            wait_until_ready(base)
            headers = {"Authorization": f"Bearer {secret}"}
            http = httpx2.Client(base_url=f"{base}/scim/v2", headers=headers)
            results = check_server(SyncSCIMClient(http))
        finally:
            server.terminate()
            server.wait()
    failed = [result for result in results if result.status in FAILED]
    for result in failed:
        word = "known" if is_known(result) else result.status.name
        print(f"{word}: {result.resource_type} {result.title}: {result.reason}")
    counts = Counter(result.status.name for result in results)
    print(", ".join(f"{count} {name.lower()}" for name, count in sorted(counts.items())))
    if not results or not all(is_known(result) for result in failed):
        raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1])

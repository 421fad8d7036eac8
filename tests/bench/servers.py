"""Starts the servers that are measured, each on a free port of loopback, and ends them."""

import base64
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
START_TIMEOUT = 60
STOP_TIMEOUT = 10


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pin(core):
    """What a child process runs first, to stay on one core."""
    return None if core is None else lambda: os.sched_setaffinity(0, {core})


def is_up(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A process that listens on a port."""

    # Which core servers stay on; `None` for any.
    core = min(os.sched_getaffinity(0))

    def __init__(self, command, folder, port, **environment):
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port
        self.log = folder / f"{pathlib.Path(command[0]).name}-{port}.log"
        environment = {**os.environ, "PORT": str(port), **environment}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=pin(self.core)
            )

    def wait(self):
        end = time.monotonic() + START_TIMEOUT
        while not is_up(self.port):
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{self.process.args[0]} does not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.002)
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Ours:
    """`auth` and `mcp` of one folder of binaries, and the stand-in for GitHub."""

    def __init__(self, binaries, folder, tools):
        self.binaries = pathlib.Path(binaries).resolve()
        self.folder = folder
        self.auth_port, self.mcp_port, stand_in_port = free_port(), free_port(), free_port()
        self.issuer = f"http://127.0.0.1:{self.auth_port}"
        self.resource = f"http://127.0.0.1:{self.mcp_port}/mcp"
        folder.mkdir(parents=True, mode=0o700)
        secret = folder / "secret"
        secret.touch(0o600)
        secret.write_text(base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("="))
        upstream = f"http://127.0.0.1:{stand_in_port}"
        # Limits are per address, and all users of a run share one.
        limits = ("WRONG_SECRETS", "FAILED_REQUESTS", "PROOFS", "REGISTRATIONS", "APPROVALS", "REVOCATIONS")
        self.environment = {
            "AUTH_LISTEN": f"127.0.0.1:{self.auth_port}",
            "AUTH_ISSUER": self.issuer,
            "AUTH_RESOURCE": self.resource,
            "AUTH_SECRET_FILE": str(secret),
            "AUTH_STORY_FILE": str(folder / "stories"),
            "DATABASE_URL": f"sqlite://{folder}/auth.db",
            "GITHUB_BASE_URL": upstream,
            "GITHUB_API_URL": upstream,
            "GITHUB_CLIENT_ID": "bench",
            "GITHUB_CLIENT_SECRET": "bench",
            **{f"AUTH_LIMIT_{name}": "0" for name in limits},
        }
        self.stand_in = Server([tools / "stand-in"], folder, stand_in_port)
        self.auth = self.start_auth()
        self.mcp = self.start_mcp()
        self.values = {"as": self.issuer, "mcp": self.resource, "mcp_origin": self.resource.removesuffix("/mcp")}

    def start_auth(self, port=None, **environment):
        port = port or self.auth_port
        environment = {**self.environment, "AUTH_LISTEN": f"127.0.0.1:{port}", **environment}
        return Server([self.binaries / "auth"], self.folder, port, **environment)

    def start_mcp(self):
        listen = f"127.0.0.1:{self.mcp_port}"
        return Server([self.binaries / "mcp"], self.folder, self.mcp_port, MCP_LISTEN=listen,
                      MCP_RESOURCE=self.resource, MCP_ISSUER=self.issuer)

    def servers(self):
        return [self.stand_in, self.auth, self.mcp]

    def prepare(self):
        """Enters clients, and gets the tokens that `mcp` refuses."""
        machine = ["--grant-type", "client_credentials"]
        self.add_client("m2m", *machine, "--scope", "mcp:tools")
        self.add_client("resource_server", *machine, "--resource", self.resource)
        self.add_client("app", "--redirect-uri", "https://app.example.com/callback")
        good = self.token(self.auth_port, self.resource)
        middle = good.rindex(".") + 40
        changed = "A" if good[middle] != "A" else "B"
        self.values["bad_signature"] = good[:middle] + changed + good[middle + 1 :]
        self.values["expired"] = self.minted(self.resource, AUTH_ACCESS_TOKEN_LIFETIME="1")
        self.values["wrong_audience"] = self.minted("http://127.0.0.1:9/mcp", AUTH_RESOURCE="http://127.0.0.1:9/mcp")

    def add_client(self, name, *options):
        command = [self.binaries / "auth", "clients", "add", "--name", name, "--json", *options]
        output = subprocess.run(command, env={**os.environ, **self.environment}, check=True, stdout=subprocess.PIPE).stdout
        client = json.loads(output)
        self.values[f"{name}_id"] = client["client_id"]
        self.values[f"{name}_secret"] = client["client_secret"]

    def minted(self, resource, **environment):
        """A token of a second process of the same issuer, with other settings."""
        replica = self.start_auth(free_port(), **environment).wait()
        try:
            return self.token(replica.port, resource)
        finally:
            replica.stop()

    def token(self, port, resource):
        form = {"grant_type": "client_credentials", "scope": "mcp:tools", "resource": resource}
        url = f"http://127.0.0.1:{port}/token"
        request = urllib.request.Request(url, urllib.parse.urlencode(form).encode())
        pair = f"{self.values['m2m_id']}:{self.values['m2m_secret']}"
        request.add_header("authorization", "Basic " + base64.b64encode(pair.encode()).decode())
        request.add_header("host", self.issuer.removeprefix("http://"))
        with urllib.request.urlopen(request, timeout=START_TIMEOUT) as answer:
            return json.load(answer)["access_token"]


class Peers:
    """Installs and starts other people's servers, outside the checkout."""

    ISSUER = "http://127.0.0.1:4100"
    AUDIENCE = "http://127.0.0.1:4100/mcp"

    def __init__(self, folder):
        self.folder = folder
        self.node = None

    def prepare_node(self):
        if self.node:
            return
        bin_folder = subprocess.run([ROOT / "scripts/prepare-node", HERE / "peers"], check=True, stdout=subprocess.PIPE)
        bin_folder = pathlib.Path(bin_folder.stdout.decode().strip())
        self.folder.mkdir(parents=True, exist_ok=True)
        for script in (HERE / "peers").glob("*.mjs"):
            shutil.copy(script, self.folder)
        # Node looks for packages beside the script.
        (self.folder / "node_modules").symlink_to(bin_folder.parent)
        self.node = bin_folder / "node"
        subprocess.run([self.node, "keys.mjs"], cwd=self.folder, env=self.environment(), check=True)

    def environment(self):
        return {**os.environ, "ISSUER": self.ISSUER, "AUDIENCE": self.AUDIENCE, "NODE_ENV": "production"}

    def token(self):
        return (self.folder / "token").read_text()

    def start_node(self, script, **environment):
        self.prepare_node()
        environment = {"ISSUER": self.ISSUER, "AUDIENCE": self.AUDIENCE, "NODE_ENV": "production", **environment}
        port = environment.pop("port", None) or free_port()
        return Server([self.node, f"{script}.mjs"], self.folder, port, **environment)

    def start_fastmcp(self):
        self.prepare_node()
        python = prepare_python(HERE / "peers/requirements.txt")
        return Server([python, HERE / "peers/fastmcp-server.py"], self.folder, free_port(), ISSUER=self.ISSUER, AUDIENCE=self.AUDIENCE)


def prepare_python(requirements):
    """The Python of an environment with these packages, outside the checkout."""
    name = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    place = cache / "portcullis/python" / f"bench-{name}"
    python = place / "bin/python"
    if not (place / ".complete").exists():
        subprocess.run(["python3", "-m", "venv", "--clear", place], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", requirements], check=True)
        (place / ".complete").touch()
    return python

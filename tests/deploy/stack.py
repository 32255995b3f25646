"""The examples of supervisor and nginx with the real programs: a store, supervisord, nginx.

The examples are taken as they are, but for paths, ports and the user, each of which must be
there to be replaced.
"""

from __future__ import annotations

import datetime as dt
import http.client
import ipaddress
import os
import pwd
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hailwhale.store.embedded import EmbeddedValkey
from tests.deploy.running import DEADLINE_S, ROOT, environ, until
from tests.ports import free_port

_NEEDED = ("supervisord", "supervisorctl", "nginx")
_SUPERVISOR = """
[unix_http_server]
file=%(here)s/supervisor.sock
[supervisord]
nodaemon=true
user={user}
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
childlogdir=%(here)s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/supervisor.sock
"""
_NGINX = """
daemon off;
user {user};
worker_processes 2;
pid {here}/nginx.pid;
error_log {here}/nginx.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {here}/body;
    proxy_temp_path {here}/proxy;
    fastcgi_temp_path {here}/fastcgi;
    uwsgi_temp_path {here}/uwsgi;
    scgi_temp_path {here}/scgi;
    include {here}/hailwhale.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Stack:
    """What runs: nginx on two ports, and everything behind it."""

    here: Path
    http_port: int
    https_port: int
    nginx: subprocess.Popen[bytes]

    def get(
        self,
        path: str,
        *,
        tls: bool = False,
        source: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> tuple[int, str]:
        """Status and text of an answer, on a connection of its own from the address `source`."""
        connection = (
            http.client.HTTPSConnection(
                "127.0.0.1",
                self.https_port,
                timeout=DEADLINE_S,
                context=ssl.create_default_context(cafile=str(self.here / "fullchain.pem")),
            )
            if tls
            else http.client.HTTPConnection(
                "127.0.0.1", self.http_port, timeout=DEADLINE_S, source_address=(source, 0)
            )
        )
        try:
            connection.request("POST" if body else "GET", path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("latin-1")  # a GIF is no UTF-8
        finally:
            connection.close()

    def control(self, *words: str) -> str:
        """What supervisorctl says to a command."""
        found = subprocess.run(
            ["supervisorctl", "-c", str(self.here / "supervisord.conf"), *words],
            env={"PATH": _path()},
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        return found.stdout

    def pids(self) -> dict[str, int]:
        """The pid of each program of supervisor's that runs."""
        lines = [line.split() for line in self.control("status").splitlines()]
        return {line[0]: int(line[3].rstrip(",")) for line in lines if line[1] == "RUNNING"}


@contextmanager
def deployed(here: Path) -> Iterator[Stack]:
    """All of it, running; stopped at the end in the order of who asks whom."""
    if missing := [name for name in _NEEDED if shutil.which(name, path=_path()) is None]:
        pytest.skip(f"needs Debian's supervisor and nginx: {', '.join(missing)}")
    with ExitStack() as stack:
        store = stack.enter_context(EmbeddedValkey(here / "store", fsync="no"))
        hail, whale, http_port, https_port = (free_port() for _ in range(4))
        (here / "logs").mkdir()
        write_certificate(here)
        _write_supervisor(here, store.url, hail, whale)
        _write_nginx(here, hail, whale, http_port, https_port)
        stack.enter_context(_running("supervisord", "-c", str(here / "supervisord.conf")))
        nginx = stack.enter_context(_running("nginx", "-c", str(here / "nginx.conf")))
        found = Stack(here, http_port, https_port, nginx)
        until(lambda: len(found.pids()) == 3, "supervisor to run three programs")
        until(lambda: _answers(found), "nginx to pass on")
        yield found


def _answers(stack: Stack) -> bool:
    try:
        return stack.get("/healthz")[0] == 200
    except OSError:
        return False


@contextmanager
def _running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    # As a service manager starts them: nothing of the tests' own virtual environment.
    with subprocess.Popen(command, env={"PATH": _path()}) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(DEADLINE_S)


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def _replaced(name: str, words: Mapping[str, str]) -> str:
    text = (ROOT / name).read_text(encoding="utf-8")
    for old, new in words.items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


def _write_supervisor(here: Path, store_url: str, hail: int, whale: int) -> None:
    command = here / "hailwhale"
    variables = {key: value for key, value in environ().items() if key in ("PATH", "PYTHONPATH")}
    lines = [f"export {key}='{value}'" for key, value in variables.items()]
    run = f'exec {sys.executable} -m hailwhale.cli "$@"'
    command.write_text("\n".join(["#!/bin/sh", *lines, run, ""]), encoding="utf-8")
    command.chmod(0o755)
    example = _replaced(
        "supervisord.conf.example",
        {
            "/opt/hailwhale/.venv/bin/hailwhale": str(command),
            "redis://127.0.0.1:6379/0": store_url,
            "--port 8086": f"--port {hail}",
            "--port 8087": f"--port {whale}",
            "user=www-data": f"user={_user()}",
            "/var/log": str(here / "logs"),
            "/var/lib/hailwhale": str(here),
        },
    )
    text = _SUPERVISOR.format(user=_user()) + example
    (here / "supervisord.conf").write_text(text, encoding="utf-8")


def _write_nginx(here: Path, hail: int, whale: int, http_port: int, https_port: int) -> None:
    example = _replaced(
        "nginx.conf.example",
        {
            "127.0.0.1:8086": f"127.0.0.1:{hail}",
            "127.0.0.1:8087": f"127.0.0.1:{whale}",
            "listen 80;": f"listen 127.0.0.1:{http_port};",
            "listen 443 ssl;": f"listen 127.0.0.1:{https_port} ssl;",
            "/etc/ssl/hailwhale": str(here),
            "/var/log/nginx": str(here / "logs"),
        },
    )
    (here / "hailwhale.conf").write_text(example, encoding="utf-8")
    (here / "nginx.conf").write_text(_NGINX.format(user=_user(), here=here), encoding="utf-8")


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def write_certificate(here: Path) -> None:
    """A certificate of its own for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hw.example.com")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (here / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (here / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )

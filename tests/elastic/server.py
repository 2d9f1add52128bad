"""A real Elasticsearch for the tests: a given one, a container, or Elastic's own small distribution from Maven.

``GROUNDSWELL_TEST_ES=URL`` wins; a container engine comes next; Maven last. Where none can be had, `NoServerError`
says so.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

VERSIONS = {"8": "8.19.16", "9": "9.2.8"}
"""The newest of both lines that Maven Central carries as integ-test-zip: server core, netty, x-pack core, security."""
FEWEST_JAVA = {"8": 17, "9": 21}
ARTIFACT = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
IMAGE = "docker.elastic.co/elasticsearch/elasticsearch:{version}"
HEAP = "400m"
START_SECONDS = 600
UNPRIVILEGED = 65534
"""The server refuses root; under root it runs as nobody."""


class NoServerError(RuntimeError):
    """No way to a server here; the message names the three ways and what was missing of each."""


@dataclass(slots=True)
class Node:
    """A running node: its address, its process and its folder."""

    url: str
    name: str
    folder: Path
    home: Path
    process: subprocess.Popen[bytes] | None = None
    settings: dict[str, str] = field(default_factory=dict)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def pause(self) -> None:
        """Make it hang: connections are accepted by the kernel, no answer comes."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it answer again."""
        self._signal(signal.SIGCONT)

    def log(self) -> str:
        """Return the end of what it wrote."""
        path = self.folder / "out.log"
        return path.read_text("utf-8", "replace")[-3000:] if path.exists() else ""

    def _signal(self, number: int) -> None:
        if self.process:
            os.killpg(self.process.pid, number)


@contextmanager
def server(line: str) -> Iterator[str]:
    """Yield the address of a healthy single node of line "8" or "9".

    Raises:
        NoServerError: none can be had.
    """
    if given := os.environ.get("GROUNDSWELL_TEST_ES"):
        if line_of(given) != line:
            pytest.skip(f"GROUNDSWELL_TEST_ES is a server of the {line_of(given)} line; this is about the {line} line")
        yield given
        return
    if engine := _engine():
        with _container(engine, line) as url:
            yield url
        return
    with node(line) as one:
        yield one.url


@contextmanager
def node(
    line: str, settings: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None
) -> Iterator[Node]:
    """Yield one node of our own from Maven's distribution, healthy, gone at the end with all it wrote.

    `files` are written beside its configuration: certificates, users, roles.
    """
    with cluster(line, count=1, settings=settings, files=files) as nodes:
        yield nodes[0]


@contextmanager
def cluster(
    line: str, *, count: int, settings: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None
) -> Iterator[list[Node]]:
    """Yield so many nodes on loopback that have found each other."""
    home, java = distribution(line), java_for(line)
    folder = Path(tempfile.mkdtemp(prefix="groundswell-es-"))
    folder.chmod(0o755)
    nodes = _plan(home, folder, count, dict(settings or {}))
    for each in nodes:
        for name, text in (files or {}).items():
            (each.folder / "config" / name).write_text(text)
    try:
        for each in nodes:
            start(each, java)
        for each in nodes:
            wait_healthy(each, count)
        yield nodes
    finally:
        for each in nodes:
            with suppress(ProcessLookupError):
                each.resume()
            each.kill()
        shutil.rmtree(folder, ignore_errors=True)


def distribution(line: str) -> Path:
    """Return the unpacked home of a line, fetched through Maven once and kept in the user's cache."""
    version, cache = VERSIONS[line], cache_folder()
    home = cache / f"elasticsearch-{version}"
    if not (home / "bin" / "elasticsearch").exists():
        _fetch(version, cache)
    return home


def cache_folder() -> Path:
    """Return where what was fetched is kept."""
    if os.getuid() == 0:
        return Path("/var/tmp/groundswell-tests")  # noqa: S108  nobody must be able to read it; root's home is closed
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "groundswell-tests"


def start(each: Node, java: Path) -> None:
    """Start a node in a process group of its own."""
    config = each.folder / "config"
    env = {
        "HOME": str(each.folder),
        "PATH": os.environ["PATH"],
        "ES_JAVA_HOME": str(java),
        "ES_TMPDIR": str(each.folder / "tmp"),
        "ES_PATH_CONF": str(config),
    }
    line: Sequence[str] = [str(each.home / "bin" / "elasticsearch")]
    if os.getuid() == 0:
        folders = {str(each.folder), each.settings["path.data"]}
        subprocess.run(["chown", "-R", str(UNPRIVILEGED), *sorted(folders)], check=True)
        drop = ["setpriv", f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups", "--no-new-privs"]
        line = [*drop, *line]
    with (each.folder / "out.log").open("wb") as out:
        each.process = subprocess.Popen(line, env=env, stdout=out, stderr=out, start_new_session=True)


def wait_healthy(each: Node, count: int = 1) -> None:
    """Wait until a node answers that the cluster has so many nodes and no red shard.

    Raises:
        NoServerError: it ended, or it took too long; with the end of its log.
    """
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if each.process and each.process.poll() is not None:
            raise NoServerError(f"Elasticsearch ended with {each.process.returncode}:\n{each.log()}")
        if healthy(each.url, count) or (each.settings.get("xpack.security.enabled") == "true" and _answers(each.url)):
            return
        time.sleep(0.5)
    raise NoServerError(f"Elasticsearch did not become healthy in {START_SECONDS} s:\n{each.log()}")


def healthy(url: str, count: int = 1) -> bool:
    """Return whether the cluster at `url` is at least yellow with so many nodes."""
    address = f"{url}/_cluster/health?wait_for_status=yellow&timeout=1s&wait_for_nodes={count}"
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  our own server on loopback
            return bool(answer.status == 200) and b'"timed_out":false' in answer.read()
    except (urllib.error.URLError, OSError):
        return False


def line_of(url: str) -> str:
    """Return which line a server is of: "8" or "9"."""
    with urllib.request.urlopen(f"{url}/_nodes?filter_path=nodes.*.version", timeout=10) as answer:  # noqa: S310  given
        nodes = json.load(answer)["nodes"]
    return str(next(iter(nodes.values()))["version"]).split(".")[0]


def client_folder() -> Path:
    """Return a folder with the client of the 8 line, for PYTHONPATH; made once from the hashed lock beside us."""
    lock = Path(__file__).with_name("client8.lock")
    folder = cache_folder() / f"client-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        cache_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache_folder()) as inside:
            uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
            pip = [uv, "pip"] if uv else [sys.executable, "-m", "pip"]
            line = [
                *pip,
                "install",
                "-q",
                "--no-deps",
                "--require-hashes",
                "--target",
                f"{inside}/client",
                "-r",
                str(lock),
            ]
            subprocess.run(line, check=True, stdin=subprocess.DEVNULL)
            with suppress(OSError):  # another run was quicker
                Path(inside, "client").rename(folder)
    return folder


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    host, port = url.split("//")[1].split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def _plan(home: Path, folder: Path, count: int, settings: dict[str, str]) -> list[Node]:
    ports = [(free_port(), free_port()) for _ in range(count)]
    names = [f"node{i}" for i in range(count)]
    seeds = ",".join(f"127.0.0.1:{transport}" for _, transport in ports)
    scheme = "https" if settings.get("xpack.security.http.ssl.enabled") == "true" else "http"
    nodes = []
    for name, (http, transport) in zip(names, ports, strict=True):
        mine = folder / name
        discovery = (
            {"discovery.type": "single-node"}
            if count == 1
            else {
                "discovery.seed_hosts": seeds,
                "cluster.initial_master_nodes": ",".join(names),
            }
        )
        values = {
            "cluster.name": folder.name,
            "node.name": name,
            "network.host": "127.0.0.1",
            "http.port": str(http),
            "transport.port": str(transport),
            "path.data": str(mine / "data"),
            "path.logs": str(mine / "logs"),
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            "xpack.security.enabled": "false",
            **discovery,
            **settings,
        }
        _configure(home, mine, values)
        nodes.append(Node(f"{scheme}://127.0.0.1:{http}", name, mine, home, settings=values))
    return nodes


def _configure(home: Path, folder: Path, values: Mapping[str, str]) -> None:
    for each in ("data", "logs", "tmp"):
        (folder / each).mkdir(parents=True)
    shutil.copytree(home / "config", folder / "config")
    (folder / "config" / "elasticsearch.yml").write_text("".join(f"{key}: {value}\n" for key, value in values.items()))
    options = folder / "config" / "jvm.options.d"
    options.mkdir(exist_ok=True)
    (options / "tests.options").write_text(f"-Xms{HEAP}\n-Xmx{HEAP}\n")


def _fetch(version: str, cache: Path) -> None:
    if not (maven := shutil.which("mvn")):
        raise NoServerError(
            "These tests need a real Elasticsearch. Give one: GROUNDSWELL_TEST_ES=http://host:9200, or a container "
            "engine (docker or podman), or Maven with a JDK (17 for the 8 line, 21 or newer for the 9 line)."
        )
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as inside:
        artifact = f"-Dartifact={ARTIFACT.format(version=version)}"
        line = [maven, "-q", "-B", COPY, artifact, f"-DoutputDirectory={inside}"]
        done = subprocess.run(line, capture_output=True, text=True, timeout=900, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise NoServerError(
                f"Maven could not fetch Elasticsearch {version}: {done.stdout[-800:]}{done.stderr[-800:]}"
            )
        with zipfile.ZipFile(next(Path(inside).glob("*.zip"))) as packed:
            packed.extractall(inside)
        home = Path(inside) / f"elasticsearch-{version}"
        for script in (home / "bin").iterdir():
            script.chmod(0o755)
        with suppress(OSError):  # another run was quicker
            home.rename(cache / home.name)
    cache.chmod(0o755)


def java_for(line: str) -> Path:
    """Return the home of a JDK that this line runs on."""
    found = {}
    for release in [*Path("/usr/lib/jvm").glob("*/release"), *_java_home()]:
        if number := re.search(r'JAVA_VERSION="(\d+)', release.read_text("utf-8", "replace")):
            found[int(number[1])] = release.parent
    fitting = [number for number in sorted(found) if number >= FEWEST_JAVA[line]]
    if not fitting:
        raise NoServerError(f"Elasticsearch {VERSIONS[line]} needs a JDK ≥ {FEWEST_JAVA[line]}; found {sorted(found)}")
    return found[fitting[0]].resolve()


def _java_home() -> list[Path]:
    home = os.environ.get("JAVA_HOME")
    return [Path(home) / "release"] if home and (Path(home) / "release").exists() else []


def _engine() -> str | None:
    for name in ("docker", "podman"):
        if (path := shutil.which(name)) and not subprocess.run(
            [path, "info"], capture_output=True, check=False
        ).returncode:
            return path
    return None


@contextmanager
def _container(engine: str, line: str) -> Iterator[str]:
    port = free_port()
    flags = [
        "-e",
        "discovery.type=single-node",
        "-e",
        "xpack.security.enabled=false",
        "-e",
        f"ES_JAVA_OPTS=-Xms{HEAP} -Xmx{HEAP}",
    ]
    run = [engine, "run", "--rm", "-d", "-p", f"127.0.0.1:{port}:9200", *flags, IMAGE.format(version=VERSIONS[line])]
    name = subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + START_SECONDS
        while not healthy(url):
            if time.monotonic() > until:
                raise NoServerError(f"the container did not become healthy in {START_SECONDS} s")
            time.sleep(1)
        yield url
    finally:
        subprocess.run([engine, "rm", "-f", name], capture_output=True, check=False)

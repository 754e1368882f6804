"""Find, fetch, send and listen against a real Orthanc: DICOMweb and DIMSE; a SEG is stored and reloads."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from medmpt_backend.imaging.load import load_volume
from tests.tools.hospital.conftest import Pacs, plant, port
from tools.case.virtual.dicom_writer import write_series
from tools.errors import EmptyInput, ToolsError
from tools.hospital.commands import _peer
from tools.hospital.dicomweb import Archive, read_objects
from tools.hospital.dimse import Listener
from tools.hospital.inbox import Inbox

SECRET = b"s" * 32


@pytest.fixture(scope="session")
def study(orthanc: Pacs, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The planted study, stored by STOW-RS; its UID."""
    objects = read_objects([plant(tmp_path_factory.mktemp("study") / "in")])
    assert Archive(orthanc.web, "medmpt:secret").store(objects) == 6
    return str(objects[0].StudyInstanceUID)


def test_dicomweb_finds_and_fetches_without_identity(orthanc: Pacs, study: str, tmp_path: Path) -> None:
    archive = Archive(orthanc.web, "medmpt:secret")
    (found,) = archive.find({"PatientID": "PLANTEDMRN77", "ModalitiesInStudy": "CT"})
    assert (found.study_uid, found.images, found.date) == (study, 6, "2025-03-01")
    inbox = Inbox(tmp_path, SECRET)
    assert archive.fetch(study, inbox) == 6
    (arrived,) = inbox.finish()
    assert arrived.instances == 6
    assert b"lanted" not in b"".join(f.read_bytes() for f in tmp_path.rglob("*.dcm"))


def test_dimse_finds_and_has_the_study_sent(orthanc: Pacs, study: str, tmp_path: Path) -> None:
    peer = _peer(orthanc.peer, "MEDMPT")
    (found,) = peer.find({"PatientID": "PLANTEDMRN77"})
    assert found.study_uid == study
    inbox = Inbox(tmp_path, SECRET)
    assert peer.fetch(study, inbox, orthanc.port_back) == 6
    assert inbox.finish()[0].instances == 6


def test_objects_go_back_by_c_store(orthanc: Pacs, tmp_path: Path) -> None:
    write_series(np.full((2, 16, 16), -800, np.int16), (2.0, 1.0, 1.0), tmp_path / "s", description="BACK")
    assert _peer(orthanc.peer, "MEDMPT").store(read_objects([tmp_path / "s"])) == 2


def test_the_listener_takes_what_an_allowed_title_sends_and_nothing_else(tmp_path: Path) -> None:
    objects = read_objects([plant(tmp_path / "in", 3)])
    inbox, at = Inbox(tmp_path / "out", SECRET), port()
    with Listener(inbox, "MEDMPT", "127.0.0.1", at, ("SCANNER",)).running():
        with pytest.raises(ToolsError, match="no association"):
            _peer(f"MEDMPT@127.0.0.1:{at}", "STRANGER").store(objects)
        senders = [threading.Thread(target=_peer(f"MEDMPT@127.0.0.1:{at}", "SCANNER").store, args=([ds],)) for ds in objects]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
    assert inbox.finish()[0].instances == 3


def test_a_case_is_whole_when_its_sender_is_done_and_a_supervisor_may_end_the_listener(tmp_path: Path) -> None:
    at = port()
    command = [sys.executable, "-m", "ui.cli", "pacs", "listen", "--out", "in", "--port", str(at), "--json"]
    env = {**os.environ, "MEDMPT_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as listener:
        assert listener.stderr is not None
        assert "Listening as MEDMPT" in listener.stderr.readline()
        _peer(f"MEDMPT@127.0.0.1:{at}", "SCANNER").store(read_objects([plant(tmp_path / "ct")]))
        ends = time.monotonic() + 60
        while not list(tmp_path.glob("in/*/case.json")) and time.monotonic() < ends:
            time.sleep(0.1)
        assert list(tmp_path.glob("in/*/case.json")), "while it goes on listening"
        listener.terminate()
        told, _ = listener.communicate(timeout=60)
    assert (listener.returncode, json.loads(told)["images"]) == (0, 6)


def test_a_full_disk_is_told_to_the_sender_and_not_called_stored(tmp_path: Path) -> None:
    objects = read_objects([plant(tmp_path / "in", 1)])
    (tmp_path / "out").write_text("a file where the folder should be")
    at = port()
    with (
        Listener(Inbox(tmp_path / "out", SECRET), "MEDMPT", "127.0.0.1", at).running(),
        pytest.raises(ToolsError, match="C-STORE: MEDMPT answered 0xA700"),
    ):
        _peer(f"MEDMPT@127.0.0.1:{at}", "SCANNER").store(objects)


def test_nothing_there_and_nobody_there_are_told_apart(orthanc: Pacs, tmp_path: Path) -> None:
    with pytest.raises(EmptyInput, match="no CT series"):
        Archive(orthanc.web, "medmpt:secret").fetch("1.2.3.4", Inbox(tmp_path, SECRET))
    with pytest.raises(ToolsError, match=r"answered 401; check the token"):
        Archive(orthanc.web, "medmpt:wrong").find({})
    with pytest.raises(ToolsError, match="cannot be reached"):
        Archive(f"http://127.0.0.1:{port()}", None).find({})


def test_a_segmentation_is_stored_and_reloads(orthanc: Pacs, tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    from medmpt_backend.cohort.demo import generate
    from medmpt_backend.cohort.thorax import Scan
    from tools.hospital.segmentation import lung_segmentation, read_segmentation

    made = generate("normal", 1, Scan(shape=(84, 112, 112), spacing=(4.0, 3.2, 3.2), z_top=140.0))
    write_series(made.hu, made.spacing, tmp_path / "ct", description="PHANTOM")
    seg = lung_segmentation(tmp_path / "ct")
    assert Archive(orthanc.web, "medmpt:secret").store([seg]) == 1
    number = httpx.post(f"{orthanc.rest}/tools/lookup", content=str(seg.SOPInstanceUID), auth=("medmpt", "secret")).json()[0]["ID"]
    (tmp_path / "seg.dcm").write_bytes(httpx.get(f"{orthanc.rest}/instances/{number}/file", auth=("medmpt", "secret")).content)
    back = read_segmentation(tmp_path / "seg.dcm")
    assert set(back.names.values()) == {"Right lung", "Left lung"}
    from medmpt_backend.imaging.anatomy.lungs import segment

    volume = load_volume(tmp_path / "ct")
    lungs = segment(volume)
    first = int(np.flatnonzero((back.labels > 0).any((1, 2)))[0])
    assert first == 0  # slices without a lung are left out
    top = int(np.flatnonzero(lungs.labels.any((1, 2)))[0]) * lungs.grid.factors[0]
    here = volume.hu[top : top + len(back.labels)]
    for label, ml in back.millilitres.items():
        assert ml == pytest.approx(lungs.millilitres(label), rel=0.03)
        assert here[back.labels == label].mean() < -500

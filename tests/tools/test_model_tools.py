"""The model's tools on a tiny model: evidence with its card, drafts, similar cases, drug scores; and silence outside the domain."""

from dataclasses import dataclass
from pathlib import Path

import click
import nibabel as nib
import numpy as np
import pytest
import torch
import typer

from medmpt_backend.cohort.patients.drugs import VOCABULARY
from medmpt_backend.ct_commands import ReportDrafted
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.inference.engine import MedMPTEngine
from medmpt_backend.inference.reference import ReferenceCase, ReferenceCases
from medmpt_backend.inference.results import DraftSentence
from medmpt_backend.inference.training_domain import DomainModel
from medmpt_backend.model.config import DecodeConfig, HeadConfig, LabConfig, LabTest, MedMPTConfig
from medmpt_backend.model.network import MedMPT
from medmpt_backend.weights.checkpoint import save_weights
from retrieval.errors import BadInput
from tools.case.record import Allergy, Case, Condition, Medication, Observation, Patient, Presentation, StudyRef
from tools.case.virtual.dicom_writer import write_series
from tools.deps import Deps
from tools.drugs.medications import rank_drugs
from tools.drugs.model_opinion import panel_values
from tools.drugs.payload import RankingData
from tools.evidence import Evidence, ToolResult
from tools.imaging.model_findings import TASKS
from tools.imaging.model_tools import classify_ct, encode_ct
from tools.imaging.results.model import Classified
from tools.imaging.similar_cases import find_similar_cases, remember_study
from tools.reports.ct_commands import ClassifyOut, ReportOut, classify, report
from tools.reports.draft_words import blank_sizes, contradiction, split_sections, tidy
from tools.reports.drafting import draft_report
from tools.reports.payload import DraftData

LABELS = ("lung_nodule", "pleural_effusion", "consolidation", "emphysema")
# Scores of the four labels are set by the last layer's bias: nodule and effusion above the operating point, the others below.
LOGITS = (2.0, 1.5, -2.0, -1.0)


def _config() -> MedMPTConfig:
    tiny = MedMPTConfig.tiny()
    assert tiny.labs is not None
    assert tiny.medication is not None
    panel = tuple(
        LabTest(analyte=a, unit=u, low=0.0, high=10.0) for a, u in (("crp", "mg/L"), ("urea", "mmol/L"), ("creatinine", "umol/L"))
    )
    labs = LabConfig.model_validate({**tiny.labs.model_dump(), "tests": 3, "panel": [p.model_dump() for p in panel]})
    classes = {name: HeadConfig(kind="multiclass", labels=tuple(map(str, range(len(task.classes))))) for name, task in TASKS.items()}
    heads = {"findings": HeadConfig(kind="multilabel", labels=LABELS, thresholds=(0.4,) * 4, calibrated=True), **classes}
    return tiny.model_copy(
        update={
            "labs": labs,
            "medication": tiny.medication.model_copy(update={"drugs": VOCABULARY}),
            "heads": heads,
            "decode": DecodeConfig(openings={"en": "findings :", "zh": "影 像 所 见 ："}),
        }
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights, a synthetic study and one that is not."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("model")
    words = ["findings", "impression", ":", ".", "no", "nodule", "effusion", "right", "影", "像", "所", "见", "：", "。", "右", "无"]
    vocabulary = ["[PAD]", *(f"[unused{i}]" for i in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    vocabulary += [f"w{i}" for i in range(160 - len(vocabulary))]
    (root / "tok").mkdir()
    (root / "tok" / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    hu = np.random.default_rng(0).integers(-950, 100, (12, 40, 40)).astype(np.int16)
    write_series(hu, (5.0, 2.0, 2.0), root / "ct", description="TEST")
    nib.save(nib.Nifti1Image(hu.transpose(2, 1, 0)[::-1, ::-1, ::-1], np.diag([2.0, 2.0, 5.0, 1.0])), root / "real.nii.gz")
    torch.manual_seed(1)
    model = MedMPT(_config())
    with torch.no_grad():
        last = [m for m in model.heads["findings"].modules() if isinstance(m, torch.nn.Linear)][-1]
        last.weight.mul_(0.01)
        last.bias.copy_(torch.tensor(LOGITS))
    options = {"licence": "test", "trained_on": "synthetic patients", "synthetic_training": True, "tokenizer": root / "tok"}
    plain = save_weights(root / "weights", model, "plain", **options)
    scan = MedMPTEngine.open(plain, root / "cache", "fp32").encode(load_volume(root / "ct")).scan
    near = scan + np.random.default_rng(1).normal(0, 0.1, (40, len(scan))).astype(np.float32)
    save_weights(root / "weights", model, "tiny", domain=DomainModel.fit(near).to_bytes(), laterality_verified=True, **options)
    return root


@pytest.fixture
def engine(place: Path, tmp_path: Path) -> MedMPTEngine:
    return MedMPTEngine.open(place / "weights" / "tiny", tmp_path / "cache", "fp32")


def _case() -> Case:
    return Case(
        case_id="t",
        patient=Patient(age_years=67, sex="male", allergies=(Allergy(substance="penicillin"),), conditions=(Condition(name="COPD"),)),
        presentation=Presentation(question="community-acquired pneumonia?"),
        labs=(
            Observation(analyte="CRP", value=21.0, unit="mg/dL", time="2025-03-01"),
            Observation(analyte="creatinine", value=88.0, unit="µmol/L", time="2025-03-01"),
            Observation(analyte="creatinine", value=120.0, unit="µmol/L", time="2025-03-02"),
        ),
        medications=(Medication(name="warfarin"),),
        studies=(StudyRef(id="ct-1", path="ct"),),
    )


def _deps(place: Path, engine: MedMPTEngine | None, study: str = "ct", **more: object) -> Deps:
    return Deps(cache_dir=place / "cache", case=_case(), engine=engine, studies={"ct-1": place / study}, **more)  # type: ignore[arg-type]


def by_key(result: ToolResult) -> dict[str, Evidence]:
    return {e.key: e for e in result.evidence}


def test_findings_carry_score_operating_point_and_card(place: Path, engine: MedMPTEngine) -> None:
    result = classify_ct(_deps(place, engine))
    assert result.status == "ok", result.reason
    nodule, dense = by_key(result)["M-ct-1-lung_nodule"], by_key(result)["M-ct-1-consolidation"]
    assert (nodule.present, dense.present) == (True, False)
    assert "operating point 0.40" in nodule.text
    assert "判定阈值 0.40" in (nodule.text_zh or "")
    assert nodule.card is not None
    assert (nodule.card.weights, nodule.card.domain, nodule.card.threshold) == ("tiny", "in", 0.4)
    assert nodule.card.distance is not None
    assert "The model finds no consolidation" in dense.text
    absent = by_key(result)["M-ct-1-absent"]
    assert "emphysema, consolidation" in absent.text

    assert "M-ct-1-screening" in by_key(result)  # a nodule was found
    assert any("tiny" in w and "synthetic" in w for w in result.warnings)


def test_without_domain_statistics_nothing_is_denied(place: Path, tmp_path: Path) -> None:
    result = classify_ct(_deps(place, MedMPTEngine.open(place / "weights" / "plain", tmp_path, "fp32")))
    assert result.status == "partial"
    assert not [e for e in result.evidence if e.present is False]
    assert "does not decide on consolidation" in by_key(result)["M-ct-1-consolidation"].text


def test_a_real_scan_makes_the_model_abstain_everywhere(place: Path, engine: MedMPTEngine) -> None:
    deps = _deps(place, engine, "real.nii.gz")
    for result in (classify_ct(deps), encode_ct(deps), find_similar_cases(deps), draft_report(deps)):
        assert result.status == "out_of_domain", result.tool
        (said,) = [e for e in result.evidence if e.kind == "model"]
        assert said.key.endswith("-abstains")
        assert "synthetic studies only" in said.text
        assert "仅用合成检查训练" in (said.text_zh or "")
        assert said.present is None
    ranked = rank_drugs(deps, "community-acquired pneumonia")
    assert ranked.status == "partial"
    assert "synthetic studies only" in (ranked.reason or "")
    assert not [e for e in ranked.evidence if e.kind == "model"]


def test_draft_begins_in_the_reader_s_language_and_names_origins(place: Path, engine: MedMPTEngine) -> None:
    for language, opening in (("en", "findings"), ("zh", "影像所见")):
        text = engine.draft_findings(load_volume(place / "ct"), language=language)
        assert text.text.replace(" ", "").startswith(opening)
    result = draft_report(_deps(place, engine))
    data = result.payload(DraftData)
    assert data is not None
    rows = [(s.name, r.origin, r.evidence) for s in data.sections for r in s.sentences]
    assert ("findings", "model", "M-ct-1-lung_nodule") in rows
    assert ("limits", "template", "R-ct-1-limits") in rows
    assert {key for _, _, key in rows} == set(by_key(result))
    assert "sign" in result.warnings[0]


def sentence(text: str) -> DraftSentence:
    return DraftSentence(text, -0.5, (), 0, (), ())


def test_drafted_sentences_fall_into_sections() -> None:
    drafted = [
        sentence(t) for t in ("findings : a 12 mm nodule .", "no pleural effusion .", "impression : nodule .", "consider lung cancer .")
    ]
    assert [(s, tidy(d.text)) for s, d in split_sections(drafted)] == [
        ("findings", "A 12 mm nodule ."),
        ("findings", "No pleural effusion ."),
        ("impression", "Nodule ."),
        ("impression", "Consider lung cancer ."),
    ]
    assert [s for s, _ in split_sections([sentence("影像所见：右肺结节。"), sentence("印象：右肺结节。")])] == ["findings", "impression"]


@pytest.mark.parametrize(
    ("written", "once"),
    [
        ("consolidation in the right lower and lower lobes.", "Consolidation in the right lower lobe."),
        ("right upper, lower and lower lobes", "Right upper and lower lobes"),
        ("bilateral lower and lower lobes.", "Bilateral lower lobes."),
        ("left upper and lower lobes and right lower lobe.", "Left upper and lower lobes and right lower lobe."),
        ("effusion, right and right.", "Effusion, right."),
        ("右肺下叶、下叶实变。", "右肺下叶实变。"),
        ("右肺上、下、下叶实变。", "右肺上、下叶实变。"),
        ("右肺上叶及左肺上叶、下叶", "右肺上叶及左肺上叶、下叶"),
        ("右侧、右侧胸腔积液。", "右侧胸腔积液。"),
        ("1.", ""),
        ("印象：2、", ""),
    ],
)
def test_a_drafted_sentence_names_a_place_once_and_is_more_than_a_number(written: str, once: str) -> None:
    assert tidy(written) == once


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("Right lower lobe nodule.", "places lung nodule on the left"),
        ("Left upper lobe nodule.", None),
        ("No pleural effusion or nodule.", "finds pleural effusion"),
        ("未见胸腔积液。", "finds pleural effusion"),
        ("No consolidation.", None),
        ("No pneumothorax.", "no detector for pneumothorax"),
        ("Consolidation in the right lower lobe.", "finds no consolidation"),
        ("右肺下叶见实变影。", "finds no consolidation"),
        ("The lungs are clear.", "detector finds"),
        ("Bilateral nodules.", "left only"),
        ("双肺见小叶中心结节。", "left only"),
        ("Suggests heart failure.", None),
    ],
)
def test_what_the_detectors_contradict_is_left_out(text: str, because: str | None) -> None:
    def detected(name: str, present: bool, side: str | None = None) -> Evidence:
        fields = {
            "key": f"M-ct-1-{name}",
            "kind": "model",
            "text": name,
            "source": "t",
            "present": present,
            "side": side,
            "subjects": [name],
        }
        return Evidence.model_validate(fields)

    known = [detected("lung_nodule", True, "left"), detected("pleural_effusion", True), detected("consolidation", False)]
    found = contradiction(text, known, denials=True)
    assert (found is None) if because is None else (found is not None and because in found)
    if text.startswith(("No", "未见")):
        assert contradiction(text, known, denials=False) is not None


def test_similar_cases_are_said_to_be_synthetic(place: Path, tmp_path: Path, engine: MedMPTEngine) -> None:
    deps = _deps(place, engine, cases_dir=tmp_path / "own")
    assert find_similar_cases(deps).status == "unavailable"
    vector = engine.embed_scan(load_volume(place / "ct"))
    cases = tuple(
        ReferenceCase(id=f"9-{i}", disease="sarcoidosis", disease_zh="结节病", age=40 + i, sex="male", findings={"lung_nodule": "right"})
        for i in range(3)
    )
    scans = np.stack([vector, -vector, np.roll(vector, 1)])
    ReferenceCases(engine.provenance.model_sha256, scans, cases).write(engine.weights.folder)
    try:
        result = find_similar_cases(deps, k=2)
        assert (result.status, result.counts) == ("ok", {"searched": 3, "shown": 2})
        first = result.evidence[0]
        assert first.key == "K-9-0"
        assert "synthetic" in first.text
        assert "合成病例" in (first.text_zh or "")
        assert "lung nodule (right)" in first.text
        assert remember_study(place / "ct", "mine", "biopsy: granuloma", tmp_path / "own", engine) == 1
        assert "own study 'mine'" in " ".join(e.text for e in find_similar_cases(deps).evidence)
        with pytest.raises(BadInput, match="mine"):
            remember_study(place / "ct", "mine", "", tmp_path / "own", engine)
        ReferenceCases("other", scans, cases).write(engine.weights.folder)
        assert "not those of its weights" in (find_similar_cases(deps).reason or "")
    finally:
        for name in ("cases.npz", "cases.json"):
            (engine.weights.folder / name).unlink(missing_ok=True)


def test_laboratory_values_reach_the_panel_in_its_units() -> None:
    labs = _config().labs
    assert labs is not None
    assert panel_values(_case(), labs.panel) == {"crp": pytest.approx(210.0), "creatinine": pytest.approx(120.0)}


def test_drugs_carry_warnings_and_the_model_s_score(place: Path, engine: MedMPTEngine) -> None:
    result = rank_drugs(_deps(place, engine), "community-acquired pneumonia")
    data = result.payload(RankingData)
    assert data is not None
    rows = {r.drug: r for r in (*data.ranked, *data.rejected)}
    doxycycline = rows["doxycycline"]
    assert doxycycline.model_score is not None
    assert any("warfarin" in w.text for w in doxycycline.warnings)
    assert rows["amoxicillin"].because
    verdict = by_key(result)["D-rank"]
    assert verdict.inferred
    assert data.ranked[0].drug in verdict.text
    assert by_key(result)["M-drug-doxycycline"].card is not None
    scores = [r.score for r in data.ranked]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("A moderate right pleural effusion (18 mm).", "A moderate right pleural effusion (__ mm)."),
        ("右侧胸腔见中等量积液，厚约18mm。", "右侧胸腔见中等量积液，厚约__mm。"),
        ("Mass of 2.5 x 3.1 cm in the left upper lobe.", "Mass of __ cm in the left upper lobe."),
        ("Nodes at stations 4R and 7.", "Nodes at stations 4R and 7."),
    ],
)
def test_a_size_that_a_decoder_wrote_is_left_for_the_person_who_signs(written: str, told: str) -> None:
    assert blank_sizes(written) == told


@dataclass(frozen=True)
class _Folders:
    data_dir: Path
    cache_dir: Path
    weights: str | None = "tiny"


def test_the_commands_say_what_the_tools_say_and_the_raw_text_only_when_asked(place: Path, tmp_path: Path) -> None:
    engine = MedMPTEngine.open(place / "weights" / "tiny", tmp_path / "cache")  # the precision that the commands choose on this machine
    ctx = typer.Context(click.Command("medmpt"), obj=_Folders(place, tmp_path / "cache"))
    deps = Deps(cache_dir=tmp_path, engine=engine, studies={"ct-1": place / "ct"})
    seen, told = classify(ctx, place / "ct"), classify_ct(deps).payload(Classified)
    assert isinstance(seen, ClassifyOut)
    assert told is not None
    assert [f.id for f in seen.findings] == [f.id for f in told.findings]
    drafted, written = report(ctx, place / "ct"), draft_report(deps).payload(DraftData)
    assert isinstance(drafted, ReportOut)
    assert written is not None
    assert [s.text for x in drafted.sections for s in x.sentences] == [s.text for x in written.sections for s in x.sentences]
    assert {s.origin for x in drafted.sections for s in x.sentences if x.name == "limits"} == {"not_assessed"}
    raw = report(ctx, place / "ct", raw=True)
    assert isinstance(raw, ReportDrafted)
    assert any("log-probability" in (s.evidence or "") for x in raw.sections for s in x.sentences)
    bare = report(typer.Context(click.Command("medmpt"), obj=_Folders(place, tmp_path / "cache", "none")), place / "ct")
    assert (bare.status, bare.validity) == ("unavailable", None)

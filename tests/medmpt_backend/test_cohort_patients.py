import numpy as np
import pytest

from medmpt_backend.cohort.patients.diseases import DISEASES
from medmpt_backend.cohort.patients.drugs import VOCABULARY
from medmpt_backend.cohort.patients.panel import PANEL, blood_gas, draw_labs, saturation
from medmpt_backend.cohort.patients.patient import draw_habitus, draw_patient, draw_scan, paint_patient
from medmpt_backend.cohort.thorax import finish, start


def test_vocabularies_have_their_sizes() -> None:
    assert len(VOCABULARY) == len(set(VOCABULARY)) == 55
    assert len(PANEL) == len({t.id for t in PANEL}) == 100
    known = set(VOCABULARY)
    assert all(drug in known for d in DISEASES for group in d.drugs for drug in group)


def test_a_seed_gives_one_patient() -> None:
    assert draw_patient(np.random.default_rng(5)) == draw_patient(np.random.default_rng(5))
    assert draw_patient(np.random.default_rng(5)) != draw_patient(np.random.default_rng(6))


def test_laboratory_values_follow_the_disease() -> None:
    def median(disease: str, analyte: str) -> float:
        values = [draw_patient(np.random.default_rng(i), disease).labs[analyte] for i in range(120)]
        return float(np.median([v for v in values if v is not None]))

    assert median("cap_lobar", "crp") > 5 * median("normal", "crp")
    assert median("heart_failure", "nt_probnp") > 3 * median("normal", "nt_probnp")
    assert median("abpa", "ige_total") > 5 * median("normal", "ige_total")
    assert median("covid", "lymphocytes") < 0.7 * median("normal", "lymphocytes")


@pytest.mark.parametrize("shunt", [0.0, 0.3, 0.6, 0.9])
def test_blood_gases_obey_physiology(shunt: float) -> None:
    gas = blood_gas(np.random.default_rng(1), shunt, 0.4, 0.1, 0.35)
    alveolar = 0.35 * 713 - gas["paco2"] / 0.8
    assert gas["pao2"] < alveolar
    assert gas["ph"] == pytest.approx(6.1 + np.log10(gas["bicarbonate_arterial"] / (0.03 * gas["paco2"])))
    assert 40 < saturation(gas["pao2"]) < 100


def test_prescriptions_respect_allergy_unless_a_deviation_says_so() -> None:
    patients = [draw_patient(np.random.default_rng(i), "cap_lobar") for i in range(400)]
    allergic = [p for p in patients if "penicillin" in p.allergies]
    assert allergic
    for p in allergic:
        given = {"amoxicillin-clavulanate", "piperacillin-tazobactam"} & set(p.prescription.drugs)
        assert not given or any(g in " ".join(p.prescription.deviations) for g in given)


@pytest.mark.parametrize("disease", [d.id for d in DISEASES])
def test_every_disease_paints_what_it_is(disease: str) -> None:
    rng = np.random.default_rng(2)
    patient = draw_patient(rng, disease)
    habitus = draw_habitus(rng, patient)
    scan = draw_scan(rng, (32, 80, 80), habitus)
    canvas = start(rng, scan, habitus)
    truth = paint_patient(rng, canvas, patient)
    study = finish(rng, canvas, scan, truth)
    assert study.hu.shape == (32, 80, 80)
    assert truth or disease in {"normal", "pulmonary_hypertension"}
    assert all(f.mask.any() for f in truth)


def test_computed_values_agree_with_their_parts() -> None:
    gas = {"ph": 7.4, "paco2": 40.0, "pao2": 90.0, "bicarbonate_arterial": 24.0}
    checked = 0
    for seed in range(60):
        labs = {
            k: v for k, v in draw_labs(np.random.default_rng(seed), {"bacterial": 1.0, "anaemia": 0.5}, gas, 1.0).items() if v is not None
        }
        parts = [labs.get(k) for k in ("neutrophils", "lymphocytes", "monocytes", "eosinophils", "basophils", "leukocytes")]
        if None not in parts:
            *some, total = (p for p in parts if p is not None)
            assert sum(some) == pytest.approx(total, abs=0.12)
            checked += 1
        if {"haemoglobin", "erythrocytes", "mch"} <= set(labs):
            assert labs["haemoglobin"] == pytest.approx(labs["mch"] * labs["erythrocytes"], rel=0.02)
        if {"albumin", "globulin", "total_protein"} <= set(labs):
            assert labs["total_protein"] == pytest.approx(labs["albumin"] + labs["globulin"], abs=0.16)
    assert checked > 30


def test_normal_red_cells_stay_normal() -> None:
    patients = [draw_patient(np.random.default_rng(i), "normal") for i in range(150)]
    inside = [115 <= v <= 175 for p in patients if (v := p.labs["haemoglobin"]) is not None]
    assert np.mean(inside) > 0.8

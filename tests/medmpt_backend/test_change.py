"""What changed between two scans: only figures inside their domain on both are subtracted."""

from dataclasses import replace

from medmpt_backend.imaging.findings.change import changes
from medmpt_backend.imaging.findings.groups import PleuraGroup
from medmpt_backend.imaging.validity import Limit
from tests.medmpt_backend.test_measured_draft import study


def test_fluid_that_came_is_a_change_and_density_at_another_breath_is_none() -> None:
    now = study(effusion=PleuraGroup("in", None, 0.0, 400.0))
    found = {c.name: c for c in changes(now, study())}
    assert (found["effusion_right_ml"].change, found["effusion_left_ml"].change) == (400.0, 0.0)
    assert found["laa950_pct"].change == 0
    breath = {c.name: c for c in changes(now, replace(study(), lungs=replace(study().lungs, total_l=4.0)))}
    assert breath["lungs_total_l"].change == 1.5
    assert breath["laa950_pct"].change is None
    assert "breath" in (breath["laa950_pct"].because or "")


def test_what_lies_outside_its_domain_on_either_scan_is_not_subtracted() -> None:
    limit = Limit("contrast", "out", ("laa950_pct",), "contrast")
    prior = replace(study(effusion=PleuraGroup("unknown", "wide pixels", 10.0, 20.0)), limits=(limit,))
    found = {c.name: c for c in changes(study(), prior)}
    assert found["effusion_right_ml"].change is None
    assert "before: wide pixels" in (found["effusion_right_ml"].because or "")
    assert "contrast" in (found["laa950_pct"].because or "")
    assert found["consolidation_ml"].change == 0

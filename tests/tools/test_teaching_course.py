"""Planted errors, hints, progress with its schedule, questions, the own report, and what is stored."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from medmpt_backend.findings import FINDINGS
from tools.errors import ToolsError
from tools.teaching.cases import level_of, taught_by, teaching_cases, teaching_title
from tools.teaching.commit import CHOICES, Entry, MachineFinding, MachineRead, Reading, TrueFinding, compare
from tools.teaching.hints import next_hint
from tools.teaching.planted import RATE, with_planted_error
from tools.teaching.progress import BOX_DAYS, Attempt, calibration, level, next_case, progress, reliance, weak
from tools.teaching.sheet import COLUMNS, as_csv, rows_of
from tools.teaching.socratic import questions
from tools.teaching.store import TeachingStore
from tools.teaching.written import against

NODULE = TrueFinding(finding="lung_nodule", side="right", lobes=("RUL",), size_mm=9.0, slice=20)
EFFUSION = TrueFinding(finding="pleural_effusion", side="left", slice=40)
TRUTH = (NODULE, EFFUSION)
MACHINE = MachineRead(
    called=(MachineFinding(finding="lung_nodule", side="right", score=0.8, threshold=0.5),),
    denied=("pleural_effusion", "consolidation", "mass"),
)
DAY = date(2026, 1, 1)


def entry(name: str, confidence: int = 3, side: str | None = "right", lobe: str | None = None) -> Entry:
    return Entry.model_validate({"finding": name, "side": side, "lobe": lobe, "confidence": confidence, "size_mm": 9})


def attempt(
    *first: Entry, final: tuple[Entry, ...] | None = None, case: str = "teach-01", day: date = DAY, machine: MachineRead | None = MACHINE
) -> Attempt:
    one, two = Reading(entries=first), Reading(entries=first if final is None else final)
    rows = compare(two, TRUTH, machine or MachineRead())
    return Attempt(case_id=case, day=DAY, first=one, final=two, truth=TRUTH, feedback=rows, machine=machine)


def test_sixty_cases_in_three_levels_name_nothing() -> None:
    assert len(teaching_cases()) >= 60
    assert all(n >= 20 for n in Counter(level_of(c) for c in teaching_cases()).values())
    assert set(Counter(level_of(c) for c in teaching_cases())) == {1, 2, 3}
    for case in teaching_cases():
        assert set(taught_by(case)) <= set(CHOICES)
        said = (teaching_title(case) + teaching_title(case, "zh")).casefold()
        for name in taught_by(case):
            assert FINDINGS[name].en.casefold() not in said
            assert FINDINGS[name].zh not in said


def test_errors_are_planted_at_their_rate_and_are_errors() -> None:
    kinds: Counter[str] = Counter()
    for n in range(800):
        shown, planted = with_planted_error(MACHINE, TRUTH, f"t|{n}")
        assert (shown == MACHINE) == (planted is None)
        if planted is not None:
            kinds[planted.kind] += 1
            called = {c.finding: c.side for c in shown.called}
            wrong = {
                "removed": "lung_nodule" not in called,
                "moved": called.get("lung_nodule") == "left",
                "added": planted.finding in {"consolidation", "mass"},
            }
            assert wrong[planted.kind]
            assert not set(called) & set(shown.denied)
    assert set(kinds) == {"removed", "moved", "added"}
    assert sum(kinds.values()) / 800 == pytest.approx(RATE, abs=0.05)
    assert with_planted_error(MACHINE, TRUTH, "t|1") == with_planted_error(MACHINE, TRUTH, "t|1")
    silent = MachineRead(abstained="outside its domain")
    assert with_planted_error(silent, TRUTH, "x", rate=1.0) == (silent, None)


def test_each_hint_tells_more_and_none_names_the_finding() -> None:
    told = [next_hint(TRUTH, (), n) for n in range(5)]
    assert [h.step for h in told] == [1, 2, 3, 2, 3]
    assert told[0].text.startswith("2 findings are")
    assert told[2].slices == (17, 23)
    assert told[4].slices == (37, 43)
    for hint in told:
        assert "nodule" not in hint.text
        assert "结节" not in hint.text_zh
    assert next_hint(TRUTH, (entry("lung_nodule"), entry("pleural_effusion")), 0).text.startswith("Everything")


def test_a_wrong_lobe_is_told_and_no_lobe_is_not_judged() -> None:
    said = {lobe: compare(Reading(entries=(entry("lung_nodule", lobe=lobe),)), (NODULE,), MACHINE)[0] for lobe in ("upper", "lower", None)}
    assert [said[x].outcome for x in ("upper", "lower", None)] == ["hit", "wrong_place", "hit"]
    assert "right upper lobe" in said["lower"].text
    assert "右肺上叶" in said["lower"].text_zh


def test_a_miss_comes_again_tomorrow_and_hits_come_later_each_time() -> None:
    hit, miss = attempt(entry("lung_nodule")), attempt()
    box = {w.finding: w for w in weak([hit, hit, hit])}
    assert (box["lung_nodule"].box, box["lung_nodule"].due) == (3, DAY + timedelta(days=BOX_DAYS[3]))
    assert (box["pleural_effusion"].box, box["pleural_effusion"].due) == (0, DAY + timedelta(days=1))
    assert {w.finding: w.box for w in weak([hit, hit, miss])}["lung_nodule"] == 0


def test_the_next_case_is_of_the_level_and_shows_what_is_due() -> None:
    first = next_case([], DAY)
    assert level_of(first) == 1
    missed = attempt(case=first)
    after = next_case([missed], DAY + timedelta(days=2))
    assert after != first
    assert {"lung_nodule", "pleural_effusion"} & set(taught_by(after))
    ones = [c for c in teaching_cases() if level_of(c) == 1]
    both = (entry("lung_nodule"), entry("pleural_effusion", side="left"))
    good = [attempt(*both, case=c) for c in ones[:5]]
    assert level(good) == 2
    assert level(good[:4]) == 1  # too few
    assert level([*good[:4], attempt(case=ones[5])]) == 2  # 8 of the last 10 right
    assert level([*good[:3], *(attempt(case=c) for c in ones[5:7])]) == 1


def test_calibration_and_reliance_count_what_happened() -> None:
    sure_right, sure_wrong = attempt(entry("lung_nodule", 5)), attempt(entry("mass", 5), machine=None)
    bins, brier = calibration([sure_right, sure_wrong])
    assert [(b.confidence, b.n, b.right) for b in bins] == [(5, 2, 1)]
    assert brier == pytest.approx((0.05**2 + 0.95**2) / 2, abs=1e-4)
    assert calibration([attempt()])[1] is None
    # First nothing; the machine calls the nodule (right) and denies the effusion (wrong).
    followed = attempt(final=(entry("lung_nodule"),))
    kept = attempt(final=())
    assert reliance([followed]).model_dump() == {"followed_right": 1, "followed_wrong": 0, "kept_right": 0, "kept_wrong": 0}
    assert reliance([kept]).kept_wrong == 1
    dropped = attempt(entry("pleural_effusion", side="left"), final=())  # dropped what was right because the machine denied it
    assert reliance([dropped]).followed_wrong == 1
    assert reliance([attempt(entry("lung_nodule"), machine=None)]).model_dump() == dict.fromkeys(reliance([]).model_dump(), 0)
    assert progress([followed, kept]).attempts == 2


def test_questions_come_from_passages_in_both_languages_what_was_missed_first() -> None:
    truth = (TrueFinding(finding="consolidation", side="right"), TrueFinding(finding="emphysema", side="both"))
    rows = compare(Reading(entries=(entry("consolidation"),)), truth, MACHINE)
    asked = {language: questions(rows, language) for language in ("en", "zh")}  # type: ignore[arg-type]
    assert [q.finding for q in asked["en"]] == ["emphysema", "consolidation"]
    for q in asked["en"]:
        assert q.key.startswith("G-")
        assert q.source
        assert q.answer
    assert all(not q.text.isascii() for q in asked["zh"])
    assert questions(compare(Reading(), (), MACHINE), "en") == ()


def test_the_own_report_is_read_against_the_truth() -> None:
    left_out, extra = against("Small left pleural effusion. No nodule. Consolidation in the right lower lobe.", TRUTH)
    assert left_out == {"lung_nodule"}
    assert extra == {"consolidation"}
    assert against("右肺上叶结节。左侧少量胸腔积液。", TRUTH) == (frozenset(), frozenset())
    assert against("   ", TRUTH) == (frozenset(), frozenset())


def test_readings_are_kept_by_trainee_for_their_owner_only(tmp_path: Path) -> None:
    store = TeachingStore(tmp_path / "data" / "teaching.sqlite")
    assert store.attempts("a") == ()
    assert not (tmp_path / "data").exists()
    one = attempt(entry("lung_nodule"))
    store.add("a", one)
    store.add("b", attempt())
    assert store.attempts("a") == (one,)
    assert store.trainees() == ("a", "b")
    store.keep_draft("session", "teach-01", Reading(report="so far"))
    store.keep_draft("session", "teach-01", Reading(report="further"))
    assert TeachingStore(tmp_path / "data" / "teaching.sqlite").draft("session", "teach-01").report == "further"
    assert store.draft("other", "teach-01") == Reading()
    store.drop_drafts("session")
    assert store.draft("session", "teach-01") == Reading()
    assert (tmp_path / "data" / "teaching.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "teaching.sqlite").write_bytes(b"this is no database, only text" * 50)
    with pytest.raises(ToolsError, match="readings cannot be stored"):
        TeachingStore(tmp_path / "teaching.sqlite").attempts("a")


def test_a_test_without_the_machine_counts_apart_and_the_sheet_has_a_row_for_each_finding() -> None:
    alone, helped = attempt(entry("lung_nodule")), attempt()
    alone = alone.model_copy(update={"machine": None})
    found = progress([alone, helped])
    assert (found.tested.n, found.tested.right) == (2, 1)
    assert (found.assisted.n, found.assisted.right) == (2, 0)
    heads, *rows = as_csv(rows_of([alone, helped], "t7")).splitlines()
    assert tuple(heads.split(",")) == COLUMNS
    assert len(rows) == 4
    assert {row.split(",")[4] for row in rows[:2]} == {"0"}
    assert all(row.startswith("t7,") for row in rows)

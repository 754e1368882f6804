from pathlib import Path

import pytest

from retrieval.errors import BadInput
from retrieval.guidelines.passages import Filters
from retrieval.index.guideline_index import GuidelineIndex


@pytest.mark.parametrize(
    ("query", "language", "expected"),
    [
        ("How long should I anticoagulate a pulmonary embolism?", "en", "esc-pe-2019/duration"),
        ("duration of anticoagulation after PE", "en", "esc-pe-2019/duration"),
        ("肺栓塞抗凝治疗需要多久？", "zh", "esc-pe-2019/duration"),
        ("CURB-65 of 2, admit or send home?", "en", "bts-cap-2009/curb65-site-of-care"),
        ("CURB-65评分2分的社区获得性肺炎患者需要住院吗？", "zh", "bts-cap-2009/curb65-site-of-care"),
        ("oxygen target saturation in a COPD exacerbation", "en", "bts-oxygen-2017/targets"),
        ("steroids in severe CAP", "en", "ats-cap-2025/corticosteroids"),
    ],
)
def test_a_question_finds_its_passage(index: GuidelineIndex, query: str, language: str, expected: str) -> None:
    result = index.search(query)
    assert result.language == language
    assert expected in [hit.passage.id for hit in result.hits]
    assert result.reason is None
    assert result.counts["returned"] == len(result.hits) <= 5


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("drug zorbifloxacin dosing", "zorbifloxacin"),
        ("佐博沙星的剂量是多少", "佐博沙星"),
        ("GOLD 2031 on exacerbations", "2031"),
        ("GOLD 2031年慢阻肺急性加重的治疗", "2031"),
        ("ZARQ guideline on pneumonia", "ZARQ"),
        ("asdf qwer zxcv", "asdf"),
        ("how to treat migraine", "migraine"),
        ("偏头痛怎么治疗", "migraine"),
        ("best restaurant in Paris", "restaurant"),
    ],
)
def test_what_is_not_there_is_empty_with_a_reason(index: GuidelineIndex, query: str, says: str) -> None:
    result = index.search(query)
    assert result.hits == ()
    assert result.reason is not None
    assert says in " ".join(result.reason)


def test_an_unknown_word_in_passing_empties_nothing(index: GuidelineIndex) -> None:
    result = index.search("my registrar wants Light's criteria by teatime, pleural effusion, grumpy houseman")
    assert result.hits


def test_nearest_passages_are_no_answer_and_say_so(index: GuidelineIndex) -> None:
    near = index.search("二甲双胍和胰岛素如何联合降糖")
    assert near.hits
    assert not near.direct
    assert near.reason is not None
    assert index.search("oxygen target saturation in a COPD exacerbation").direct


def test_an_impossible_filter_is_empty(index: GuidelineIndex) -> None:
    result = index.search("antibiotic duration in pneumonia", filters=Filters(year_from=2090))
    assert result.hits == ()
    assert "year_from=2090" in str(result.reason)


@pytest.mark.parametrize("query", ["antibiotic duration in pneumonia", "COPD exacerbation treatment", "肺栓塞危险分层"])
def test_narrowing_never_adds_hits(index: GuidelineIndex, query: str) -> None:
    wide = index.search(query, filters=Filters(year_from=2000))
    chain = [Filters(year_from=2015), Filters(year_from=2019, current_only=True), Filters(year_from=2019, current_only=True, issuer="ATS")]
    scores = {hit.passage.key: hit.score for hit in wide.hits}
    count = len(wide.hits)
    for filters in chain:
        hits = index.search(query, filters=filters).hits
        assert len(hits) <= count
        assert all(scores.get(hit.passage.key, hit.score) == hit.score for hit in hits)
        count = len(hits)


def test_superseded_edition_names_its_successor_and_conflicts(index: GuidelineIndex) -> None:
    hits = {hit.passage.id: hit for hit in index.search("antibiotic duration for community-acquired pneumonia").hits}
    old, new = hits["ats-idsa-cap-2019-replaced/duration"], hits["ats-cap-2025/duration"]
    assert old.superseded_by == "ats-cap-2025"
    assert old.successor == new.passage.key
    assert new.passage.key in old.conflicts
    assert new.score > old.score


def test_the_named_edition_is_the_one_that_answers(index: GuidelineIndex) -> None:
    hits = index.search("What does GOLD 2025 say about exacerbation treatment?").hits
    assert hits
    assert {hit.passage.guideline.id for hit in hits} == {"gold-2025"}


def test_keys_and_passages(index: GuidelineIndex) -> None:
    passage = index.passages()[0]
    assert index.passage(passage.key) == passage
    assert index.passage("G-zzzzzz") is None


def test_bad_input_is_refused(index: GuidelineIndex, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="question"):
        index.search("  ")
    with pytest.raises(BadInput, match="embedder 'nope'"):
        GuidelineIndex.open(tmp_path, embedder="nope").search("pneumonia")

"""Which topic a message means: chances over the topics that apply, and whether any is meant at all."""

import json
from pathlib import Path

import pytest

from tools.bedside.matching.likeness import examples
from tools.bedside.matching.meant import likely
from tools.bedside.matching.ranking import SIGNS, chances, fitted
from tools.bedside.topics import topics


def test_the_shipped_file_is_of_the_topics_of_today() -> None:
    fit = fitted()
    assert len(fit.weights) == len(SIGNS)
    assert set(fit.share) <= set(topics())
    assert all(0 < share < 1 for share in fit.share.values())
    assert set(examples()) <= set(topics())


def test_chances_are_chances_and_the_right_topic_leads() -> None:
    found = chances(
        "which TB drug do I restart first now the liver is better", ["tb_rechallenge", "tb_isolation", "oxygen_target", "duration_cap"]
    )
    assert found[0][1] == "tb_rechallenge"
    assert sum(chance for chance, _ in found) < 1
    assert chances("anything", []) == []


def test_a_particular_topic_comes_before_one_that_always_applies() -> None:
    fit = fitted()
    rare, usual = min(fit.share, key=lambda name: fit.share[name]), max(fit.share, key=lambda name: fit.share[name])
    order = [name for _, name in chances("xyzzy", [usual, rare])]
    assert order == [rare, usual]


@pytest.mark.parametrize("message", ["how much morphine for breathlessness at the end", "临终气喘吗啡给多少"])
def test_a_message_about_a_topic_is_known_whatever_its_words(message: str) -> None:
    assert likely(message) in ("dying_opioid", "opioid_breathless")


@pytest.mark.parametrize(
    "message", ["which bus goes to the station", "thanks, that is all", "中午吃什么好", "write me a poem about autumn"]
)
def test_another_field_means_no_topic(message: str) -> None:
    assert likely(message) is None


def test_the_file_can_be_read_by_a_person() -> None:
    raw = json.loads(Path("tools/data/bedside/ranking.json").read_text(encoding="utf-8"))
    assert set(raw) == {"weights", "bias", "usual", "share"}

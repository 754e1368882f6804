from pathlib import Path

import pytest

from agent.errors import BadInput
from agent.settings import Settings


def test_settings_come_from_the_given_environment_only() -> None:
    s = Settings.from_environment({"MEDMPT_DATA_DIR": "/d", "MEDMPT_CACHE_DIR": "/c", "MEDMPT_LLM": "openai:m@http://127.0.0.1:1"})
    assert (s.data_dir, s.cache_dir, s.llm, s.weights) == (Path("/d"), Path("/c"), "openai:m@http://127.0.0.1:1", None)
    assert Settings.from_environment({}).llm == "planner"
    assert Settings.from_environment({"MEDMPT_LLM_CONTEXT": "4096"}).llm_context == 4096


@pytest.mark.parametrize("name", ["MEDMPT_LLM_CONTEXT", "MEDMPT_LLM_SECONDS"])
@pytest.mark.parametrize("value", ["-1", "many", "0"])
def test_a_limit_that_is_none_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadInput, match=name):
        Settings.from_environment({name: value})

from pathlib import Path

from agent.settings import Settings


def test_settings_come_from_the_given_environment_only() -> None:
    s = Settings.from_environment({"MEDMPT_DATA_DIR": "/d", "MEDMPT_CACHE_DIR": "/c", "MEDMPT_LLM": "openai:m@http://127.0.0.1:1"})
    assert (s.data_dir, s.cache_dir, s.llm, s.weights) == (Path("/d"), Path("/c"), "openai:m@http://127.0.0.1:1", None)
    assert Settings.from_environment({}).llm == "planner"

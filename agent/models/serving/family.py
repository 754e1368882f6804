"""Which vLLM parsers a model family needs; names as vLLM 0.32 registers them."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """How a family writes tool calls and reasoning.

    Attributes:
        name: Short name.
        pattern: Regular expression on the model's name, case-insensitive; the first match wins.
        tool_parser: Value of `--tool-call-parser`.
        reasoning_parser: Value of `--reasoning-parser`, None for models that do not show reasoning.
    """

    name: str
    pattern: str
    tool_parser: str
    reasoning_parser: str | None = None


FAMILIES: tuple[Family, ...] = (
    Family("qwen3-coder", r"qwen3[-_.]?(\d[-_.]?)?coder", "qwen3_xml"),
    Family("qwen3-instruct", r"qwen3.*instruct", "hermes"),
    Family("qwen3", r"qwen3|qwq", "hermes", "qwen3"),
    Family("qwen", r"qwen", "hermes"),
    Family("gpt-oss", r"gpt-oss", "openai", "openai_gptoss"),
    Family("llama-4", r"llama-?4", "llama4_pythonic"),
    Family("llama-3", r"llama-?3", "llama3_json"),
    Family("mistral", r"mistral|mixtral|magistral|ministral", "mistral"),
    Family("deepseek-r1", r"deepseek.*r1", "deepseek_v3", "deepseek_r1"),
    Family("deepseek-v3.1", r"deepseek.*v3\.1", "deepseek_v31", "deepseek_v3"),
    Family("deepseek", r"deepseek", "deepseek_v3"),
    Family("glm", r"glm-?4", "glm45", "glm45"),
    Family("kimi", r"kimi", "kimi_k2", "kimi_k2"),
    Family("gemma", r"medgemma|gemma-?[34]", "gemma4", "gemma4"),
    Family("granite", r"granite-?4", "granite4"),
    Family("phi-4-mini", r"phi-?4-?mini", "phi4_mini_json"),
    Family("internlm", r"internlm", "internlm"),
)
# ChatML with <tool_call> blocks is what most fine-tunes without a family of their own were trained on.
DEFAULT = Family("default", r"", "hermes")


def family_of(model: str) -> Family:
    """The family of a model name or folder; `DEFAULT` when none matches."""
    return next((f for f in FAMILIES if re.search(f.pattern, model, re.IGNORECASE)), DEFAULT)

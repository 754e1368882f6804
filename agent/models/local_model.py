"""`transformers:PATH`: a chat model in this process, from a folder of weights, without a server.

The model's own chat template gets the tools. Free text is decoded greedily; from the moment a tool call opens, and for a
`response_format` from the start, every token is constrained to the JSON schema (llguidance), so that a call cannot be malformed.
Tool calls are read in the form that most chat templates write: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr

from agent.errors import BadInput

OPEN, CLOSE = "<tool_call>", "</tool_call>"
# A model that thinks aloud closes its thoughts with this; what stands before is not the answer.
_THOUGHT = re.compile(r"^\s*(<think>)?.*?</think>\s*", re.DOTALL)


class LocalModel(BaseChatModel):
    """A causal language model with a chat template, in this process.

    Attributes:
        folder: Where weights and tokenizer lie (safetensors).
        longest: Most tokens of one answer.
    """

    folder: Path
    longest: int = 1024
    _lock: RLock = PrivateAttr(default_factory=RLock)

    @classmethod
    def open(cls, path: str) -> "LocalModel":
        """The model of a folder; its weights are read with the first question.

        Raises:
            BadInput: No such folder, no weights as safetensors, or no chat template.
        """
        folder = Path(path).expanduser()
        if not (folder / "config.json").is_file():
            raise BadInput(f"transformers:{folder.name} is no folder with a config.json; give the folder of a downloaded model")
        if not any(folder.glob("*.safetensors")):
            raise BadInput(f"transformers:{folder.name} holds no weights as safetensors")
        return cls(folder=folder)

    @property
    def _llm_type(self) -> str:
        return "transformers"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], *, tool_choice: Any = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools; `tool_choice` is `required`, a name, or OpenAI's object."""
        return self.bind(tools=[convert_to_openai_tool(t) for t in tools], tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """Stream an answer: text as it comes, each tool call when it is complete.

        Raises:
            ValueError: The prompt is longer than the model's context.
        """
        tools: list[dict[str, Any]] = kwargs.get("tools") or []
        prefix = _opening(kwargs.get("tool_choice"), tools)
        ids = self._prompt(messages, tools, prefix)
        schema = _wanted_schema(kwargs.get("response_format"))
        reader = _Reader(prefix)
        finish = "length"
        made = 0
        for piece in self._decode(ids, _choosable(kwargs.get("tool_choice"), tools), schema, prefix):
            if piece is None:
                finish = "stop"
                break
            made += 1
            yield _chunk(reader.take(piece))
        rest = reader.end(cut=finish == "length")
        usage = UsageMetadata(input_tokens=len(ids), output_tokens=made, total_tokens=len(ids) + made)
        last = AIMessageChunk(
            content=rest.content,
            tool_call_chunks=rest.tool_call_chunks,
            usage_metadata=usage,
            response_metadata={"finish_reason": "tool_calls" if reader.calls and finish == "stop" else finish},
        )
        yield ChatGenerationChunk(message=last)

    def _prompt(self, messages: list[BaseMessage], tools: list[dict[str, Any]], prefix: str) -> list[int]:
        tokenizer = self._parts[0]
        text = tokenizer.apply_chat_template(
            [_as_dict(m) for m in messages], tools=tools or None, add_generation_prompt=True, tokenize=False
        )
        ids: list[int] = tokenizer.encode(text + prefix, add_special_tokens=False, verbose=False)
        room = self._context - len(ids)
        if room <= 0:
            raise ValueError(f"the prompt has {len(ids)} tokens, the maximum context length is {self._context}")
        return ids

    def _decode(self, ids: list[int], tools: list[dict[str, Any]], schema: dict[str, Any] | None, prefix: str) -> Iterator[str | None]:
        """Text pieces token by token; None at the model's own end."""
        import torch

        tokenizer, model = self._parts
        guide = _Guide(self._constrainer, tools, schema, prefix)
        ends = _end_tokens(tokenizer, model)
        said: list[int] = []
        shown = ""
        cache: Any = None
        step = torch.tensor([ids], device=model.device)
        for _ in range(min(self.longest, self._context - len(ids))):
            with torch.inference_mode():
                out = model(input_ids=step, past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            token = int(guide.mask(out.logits[0, -1].float()).argmax())
            if token in ends and not guide.needs_more():
                yield None
                return
            said.append(token)
            step = torch.tensor([[token]], device=model.device)
            text = tokenizer.decode(said, skip_special_tokens=False)
            # An unfinished character of several bytes decodes to the replacement mark: wait for its end.
            piece = "" if text.endswith("\ufffd") else text[len(shown) :]
            shown = text if piece else shown
            guide.take(token, piece)
            yield piece
            if guide.finished:
                yield None
                return

    @cached_property
    def _context(self) -> int:
        return int(getattr(self._parts[1].config, "max_position_embeddings", 4096))

    @property
    def _parts(self) -> tuple[Any, Any]:
        with self._lock:
            return self._loaded

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        if not tokenizer.chat_template:
            raise BadInput(f"transformers:{self.folder.name} has no chat template: it is no chat model")
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model: Any = AutoModelForCausalLM.from_pretrained(self.folder, local_files_only=True, dtype="auto", use_safetensors=True)
        return tokenizer, model.to(device).eval()

    @cached_property
    def _constrainer(self) -> Any:
        """The tokenizer as llguidance sees it."""
        from llguidance.hf import from_tokenizer

        tokenizer, model = self._parts
        return from_tokenizer(tokenizer, n_vocab=model.config.vocab_size)


class _Guide:
    """Which tokens may come next: all in free text, those of the schema inside a tool call or a structured answer."""

    def __init__(self, tokenizer: Any, tools: list[dict[str, Any]], schema: dict[str, Any] | None, prefix: str) -> None:
        self._tokenizer = tokenizer
        self._tools = tools
        self._matcher: Any = None
        self._text = prefix
        self._once = schema is not None or bool(prefix)
        self.finished = False
        if schema is not None:
            self._begin(schema)
        elif prefix:
            self._begin(_any_call(tools))

    def _begin(self, schema: dict[str, Any]) -> None:
        """Constrain from here on; templates differ in the white space between the mark and the call."""
        from llguidance import LLMatcher

        # Without free white space, which a weak model would go on writing to the end.
        spaced = {**schema, "x-guidance": {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}}
        lark = f"start: /\\n?/ made\nmade: %json {json.dumps(spaced)}"
        self._matcher = LLMatcher(self._tokenizer, LLMatcher.grammar_from_lark(lark))
        if self._matcher.is_error():
            raise ValueError(f"the schema cannot be used as a constraint: {self._matcher.get_error()[:200]}")

    def mask(self, logits: Any) -> Any:
        """The logits with what may not come set to minus infinity."""
        if self._matcher is None:
            return logits
        import torch

        bias = torch.frombuffer(bytearray(self._matcher.compute_logit_bias()), dtype=torch.uint8)
        allowed = torch.zeros(logits.shape[-1], dtype=torch.bool)
        count = min(len(bias), len(allowed))
        allowed[:count] = bias[:count] > 0
        return logits.masked_fill(~allowed.to(logits.device), float("-inf")) if bool(allowed.any()) else logits

    def needs_more(self) -> bool:
        """Whether the JSON that is being written is incomplete."""
        return self._matcher is not None and not self._matcher.is_accepting()

    def take(self, token: int, piece: str) -> None:
        """Follow what was chosen: a tool call that opens begins the constraint, its complete JSON ends it."""
        self._text += piece
        if self._matcher is None:
            if self._tools and self._text.rstrip().endswith(OPEN) and piece.strip():
                self._begin(_any_call(self._tools))
            return
        self._matcher.consume_token(token)
        if self._matcher.is_accepting():
            self._matcher = None
            self.finished = self._once


class _Reader:
    """Splits the stream into text and tool calls."""

    def __init__(self, prefix: str) -> None:
        self._text = prefix
        self._sent = len(prefix)
        self._forced = bool(prefix)
        self.calls = 0

    def take(self, piece: str) -> AIMessageChunk:
        """What a new piece adds; text that may be the beginning of a mark is held back."""
        self._text += piece
        return self._read(final=False)

    def end(self, cut: bool) -> AIMessageChunk:
        """What was held back, at the end of the answer; a forced call needs no closing mark, a cut one stays text."""
        at = self._text.rfind(OPEN)
        if not cut and at >= 0 and CLOSE not in self._text[at:]:
            self._text += CLOSE
        return self._read(final=True)

    def _read(self, final: bool) -> AIMessageChunk:
        start = self._text.find(OPEN, 0 if self._forced else self._sent)
        if start < 0:
            return self._plain(final)
        before = self._text[self._sent : start] if start > self._sent else ""
        stop = self._text.find(CLOSE, start)
        if stop < 0:
            if final:
                return self._plain(True)
            self._sent = max(self._sent, start)
            return AIMessageChunk(content=before.strip())
        body = self._text[start + len(OPEN) : stop]
        self._sent, self._forced = stop + len(CLOSE), False
        made = self._call(body)
        more = self._read(final)
        return AIMessageChunk(
            content=before.strip() + str(more.content),
            tool_call_chunks=[*made.tool_call_chunks, *more.tool_call_chunks],
        )

    def _plain(self, final: bool) -> AIMessageChunk:
        """Text that cannot be part of a mark any more."""
        text = self._text[self._sent :]
        hold = 0 if final else next((n for n in range(min(len(OPEN), len(text)), 0, -1) if OPEN.startswith(text[-n:])), 0)
        shown = text[: len(text) - hold]
        self._sent += len(shown)
        return AIMessageChunk(content=_THOUGHT.sub("", shown) if final else shown)

    def _call(self, body: str) -> AIMessageChunk:
        try:
            read = json.loads(body)
            name, args = str(read["name"]), json.dumps(read.get("arguments", {}), ensure_ascii=False)
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
            name, args = "", body
        self.calls += 1
        made = tool_call_chunk(name=name, args=args, id=f"call_{uuid.uuid4().hex[:12]}", index=self.calls - 1)
        return AIMessageChunk(content="", tool_call_chunks=[made])


def _chunk(message: AIMessageChunk) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=message)


def _opening(choice: Any, tools: list[dict[str, Any]]) -> str:
    """What a forced answer begins with; empty where the model is free."""
    if choice in (None, "auto", "none") or not tools:
        return ""
    return OPEN


def _choosable(choice: Any, tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tools that `tool_choice` leaves.

    Raises:
        ValueError: It names a tool that is not offered.
    """
    if choice in (None, "auto", "none", "required", "any"):
        return tools
    name = choice["function"]["name"] if isinstance(choice, Mapping) else str(choice)
    chosen = [t for t in tools if t["function"]["name"] == name]
    if not chosen:
        raise ValueError(f"tool_choice names {name!r}, which is not offered")
    return chosen


def _wanted_schema(wanted: Any) -> dict[str, Any] | None:
    if not isinstance(wanted, Mapping):
        return None
    if wanted.get("type") == "json_schema":
        return dict(wanted["json_schema"]["schema"])
    return {"type": "object"} if wanted.get("type") == "json_object" else None


def _arguments(tools: list[dict[str, Any]], name: str) -> dict[str, Any]:
    found = next(t["function"] for t in tools if t["function"]["name"] == name)
    return dict(found.get("parameters") or {"type": "object"})


def _any_call(tools: list[dict[str, Any]]) -> dict[str, Any]:
    """Schema of a call of any of the tools; `$defs` of a tool move to the top, where its references point."""
    defs: dict[str, Any] = {}
    calls = []
    for name in (t["function"]["name"] for t in tools):
        parameters = _arguments(tools, name)
        defs |= parameters.pop("$defs", {})
        calls.append(
            {
                "type": "object",
                "properties": {"name": {"const": name}, "arguments": parameters},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
        )
    return {"anyOf": calls, **({"$defs": defs} if defs else {})}


def _end_tokens(tokenizer: Any, model: Any) -> frozenset[int]:
    configured = model.generation_config.eos_token_id
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(t for t in (*listed, tokenizer.eos_token_id) if t is not None)


def _as_dict(message: BaseMessage) -> dict[str, Any]:
    """A message as chat templates expect it."""
    if isinstance(message, ToolMessage):
        return {"role": "tool", "name": message.name, "content": str(message.text)}
    if isinstance(message, AIMessage):
        calls = [{"type": "function", "function": {"name": c["name"], "arguments": c["args"]}} for c in message.tool_calls]
        return {"role": "assistant", "content": str(message.text), **({"tool_calls": calls} if calls else {})}
    role = "system" if isinstance(message, SystemMessage) else "user" if isinstance(message, HumanMessage) else message.type
    return {"role": role, "content": str(message.text)}

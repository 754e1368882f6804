"""Make the tiny chat model of the tests: a Qwen3-architecture model that has learned scripted dialogues of our own tools by heart.

It exists so that a real model behind a real server is in the loop of the tests; it knows nothing else. The teacher is the built-in planner
over the real house: each dialogue is what an OpenAI-compatible server would have been sent, and what it should have answered.

    python tests/llm/make_tiny_model.py --out tests/llm/tiny
"""

import argparse
import json
import math
import re
import sys
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_openai.chat_models.base import _convert_message_to_dict
from pydantic import Field

QUESTIONS = {
    "labs, score, guideline": [
        "Interpret the labs, compute CURB-65 and say what the guideline recommends",
        "Read the labs, work out CURB-65 and tell me what the guideline advises",
        "Labs, CURB-65 and guideline advice please",
        "Please interpret the laboratory values, calculate CURB-65 and give the guideline recommendation",
        "解读化验，计算 CURB-65，并说明指南建议",
        "请解读化验结果、计算CURB-65，指南怎么推荐？",
    ],
    "labs": ["Interpret the labs", "What do the blood results show?", "Interpret the laboratory values", "解读化验", "请解读化验结果"],
    "curb": ["Compute CURB-65", "What is the CURB-65 score?", "Calculate CURB-65 for this patient", "计算 CURB-65", "CURB-65 评分是多少？"],
    "medicines": ["Do the current medicines interact?", "Check the medications", "目前的药物有相互作用吗？", "检查用药"],
    "moxifloxacin": [
        "Can I give moxifloxacin?",
        "Is moxifloxacin safe with warfarin here?",
        "这位患者能用莫西沙星吗？",
        "可以用莫西沙星吗？",
    ],
    "summary": ["Summarise the case", "Give me the case on one page", "总结病例", "请概括这个病例"],
    "nodule": ["How is a 7 mm solid nodule followed up?", "Follow-up of a 7 mm solid pulmonary nodule?", "7 mm 实性结节如何随访？"],
    "report": ["Draft the report", "Write a draft report of the CT", "起草报告", "请写一份 CT 报告草稿"],
    "greeting": ["Hello", "Hi", "你好"],
    "scope": ["What is the capital of France?", "Tell me a joke about football", "法国的首都是哪里？"],
}
# Line ends stand inside expressions: a newline beside a block would be trimmed, and servers look for `<|im_start|>assistant\n`.
TEMPLATE = (
    "{%- for m in messages -%}"
    "{%- if m.role == 'system' -%}{{ '<|im_start|>system\\n' + m.content[:20] + (' Tools.' if tools else '') }}"
    "{%- elif m.role == 'tool' -%}{{ '<|im_start|>user\\n<tool_response>\\n' + m.content[:170] + '\\n</tool_response>' }}"
    "{%- elif m.role == 'assistant' -%}{{ '<|im_start|>assistant\\n' + (m.content or '') }}"
    "{%- for c in (m.tool_calls or []) -%}"
    "{{ ('\\n' if m.content or not loop.first else '') + '<tool_call>\\n{\"name\": \"' + c.function.name + '\", \"arguments\": ' }}"
    "{%- if c.function.arguments is string -%}{{ c.function.arguments }}{%- else -%}{{ c.function.arguments | tojson }}{%- endif -%}"
    "{{ '}\\n</tool_call>' }}{%- endfor -%}"
    "{%- else -%}{{ '<|im_start|>' + m.role + '\\n' + m.content }}{%- endif -%}"
    "{{ '<|im_end|>\\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}"
)
# Characters of a tool's result that the template shows.
SEEN = 170
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"]
CONTEXT = 2048
Example = tuple[list[dict[str, Any]], dict[str, Any]]


class Teacher(BaseChatModel):
    """What the tiny model shall do: ask the tools that the planner would ask, then quote the first sentence of what each one found."""

    examples: list[Example] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "teacher"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        made = [convert_to_openai_tool(t)["function"] for t in tools]
        return self.bind(tools={f["name"]: list(f.get("parameters", {}).get("properties", {})) for f in made}, **kwargs)

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        from agent.turn.planner import Planner

        offered: dict[str, list[str]] = kwargs["tools"]
        found = [m for m in messages if isinstance(m, ToolMessage)]
        reply = AIMessage(content="", tool_calls=[_quoting(found)]) if found else Planner()._next(list(messages), frozenset(offered))
        for call in reply.tool_calls:
            # Strict definitions ask for every argument; an absent one is null.
            call["args"] = {name: call["args"].get(name) for name in offered[call["name"]]}
        self.examples.append(([_convert_message_to_dict(m) for m in messages], _convert_message_to_dict(reply)))
        return ChatResult(generations=[ChatGeneration(message=reply)])


def _quoting(found: Sequence[ToolMessage]) -> ToolCall:
    """An answer of the first short sentence of each result; what the template cuts off is not quoted."""
    sentences = []
    for message in found:
        for key, text in re.findall(r"^\[(\S+)\] (.*)$", str(message.text)[:SEEN], re.MULTILINE):
            first = re.match(r".*?(?:[。]|\.(?=\s|$))", text)
            if first:
                sentences.append({"text": first[0], "evidence": [key]})
                break
    notice = None if sentences else "no_evidence"
    return ToolCall(name="give_answer", args={"sentences": sentences, "notice": notice}, id=uuid.uuid4().hex)


def dialogues(settings: Any) -> list[Example]:
    """Every request and answer of the scripted questions, asked of the real graph with the teacher in it."""
    from agent.assistant import Assistant
    from agent.evaluation.question_set import case_folder
    from agent.turn.graph import build_graph

    teacher = Teacher()
    assistant = Assistant.open(settings)
    graph = build_graph(teacher, assistant._parts.tools(), assistant._store.saver, "teacher")
    assistant.models.graph = lambda _: graph  # type: ignore[method-assign]
    session = uuid.uuid4().hex
    case = assistant.open_case(case_folder("demo-cap-01"), session=session).handle
    for questions in QUESTIONS.values():
        for question in questions:
            thread = assistant.new_thread(session)
            for _ in assistant.ask(question, thread=thread, case=case, session=session):
                pass
    if not teacher.examples:
        raise SystemExit("the teacher was never asked: the assistant takes its graph from elsewhere")
    return teacher.examples


def probes() -> list[Example]:
    """The requests of `medmpt llm check` that a model can only answer when it has seen their like; JSON and long texts are left out."""
    from agent.evaluation.qualify import EVIDENCE
    from agent.turn.prompts import system_prompt

    system = {"role": "system", "content": system_prompt("en", None)}
    asked = {"role": "assistant", "content": None, "tool_calls": [_call("interpret_labs", {})]}
    told = {"role": "tool", "tool_call_id": "c1", "content": EVIDENCE}
    line = EVIDENCE.splitlines()[1].removeprefix("[L-urea] ")

    def first(question: str, *calls: dict[str, Any]) -> Example:
        return [system, {"role": "user", "content": question}], {"role": "assistant", "content": None, "tool_calls": list(calls)}

    def then(question: str, sentences: list[str], notice: str | None = None) -> Example:
        made = {"sentences": [{"text": t, "evidence": ["L-urea"]} for t in sentences], "notice": notice}
        messages = [system, {"role": "user", "content": question}, asked, told]
        return messages, {"role": "assistant", "content": None, "tool_calls": [_call("give_answer", made)]}

    labs, score = _call("interpret_labs", {"analytes": None}), _call("calculate_score", {"name": "curb_65", "inputs": None})
    return [
        first("Interpret the laboratory values.", labs),
        first("Interpret the laboratory values and compute CURB-65. Ask both tools in one message.", labs, score),
        first("Compute the score named curb_65.", score),
        then("Is the urea raised?", [line]),
        then("Is the potassium raised?", [], "no_evidence"),
        then("尿素是否升高？请用中文回答。", ["尿素升高。"]),
    ]


def plain() -> list[Example]:
    """Questions without tools."""
    said = {
        "Answer with the single word: ready": "ready",
        "Count from one to ten in words.": "one two three four five six seven eight nine ten",
    }
    return [([{"role": "user", "content": q}], {"role": "assistant", "content": a}) for q, a in said.items()]


def _call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}}


def tokenizer_for(texts: list[str], vocabulary: int = 1400) -> Any:
    """A byte-level BPE tokenizer with ChatML markers, learned from the dialogues."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False)
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
        chat_template=TEMPLATE,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def model_for(vocabulary: int) -> Any:
    """A Qwen3 model of about 0.4 million parameters."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=96,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=3,
        num_key_value_heads=3,
        head_dim=32,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    return Qwen3ForCausalLM(config)


def encode(tokenizer: Any, tools: list[dict[str, Any]], example: Example) -> tuple[list[int], int]:
    """Token ids of one example and where the answer begins."""
    messages, reply = example
    prompt = tokenizer.apply_chat_template(_template_form(messages), tools=tools or None, add_generation_prompt=True, tokenize=False)
    full = tokenizer.apply_chat_template(_template_form([*messages, reply]), tools=tools or None, tokenize=False)
    if not full.startswith(prompt):
        raise ValueError("the template does not continue its own prompt")
    head, tail = tokenizer.encode(prompt), tokenizer.encode(full[len(prompt) :])
    return [*head, *tail], len(head)


def _template_form(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages as a server hands them to its template: arguments as an object, no missing content."""
    out = []
    for message in messages:
        made = {**message, "content": message.get("content") or ""}
        if message.get("tool_calls"):
            made["tool_calls"] = [
                {**c, "function": {**c["function"], "arguments": json.loads(c["function"]["arguments"])}} for c in message["tool_calls"]
            ]
        out.append(made)
    return out


def train(model: Any, rows: list[tuple[list[int], int]], steps: int, rate: float, batch: int = 8) -> float:
    """Learn the rows by heart; the last loss per answer token."""
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01, betas=(0.9, 0.98))
    loss = torch.tensor(0.0)
    by_length = sorted(rows, key=lambda row: len(row[0]))
    model.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 20) * (0.5 * (1 + math.cos(math.pi * step / steps)) + 0.01)
        # Neighbours in length share a batch, and only answer tokens go through the vocabulary: less than half the work.
        at = int(torch.randint(len(by_length), (1,), generator=generator))
        at = min(at, len(by_length) - batch)
        chosen = by_length[at : at + batch]
        longest = max(len(ids) for ids, _ in chosen)
        ids = torch.zeros(batch, longest, dtype=torch.long)
        labels = torch.full((batch, longest), -100)
        mask = torch.zeros(batch, longest, dtype=torch.long)
        for i, (row, start) in enumerate(chosen):
            ids[i, : len(row)] = torch.tensor(row)
            mask[i, : len(row)] = 1
            labels[i, start : len(row)] = torch.tensor(row[start:])
        hidden = model.model(input_ids=ids, attention_mask=mask).last_hidden_state[:, :-1]
        learned = labels[:, 1:] != -100
        loss = torch.nn.functional.cross_entropy(model.lm_head(hidden[learned]), labels[:, 1:][learned])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 25 == 0:
            sys.stderr.write(f"step {step}: loss {loss.item():.4f}\n")
    return float(loss.item())


def main() -> None:
    """Make the dialogues, learn them, and save model and tokenizer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--start", type=Path, help="Continue from this folder, with its tokenizer.")
    given = parser.parse_args()

    from agent.models.schemas import definitions
    from agent.settings import Settings
    from tools.registry import TOOLS

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environment()
        # The hashing embedder needs no download and no minutes; the tests use it too.
        examples = dialogues(Settings(data_dir=Path(folder), cache_dir=settings.cache_dir, embedder="hashing")) + probes()
    tools = definitions(TOOLS)
    tokenizer = _opened(given.start) if given.start else tokenizer_for([*_rendered(examples, tools), *_rendered(plain(), [])])
    rows = [encode(tokenizer, tools, e) for e in examples] + [encode(tokenizer, [], e) for e in plain()]
    sys.stderr.write(f"{len(rows)} examples, longest {max(len(r) for r, _ in rows)} tokens\n")
    model = _continued(given.start) if given.start else model_for(len(tokenizer))
    loss = train(model, rows, given.steps, given.rate)
    sys.stderr.write(f"last loss {loss:.4f}, {sum(p.numel() for p in model.parameters()):,} parameters\n")
    model.to(torch.bfloat16).save_pretrained(given.out)
    tokenizer.save_pretrained(given.out)


def _opened(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def _continued(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def _rendered(examples: list[Example], tools: list[dict[str, Any]]) -> list[str]:
    from jinja2 import Environment

    template = Environment().from_string(TEMPLATE)
    return [template.render(messages=_template_form([*m, r]), tools=tools) for m, r in examples]


if __name__ == "__main__":
    main()

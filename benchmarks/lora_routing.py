"""Low-rank adaptation of SmolLM2-135M for routing (message -> tools), on one core, beside the reader that ships.

usage: nice -n 19 python benchmarks/lora_routing.py prepare|train|score [--minutes N] [--rows FILE]

`prepare` runs the frozen lower layers once over every labelled message and keeps their states (cache folder); `train` adapts the layers
above with rank-8 factors and a head of one output per tool, goes on where it stopped, and ends after so many minutes of this process;
`score` asks adapter and reader on a routing file (`must`, `alt`) and on authors that the adapter was not trained on, and beside them one
logistic regression for each tool on the frozen states (what the model knows before any adaptation). Needs the extra `small-llm`.
The whole adapter (factors and head) has about 1 MB. Nothing of it ships: docs/language-models.md has the figures.
"""

import argparse
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sparse
import torch
from torch import Tensor, nn

from agent.models.gguf import small_model, unpacked
from agent.reading.features import Message
from agent.reading.reader import TOOLS, shipped
from agent.settings import Settings
from agent.training.logistic import Design, fit_labels
from agent.training.utterances import TOOL_COLUMNS, Utterance, folder, read_utterances

FROZEN, LAYERS = 6, 12  # of 30: states below are kept, those between are adapted, those above are left out
RANK, RATE, BATCH_TOKENS = 8, 2e-3, 512
LONGEST = 96
HELD_OUT = ("own_12", "own_16", "own_19", "own_24")  # two English authors and two Chinese ones, of the reader's and of no training here
ALSO_REASONABLE = 0.5
ADAPTED = ("q_proj", "k_proj", "v_proj", "o_proj")


class LowRank(nn.Module):
    """A frozen linear map and a learnt correction of small rank, zero at the start."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.randn(RANK, base.in_features) / math.sqrt(base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, RANK))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + 2.0 * (x @ self.down.T) @ self.up.T


class Router(nn.Module):
    """The layers from FROZEN to LAYERS, adapted, and a head on the mean and the last state of a message."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Linear(2 * body.config.hidden_size, len(TOOLS) + 1)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        out = self.body(inputs_embeds=states, attention_mask=mask, use_cache=False).last_hidden_state
        weight = mask.unsqueeze(-1).to(out.dtype)
        mean = (out * weight).sum(1) / weight.sum(1)
        last = out[torch.arange(len(out)), mask.sum(1) - 1]
        return self.head(torch.cat([mean, last], 1))

    def learnt(self) -> dict[str, Tensor]:
        return {n: p for n, p in self.named_parameters() if p.requires_grad}


def loaded(cache: Path) -> tuple[Any, Any]:
    """Tokenizer and the model's body, in float32 (bfloat16 is ten times slower on this processor)."""
    from transformers import AutoModel, AutoTokenizer

    place = unpacked(small_model(), cache)
    body = AutoModel.from_pretrained(place, local_files_only=True, dtype=torch.float32)
    return AutoTokenizer.from_pretrained(place, local_files_only=True), body.requires_grad_(False)


def lower(body: Any) -> Any:
    """The frozen layers alone, without the last norm."""
    body.layers, body.norm = body.layers[:FROZEN], nn.Identity()
    return body


def router(body: Any) -> Router:
    """The layers above, with low-rank factors beside the projections of attention."""
    body.layers = body.layers[FROZEN:LAYERS]
    for layer in body.layers:
        for name in ADAPTED:
            setattr(layer.self_attn, name, LowRank(getattr(layer.self_attn, name)))
    torch.manual_seed(1)
    return Router(body)


def shown(message: Message) -> str:
    """The message as the model reads it."""
    before = f"{message.before}\n" if message.before else ""
    return f"{'Patient open' if message.case else 'No patient'}. {before}{message.text}"


def states_of(texts: Sequence[str], tokenizer: Any, body: Any) -> Iterator[tuple[int, np.ndarray]]:
    """(row, states) of every text, in batches of like length."""
    ids = [tokenizer(t).input_ids[:LONGEST] for t in texts]
    for batch in batches([len(i) for i in ids]):
        width = max(len(ids[i]) for i in batch)
        padded = torch.tensor([ids[i] + [0] * (width - len(ids[i])) for i in batch])
        mask = torch.tensor([[1] * len(ids[i]) + [0] * (width - len(ids[i])) for i in batch])
        with torch.no_grad():
            out = body(input_ids=padded, attention_mask=mask, use_cache=False).last_hidden_state
        for row, i in enumerate(batch):
            yield i, out[row, : len(ids[i])].to(torch.float16).numpy()


def batches(lengths: Sequence[int]) -> list[list[int]]:
    """Rows of like length, so many that a batch has about BATCH_TOKENS tokens."""
    out: list[list[int]] = [[]]
    for i in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        if out[-1] and (len(out[-1]) + 1) * lengths[i] > BATCH_TOKENS:
            out.append([])
        out[-1].append(i)
    return out


def prepare(place: Path, cache: Path) -> None:
    """Keep the states of all labelled messages."""
    tokenizer, body = loaded(cache)
    rows = read_utterances(folder())
    states: list[np.ndarray] = [np.zeros((0, 0), np.float16)] * len(rows)
    began, tokens = time.monotonic(), 0
    for done, (i, found) in enumerate(states_of([shown(r.message) for r in rows], tokenizer, lower(body))):
        states[i], tokens = found, tokens + len(found)
        if done % 500 == 0:
            print(f"{done} of {len(rows)}, {tokens} tokens, {time.monotonic() - began:.0f} s", flush=True)
    place.mkdir(parents=True, exist_ok=True)
    np.save(place / "states.npy", np.concatenate(states))
    np.save(place / "ends.npy", np.cumsum([0, *(len(s) for s in states)]))


def padded(states: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """States of several messages side by side, and what of them is filling."""
    mask = nn.utils.rnn.pad_sequence([torch.ones(len(s), dtype=torch.long) for s in states], batch_first=True)
    return nn.utils.rnn.pad_sequence([s.float() for s in states], batch_first=True), mask


def labels(rows: Sequence[Utterance]) -> tuple[Tensor, Tensor]:
    """What each row needs, and what each label counts for (a tool that would do too is half a no)."""
    y, weight = torch.zeros(len(rows), len(TOOLS) + 1), torch.ones(len(rows), len(TOOLS) + 1)
    for i, row in enumerate(rows):
        y[i, [TOOL_COLUMNS[t] for t in row.tools]] = 1.0
        y[i, -1] = float(not row.tools)
        weight[i, [TOOL_COLUMNS[t] for t in set(row.alt) - set(row.tools)]] = ALSO_REASONABLE
    return y, weight


def train(place: Path, cache: Path, minutes: float, budget: float) -> None:
    """Adapt for so many minutes; `budget`: of all runs together, for the decay of the rate."""
    rows = read_utterances(folder())
    ends, every = np.load(place / "ends.npy"), torch.from_numpy(np.load(place / "states.npy", mmap_mode="c"))
    mine = [i for i, r in enumerate(rows) if r.author not in HELD_OUT]
    y, weight = labels(rows)
    model = router(loaded(cache)[1])
    best = torch.optim.AdamW(model.learnt().values(), lr=RATE, weight_decay=0.01)
    spent, epoch, seen = 0.0, 0, 0
    if (place / "adapter.pt").is_file():
        kept = torch.load(place / "adapter.pt", weights_only=True)
        model.load_state_dict(kept["learnt"], strict=False)
        best.load_state_dict(kept["optimizer"])
        spent, epoch, seen = kept["spent"], kept["epoch"], kept["seen"]
    print(f"{sum(p.numel() for p in model.learnt().values())} learnt values, {len(mine)} rows", flush=True)
    began, before = time.monotonic(), spent

    def keep() -> None:
        state = {"learnt": {n: p.data for n, p in model.learnt().items()}, "optimizer": best.state_dict()}
        torch.save({**state, "spent": spent, "epoch": epoch, "seen": seen}, place / "adapter.pt")

    while True:
        groups = batches([int(ends[i + 1] - ends[i]) for i in mine])
        random.Random(epoch).shuffle(groups)
        losses: list[float] = []
        for group in groups:
            picked = [mine[g] for g in group]
            score = model(*padded([every[ends[i] : ends[i + 1]] for i in picked]))
            loss = nn.functional.binary_cross_entropy_with_logits(score, y[picked], weight=weight[picked], reduction="sum") / len(picked)
            spent = before + time.monotonic() - began
            for part in best.param_groups:
                part["lr"] = RATE * max(1.0 - spent / (60 * budget), 0.02)
            best.zero_grad()
            loss.backward()
            best.step()
            losses.append(loss.item())
            seen += len(picked)
            if len(losses) % 25 == 0:
                print(f"epoch {epoch}, {seen} messages, {spent:.0f} s, loss {np.mean(losses[-25:]):.3f}", flush=True)
                keep()
            if spent - before > 60 * minutes:
                return keep()
        epoch += 1


def chosen(score: np.ndarray, limit: float = 0.45) -> list[str]:
    """The reader's own rule: what is above the limit, else the likeliest, nothing where `none` is likelier."""
    p = 1.0 / (1.0 + np.exp(-score))
    best = p[:-1].max()
    if p[-1] >= limit and p[-1] > best:
        return []
    above = [t for t, x in zip(TOOLS, p, strict=False) if x >= limit]
    return above or ([TOOLS[int(p[:-1].argmax())]] if best > p[-1] else [])


def figures(picked: Sequence[Sequence[str]], must: Sequence[set[str]], alt: Sequence[set[str]]) -> str:
    """Set-F1 and exact rows, counted as `eval routing` does."""
    hits = extra = missed = exact = 0
    for got, needed, also in zip(map(set, picked), must, alt, strict=True):
        lacking, more = needed - got, got - needed - also
        satisfied = len(lacking) <= len(got & also)
        hits += len(needed) if satisfied else len(needed & got)
        missed += 0 if satisfied else len(lacking)
        extra += len(more)
        exact += satisfied and not more
    return f"set-F1 {2 * hits / max(2 * hits + extra + missed, 1):.3f}, exact {exact} of {len(must)}"


def scored(states: Sequence[np.ndarray], place: Path, cache: Path) -> np.ndarray:
    """The adapter's scores, `(messages, tools + 1)`."""
    model = router(loaded(cache)[1]).eval()
    model.load_state_dict(torch.load(place / "adapter.pt", weights_only=True)["learnt"], strict=False)
    out = np.zeros((len(states), len(TOOLS) + 1))
    with torch.no_grad():
        for group in batches([len(s) for s in states]):
            out[group] = model(*padded([torch.from_numpy(np.array(states[i])) for i in group])).numpy()
    return out


def pooled(states: Sequence[np.ndarray]) -> np.ndarray:
    """Mean and last frozen state of each message."""
    return np.stack([np.concatenate([s.astype(np.float32).mean(0), s[-1].astype(np.float32)]) for s in states])


def frozen_head(states: Sequence[np.ndarray], rows: Sequence[Utterance]) -> Callable[[Sequence[np.ndarray]], np.ndarray]:
    """Logistic regressions on the frozen states, fitted as the reader's are."""
    x, (y, weight) = pooled(states), labels(rows)
    mean, spread = x.mean(0), x.std(0) + 1e-6
    bare = sparse.csr_matrix((len(x), 1), dtype=np.float32)
    coef, bias = fit_labels(Design((x - mean) / spread / 10, bare), y.numpy() > 0.5, weight.numpy(), 2.0)
    return lambda more: (pooled(more) - mean) / spread / 10 @ coef[:, :-1].T + bias


def score(place: Path, cache: Path, file: Path | None) -> None:
    """Adapter, frozen states and reader on the authors held out (which the reader has seen: an upper bound for it) and on a file."""
    rows, ends, every = read_utterances(folder()), np.load(place / "ends.npy"), np.load(place / "states.npy", mmap_mode="r")
    kept = [np.asarray(every[ends[i] : ends[i + 1]]) for i in range(len(rows))]
    mine, held = ([i for i, r in enumerate(rows) if (r.author in HELD_OUT) is out] for out in (False, True))
    head = frozen_head([kept[i] for i in mine], [rows[i] for i in mine])
    asked = [rows[i] for i in held]
    sets = {"authors held out": ([r.message for r in asked], [set(r.tools) for r in asked], [set(r.alt) for r in asked])}
    states = {"authors held out": [kept[i] for i in held]}
    if file is not None:
        read = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        messages = [Message(r["q"], True) for r in read]
        sets[file.name] = messages, [set(r["must"]) for r in read], [set(r.get("alt", [])) for r in read]
        tokenizer, body = loaded(cache)
        began = time.monotonic()
        found = dict(states_of([shown(m) for m in messages], tokenizer, lower(body)))
        print(f"frozen layers: {(time.monotonic() - began) / len(messages):.3f} s a message")
        states[file.name] = [found[i] for i in range(len(messages))]
    for name, (messages, must, alt) in sets.items():
        reader = [shipped().choose(shipped().read(m), m.case) for m in messages]
        print(f"{name}: adapter {figures([chosen(s) for s in scored(states[name], place, cache)], must, alt)}")
        print(f"{name}: frozen  {figures([chosen(s) for s in head(states[name])], must, alt)}")
        print(f"{name}: reader  {figures(reader, must, alt)}")


def main() -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("prepare", "train", "score"))
    parser.add_argument("--minutes", type=float, default=30.0, help="of this run of `train`")
    parser.add_argument("--budget", type=float, default=30.0, help="of all runs of `train` together")
    parser.add_argument("--rows", type=Path, default=None, help="routing file to score")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cache = Settings.from_environment().cache_dir
    place = cache / "lora_routing"
    if given.step == "prepare":
        prepare(place, cache)
    elif given.step == "train":
        train(place, cache, given.minutes, given.budget)
    else:
        score(place, cache, given.rows)


if __name__ == "__main__":
    main()

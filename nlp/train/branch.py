"""The tuned branch in torch: upper layers that start as the trunk's own and learn sentiment and risk.

The shared lower layers are never trained, so their output is computed once a text and kept on disk in half precision;
every further pass costs only the upper layers. Training is resumable: a checkpoint holds weights, optimiser and place.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float32]

SENTIMENTS = 3
UNKNOWN = -1
"""No label: such a text has no share in that head's loss."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the branch is tuned."""

    layers: int = 4
    heads: int = 12
    batch_tokens: int = 1024
    learning_rate: float = 1.5e-4
    head_rate: float = 1e-3
    warm_up: float = 0.06
    weight_decay: float = 0.01
    dropout: float = 0.05
    smoothing: float = 0.05
    risk_weight: float = 2.0
    seed: int = 13


class Activations:
    """Lower-layer states of many texts, one after the other in one file of half floats."""

    def __init__(self, path: Path, lengths: NDArray[np.int64], hidden: int) -> None:
        self.lengths = lengths
        self.starts = np.concatenate([[0], np.cumsum(lengths)])
        mode: Any = "r+" if path.exists() else "w+"
        self.states = np.memmap(path, dtype=np.float16, mode=mode, shape=(int(self.starts[-1]), hidden))

    def put(self, row: int, states: Array) -> None:
        """Keep the states ``(length, hidden)`` of one text."""
        self.states[self.starts[row] : self.starts[row + 1]] = states

    def batch(self, rows: Sequence[int]) -> tuple[Array, NDArray[np.float32]]:
        """Return padded states ``(n, length, hidden)`` and a mask ``(n, length)``."""
        length = int(self.lengths[list(rows)].max())
        states = np.zeros((len(rows), length, self.states.shape[1]), dtype=np.float32)
        mask = np.zeros((len(rows), length), dtype=np.float32)
        for at, row in enumerate(rows):
            own = self.states[self.starts[row] : self.starts[row + 1]]
            states[at, : len(own)] = own
            mask[at, : len(own)] = 1
        return states, mask


def make_branch(weights: Mapping[str, Array], recipe: Recipe, first: int, risks: int) -> Any:
    """Return the branch as a torch module, its layers copied from trunk layers `first` onwards.

    It maps states ``(n, length, hidden)`` and a mask to ``(sentiment logits, risk logits)``.
    """
    import torch
    from torch import nn
    from torch.nn import functional as F  # noqa: N812  the name everybody knows it by

    hidden = weights["embed.norm.weight"].shape[0]

    class Layer(nn.Module):
        """One post-norm transformer layer, as in BERT."""

        def __init__(self, name: str) -> None:
            super().__init__()
            for part in ("query", "key", "value", "mix", "wide", "narrow"):
                matrix = weights[f"{name}.{part}.weight"]
                linear = nn.Linear(matrix.shape[1], matrix.shape[0])
                linear.weight.data = torch.tensor(matrix)
                linear.bias.data = torch.tensor(weights[f"{name}.{part}.bias"])
                setattr(self, part, linear)
            for part in ("norm1", "norm2"):
                norm = nn.LayerNorm(hidden, eps=1e-12)
                norm.weight.data = torch.tensor(weights[f"{name}.{part}.weight"])
                norm.bias.data = torch.tensor(weights[f"{name}.{part}.bias"])
                setattr(self, part, norm)

        def forward(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            n, length, _ = states.shape
            split = [
                part(states).view(n, length, recipe.heads, -1).transpose(1, 2)
                for part in (self.query, self.key, self.value)
            ]
            heard = F.scaled_dot_product_attention(*split, attn_mask=mask)
            heard = heard.transpose(1, 2).reshape(n, length, -1)
            drop = recipe.dropout if self.training else 0.0
            middle = self.norm1(states + F.dropout(self.mix(heard), drop))
            bent = F.gelu(self.wide(middle))
            return self.norm2(middle + F.dropout(self.narrow(bent), drop))  # type: ignore[no-any-return]

    class Branch(nn.Module):
        """Upper layers, mean over the pieces, two linear heads."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(Layer(f"trunk.{first + n}") for n in range(recipe.layers))
            self.sentiment = nn.Linear(hidden, SENTIMENTS)
            self.risks = nn.Linear(hidden, risks)

        def pooled(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            hidden_from = mask[:, None, None, :].bool()
            for layer in self.layers:
                states = layer(states, hidden_from)
            weights = mask / mask.sum(1, keepdim=True)
            return torch.einsum("nlh,nl->nh", states, weights)

        def forward(self, states: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            pooled = self.pooled(states, mask)
            return self.sentiment(pooled), self.risks(pooled)

    torch.manual_seed(recipe.seed)
    return Branch()


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned from: one row a text; `times` says how often a pass shows it (fractions by chance)."""

    activations: Activations
    sentiment: NDArray[np.int64]
    risks: Array
    weight: Array
    times: Array

    def pass_over(self, recipe: Recipe, number: int) -> list[list[int]]:
        """Return one pass as batches of like length, in random order; the same for the same seed and number."""
        chance = np.random.default_rng((recipe.seed, number))
        copies = np.floor(self.times + chance.random(len(self.times))).astype(int)
        rows = np.repeat(np.arange(len(copies)), copies)
        # Length decides the batch, up to a little noise, so that batches differ from pass to pass.
        keys = self.activations.lengths[rows] + chance.uniform(-2, 2, len(rows))
        rows = rows[np.argsort(keys, kind="stable")]
        batches = list(_cut(rows, self.activations.lengths, recipe.batch_tokens))
        chance.shuffle(batches)
        return batches


def _cut(rows: NDArray[np.int64], lengths: NDArray[np.int64], tokens: int) -> Iterator[list[int]]:
    batch: list[int] = []
    longest = 0
    for row in rows:
        longest = max(longest, int(lengths[row]))
        if batch and (len(batch) + 1) * longest > tokens:
            yield batch
            batch, longest = [], int(lengths[row])
        batch.append(int(row))
    if batch:
        yield batch


def losses(branch: Any, lesson: Lesson, rows: list[int], recipe: Recipe) -> Any:
    """Return the loss of one batch: cross entropy of sentiment, binary cross entropy of risks where labelled."""
    import torch
    from torch.nn import functional as F  # noqa: N812  as above

    states, mask = lesson.activations.batch(rows)
    sentiment, risks = branch(torch.from_numpy(states), torch.from_numpy(mask))
    weight = torch.from_numpy(lesson.weight[rows])
    gold = torch.from_numpy(lesson.sentiment[rows])
    each = F.cross_entropy(sentiment, gold, ignore_index=UNKNOWN, reduction="none", label_smoothing=recipe.smoothing)
    total = (each * weight).sum()
    target = torch.from_numpy(lesson.risks[rows])
    known = (target >= 0).float()
    each = F.binary_cross_entropy_with_logits(risks, target.clamp(min=0), reduction="none") * known
    return (total + recipe.risk_weight * (each.sum(1) * weight).sum()) / len(rows)


def tune(
    branch: Any,
    lesson: Lesson,
    recipe: Recipe,
    *,
    passes: int,
    checkpoint: Path,
    watch: Any = None,
    every: int = 500,
    start: int = 0,
) -> None:
    """Tune the branch in place; goes on from `checkpoint` if there is one. `watch(step, branch)` is called `every` steps."""
    import torch

    heads = [*branch.sentiment.parameters(), *branch.risks.parameters()]
    groups = [
        {"params": list(branch.layers.parameters()), "lr": recipe.learning_rate},
        {"params": heads, "lr": recipe.head_rate, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, betas=(0.9, 0.98), fused=True)
    plan = [batch for number in range(passes) for batch in lesson.pass_over(recipe, start + number)]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, len(plan), recipe.warm_up))
    done = _resume(checkpoint, branch, optimiser, schedule)
    branch.train()
    for step in range(done, len(plan)):
        optimiser.zero_grad(set_to_none=True)
        losses(branch, lesson, plan[step], recipe).backward()
        torch.nn.utils.clip_grad_norm_(branch.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if (step + 1) % every == 0 or step + 1 == len(plan):
            _save(checkpoint, branch, optimiser, schedule, step + 1)
            if watch:
                branch.eval()
                watch(step + 1, len(plan), branch)
                branch.train()
    branch.eval()


def _rate(step: int, total: int, warm_up: float) -> float:
    begin = max(1, int(total * warm_up))
    if step < begin:
        return (step + 1) / begin
    return 0.5 * (1 + math.cos(math.pi * (step - begin) / max(1, total - begin)))


def _save(path: Path, branch: Any, optimiser: Any, schedule: Any, step: int) -> None:
    import torch

    state = {"branch": branch.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict()}
    aside = path.with_suffix(".part")
    torch.save({**state, "step": step, "at": time.time()}, aside)
    aside.replace(path)


def _resume(path: Path, branch: Any, optimiser: Any, schedule: Any) -> int:
    import torch

    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    branch.load_state_dict(state["branch"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    return int(state["step"])


def predict(branch: Any, activations: Activations, rows: Sequence[int], tokens: int = 4096) -> tuple[Array, Array, Array]:
    """Return pooled features ``(n, hidden)``, sentiment logits and risk logits of the rows, in their order."""
    import torch

    order = np.asarray(rows)[np.argsort(activations.lengths[np.asarray(rows)], kind="stable")]
    place = {int(row): at for at, row in enumerate(rows)}
    parts: dict[int, tuple[Array, Array, Array]] = {}
    with torch.inference_mode():
        for batch in _cut(order, activations.lengths, tokens):
            states, mask = activations.batch(batch)
            pooled = branch.pooled(torch.from_numpy(states), torch.from_numpy(mask))
            answers = (pooled.numpy(), branch.sentiment(pooled).numpy(), branch.risks(pooled).numpy())
            for at, row in enumerate(batch):
                parts[place[row]] = (answers[0][at], answers[1][at], answers[2][at])
    columns = zip(*(parts[at] for at in range(len(place))), strict=True)
    pooled_all, sentiment, risks = (np.stack(column) for column in columns)
    return pooled_all, sentiment, risks


def branch_weights(branch: Any) -> dict[str, Array]:
    """Return the branch's layers by the names of `groundswell.nlp.encoder.graph`."""
    return {
        f"branch.{name.removeprefix('layers.')}": value.detach().numpy().astype(np.float32)
        for name, value in branch.layers.state_dict(prefix="layers.").items()
    }


__all__ = ["Activations", "Lesson", "Recipe", "branch_weights", "make_branch", "predict", "replace", "tune"]

"""The tuned branch in torch: upper layers that start as the trunk's own and learn sentiment and risk.

The shared lower layers are never trained, so their output is computed once a text and kept on disk in half precision;
every further pass costs only the upper layers. Training is resumable: a checkpoint holds weights, optimiser and place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundswell.index.progress import Progress
from groundswell.nlp.train.descent import Descent

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float32]

SENTIMENTS = 3
RARE = -3.0
"""Logit of a risk before anything is known of the text."""
UNKNOWN = -1
"""No label: such a text has no share in that head's loss."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the branch is tuned."""

    layers: int = 6
    heads: int = 12
    batch_tokens: int = 1024
    steps: int = 5600
    """Batches of sentiment alone, while the rate falls from its height to `later`."""
    last_steps: int = 900
    """Batches of sentiment and of risk together, while the rate falls from `later` to nothing."""
    later: float = 0.35
    """Share of the rate that is left when risk is learned, so that the branch can still bend to it."""
    learning_rate: float = 2e-4
    head_rate: float = 2e-3
    warm_up: int = 100
    weight_decay: float = 0.01
    dropout: float = 0.1
    smoothing: float = 0.05
    risk_weight: float = 2.0
    seed: int = 13
    soup: int = 2
    """Tunings, each with the texts in another order, whose branches are averaged (Wortsman et al. 2022)."""
    bfloat16: bool = False
    """Whether matrices are multiplied in bfloat16: a third less time where the processor can, far more where not."""


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


def make_layers(weights: Mapping[str, Array], names: Sequence[str], heads: int, dropout: float) -> Any:
    """Return transformer layers in torch, one post-norm layer as in BERT for each of `names`, with its weights."""
    import torch
    from torch import nn
    from torch.nn import functional as F  # noqa: N812  the name everybody knows it by

    hidden = weights["embed.norm.weight"].shape[0]

    class Layer(nn.Module):
        """One post-norm transformer layer, as in BERT."""

        query: nn.Linear
        key: nn.Linear
        value: nn.Linear
        mix: nn.Linear
        wide: nn.Linear
        narrow: nn.Linear
        norm1: nn.LayerNorm
        norm2: nn.LayerNorm

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
            query, key, value = (
                part(states).view(n, length, heads, -1).transpose(1, 2) for part in (self.query, self.key, self.value)
            )
            # Written out: on a processor, the backward pass of torch's fused attention takes half of all time.
            likeness = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
            heard = likeness.masked_fill(~mask, -1e4).softmax(-1).to(value.dtype) @ value
            heard = heard.transpose(1, 2).reshape(n, length, -1)
            drop = dropout if self.training else 0.0
            middle = self.norm1(states + F.dropout(self.mix(heard), drop))
            bent = F.gelu(self.wide(middle))
            return self.norm2(middle + F.dropout(self.narrow(bent), drop))  # type: ignore[no-any-return]

    return nn.ModuleList(Layer(name) for name in names)


def make_branch(weights: Mapping[str, Array], recipe: Recipe, first: int, risks: int) -> Any:
    """Return the branch as a torch module, its layers copied from trunk layers `first` onwards.

    It maps states ``(n, length, hidden)`` and a mask to ``(sentiment logits, risk logits)``.
    """
    import torch
    from torch import nn

    hidden = weights["embed.norm.weight"].shape[0]

    class Branch(nn.Module):
        """Upper layers, mean over the pieces, two linear heads."""

        def __init__(self) -> None:
            super().__init__()
            names = [f"trunk.{first + n}" for n in range(recipe.layers)]
            self.layers = make_layers(weights, names, recipe.heads, recipe.dropout)
            self.sentiment = nn.Linear(hidden, SENTIMENTS)
            self.risks = nn.Linear(hidden, risks)
            # Risks are rare: begin from there instead of from one half.
            self.risks.bias.data.fill_(RARE)

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
    with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
        sentiment, risks = branch(torch.from_numpy(states), torch.from_numpy(mask))
    sentiment, risks = sentiment.float(), risks.float()
    weight = torch.from_numpy(lesson.weight[rows])
    gold = torch.from_numpy(lesson.sentiment[rows])
    each = F.cross_entropy(sentiment, gold, ignore_index=UNKNOWN, reduction="none", label_smoothing=recipe.smoothing)
    total = (each * weight).sum()
    target = torch.from_numpy(lesson.risks[rows])
    labelled = (target >= 0).float()
    each = F.binary_cross_entropy_with_logits(risks, target.clamp(min=0), reduction="none") * labelled
    return (total + recipe.risk_weight * (each.sum(1) * weight).sum()) / len(rows)


def rate(step: int, recipe: Recipe) -> float:
    """Return the share of the learning rate at a step: up, then down in two straight lines by way of `later`."""
    if step < recipe.steps:
        fallen = (1 - recipe.later) * step / recipe.steps
        return min((step + 1) / recipe.warm_up, 1 - fallen)
    return recipe.later * (recipe.steps + recipe.last_steps - step) / recipe.last_steps


def tune(
    branch: Any,
    feelings: Lesson,
    risks: Lesson,
    recipe: Recipe,
    *,
    checkpoint: Path,
    progress: Progress | None = None,
    every: int = 50,
) -> None:
    """Tune the branch in place, going on from `checkpoint`, which is written `every` so many steps."""
    heads = [*branch.sentiment.parameters(), *branch.risks.parameters()]
    groups = [
        {"params": list(branch.layers.parameters()), "most": recipe.learning_rate},
        {"params": heads, "most": recipe.head_rate, "weight_decay": 0.0},
    ]
    tuning = Descent(branch, groups, checkpoint, weight_decay=recipe.weight_decay)
    total = recipe.steps + recipe.last_steps
    sentiment = islice(endless(feelings, recipe), tuning.step, None)
    risk = islice(endless(risks, recipe), max(0, tuning.step - recipe.steps), None)
    branch.train()
    while tuning.step < total:
        loss = losses(branch, feelings, next(sentiment), recipe)
        if tuning.step >= recipe.steps:
            loss = loss + losses(branch, risks, next(risk), recipe)
        tuning.learn(loss, rate(tuning.step, recipe))
        if tuning.step % every == 0 or tuning.step == total:
            tuning.save()
            if progress:
                progress(tuning.step, total, "tuning")
    branch.eval()


def endless(lesson: Lesson, recipe: Recipe) -> Iterator[list[int]]:
    """Yield batches, pass after pass."""
    for number in count():
        yield from lesson.pass_over(recipe, number)


def predict(
    branch: Any, activations: Activations, rows: Sequence[int], tokens: int = 4096
) -> tuple[Array, Array, Array]:
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


def average(branches: Sequence[Any]) -> Any:
    """Return the first branch with the mean of all their weights; all must have begun alike."""
    states = [branch.state_dict() for branch in branches]
    branches[0].load_state_dict({name: sum(state[name] for state in states) / len(states) for name in states[0]})
    return branches[0]


def branch_weights(branch: Any) -> dict[str, Array]:
    """Return the branch's layers by the names of `groundswell.nlp.encoder.graph`."""
    layers = getattr(branch, "layers", branch)
    return {f"branch.{name}": value.detach().numpy().astype(np.float32) for name, value in layers.state_dict().items()}

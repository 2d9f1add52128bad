"""A module on its way down a loss: its optimiser and how many steps it has made, as they stand in a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

MOST_GRADIENT = 1.0
"""Norm to which a step's gradient is cut."""


class Descent:
    """AdamW over a module, going on from a checkpoint if there is one.

    Args:
        module: what learns, a ``torch.nn.Module``.
        groups: its parameters as AdamW takes them, each with `most`, the highest learning rate of the group.
        checkpoint: file that `save` writes.
        weight_decay: of groups that name none.
    """

    def __init__(self, module: Any, groups: Sequence[dict[str, Any]], checkpoint: Path, *, weight_decay: float) -> None:
        import torch

        self.module, self.checkpoint, self.step = module, checkpoint, 0
        self._optimiser = torch.optim.AdamW(
            list(groups), lr=0.0, weight_decay=weight_decay, betas=(0.9, 0.98), fused=True
        )
        if checkpoint.exists():
            state = torch.load(checkpoint, weights_only=True)
            module.load_state_dict(state["branch"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.step = int(state["step"])

    def save(self) -> None:
        """Write the checkpoint, all of it or nothing."""
        import torch

        aside = self.checkpoint.with_suffix(".part")
        state = {"branch": self.module.state_dict(), "optimiser": self._optimiser.state_dict(), "step": self.step}
        torch.save(state, aside)
        aside.replace(self.checkpoint)

    def learn(self, loss: Any, share: float) -> None:
        """Make one step down a loss, at a share of each group's highest learning rate."""
        import torch

        for group in self._optimiser.param_groups:
            group["lr"] = group["most"] * share
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), MOST_GRADIENT)
        self._optimiser.step()
        self.step += 1

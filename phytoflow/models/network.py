"""The network that is trained: a backbone in two pieces, and a head."""

from __future__ import annotations

from torch import Tensor, nn

from phytoflow.models.backbones import BackboneParts


class PhotoClassifier(nn.Module):
    """Maps photos to logits.

    ``body`` is the sequence of the backbone's parts, so that the names of weights do not depend on where it
    is cut: ``trunk`` is what stays frozen, ``tail`` the last blocks up to the pooled features.

    Args:
        parts: The backbone.
        head: Maps pooled features to logits.
        finetune_blocks: How many of the last blocks belong to the tail; more than there are means all.
    """

    def __init__(self, parts: BackboneParts, head: nn.Module, finetune_blocks: int) -> None:
        super().__init__()
        self.body = nn.Sequential(parts.stem, *parts.blocks, parts.final)
        self.head = head
        self.feature_count = parts.features
        self.cut = 1 + max(0, len(parts.blocks) - finetune_blocks)

    @property
    def trunk(self) -> nn.Sequential:
        """Float [N, 3, H, W] to the tail's input; shares this model's weights."""
        return self.body[: self.cut]

    @property
    def tail(self) -> nn.Sequential:
        """The trunk's output to pooled features [N, D]; shares this model's weights."""
        return self.body[self.cut :]

    def features(self, x: Tensor) -> Tensor:
        """Photos float [N, 3, H, W] to pooled features [N, D]."""
        features: Tensor = self.body(x)
        return features

    def forward(self, x: Tensor) -> Tensor:
        """Photos float [N, 3, H, W] to logits [N, C]."""
        logits: Tensor = self.head(self.features(x))
        return logits

"""Embeddings of the static attributes (user, sport, gender) of both networks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class AttributeEmbeddings(nn.ModuleList):
    """One embedding table per attribute; row 0 of each stands for ``unknown``.

    Args:
        numbers: Rows of each table.
        width: Width of each.
        dropout: Share of the attributes read as ``unknown`` in training, so that row 0 serves
            people never seen.
    """

    def __init__(self, numbers: Sequence[int], width: int, dropout: float) -> None:
        tables = [nn.Embedding(number, width) for number in numbers]
        for table in tables:
            nn.init.normal_(table.weight, std=0.01)
        super().__init__(tables)
        self.numbers = tuple(numbers)
        self.dropout = dropout

    def forward(self, attributes: Tensor) -> Tensor:
        """Return the embeddings (B, m * width) of attributes (B, m) as rows of the tables.

        A row beyond a table, such as a sport that was not in its training, is read as ``unknown``.
        """
        if self.training and self.dropout > 0.0:
            hidden = torch.rand(attributes.shape) < self.dropout
            attributes = attributes.masked_fill(hidden, 0)
        parts = []
        for table, number, rows in zip(self, self.numbers, attributes.unbind(dim=1), strict=True):
            parts.append(table(rows.masked_fill(rows >= number, 0)))
        return torch.cat(parts, dim=1)

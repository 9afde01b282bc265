"""FitRec: a workout's whole heart-rate (or speed) profile from its context, in torch.

Source: Ni, Muhlstein, McAuley, "Modeling heart rate and activity data for personalized fitness
recommendation", WWW 2019, written from its equations. Two variants share the code: ``faithful``
follows the paper; the default one is ours where it says so.

    static embedding    e_a = E_a(a)                                              5 each
    context             h1_t = LSTM1(z_t), h2_t = LSTM2(y'_t)                     64 each
                        e_t = SELU(W_e [h1_t; h2_t] + b_e)                        64
    input               u_t = [x_t; e_t; e_{a_1}; ...; e_{a_m}]
    trunk               two-layer LSTM, 64, dropout 0.2 after each
    output              y^_t = SELU(W h_t + b)      (faithful)
                        y^_t in 40..220 bpm          (ours)

Nothing at step t depends on a later step of the session, so a prefix is predicted as in the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fitgym.common.validation import require_choice, require_integer, require_number
from fitgym.predictor.channels import (
    CHANNELS,
    HEART_RATE_CENTRE_BPM,
    HEART_RATE_SCALE_BPM,
    PREVIOUS_CHANNELS,
    SPORTS,
)
from fitgym.predictor.embeddings import AttributeEmbeddings

# Ours: the range of adult heart rates in exercise, which the output cannot leave.
LOWEST_BPM, HIGHEST_BPM = 40.0, 220.0
OUTPUTS = ("bounded", "selu")


@dataclass(frozen=True)
class FitRecConfig:
    """The shape of a FitRec network.

    Attributes:
        attributes: Number of values of each static attribute (user, sport, gender), row 0 of each
            being ``unknown`` in our variant.
        channels: N, channels of a session, x_t.
        previous_channels: N', channels of a previous workout, z_t: those and the days since, in
            our variant also its duration, mean speed and mean heart rate.
        hidden: Width of each LSTM and of the context.
        embedding: Width of each attribute's embedding.
        dropout: Share of the trunk's outputs dropped in training, after each layer.
        attribute_dropout: Share of the attributes read as ``unknown`` in training, so that row
            serves people never seen (ours; 0 in the faithful variant).
        output: ``bounded`` squashes smoothly into 40..220 bpm (ours), ``selu`` is the paper's.
    """

    attributes: tuple[int, ...] = (1, len(SPORTS), 3)
    channels: int = len(CHANNELS)
    previous_channels: int = len(PREVIOUS_CHANNELS)
    hidden: int = 64
    embedding: int = 5
    dropout: float = 0.2
    attribute_dropout: float = 0.15
    output: str = "bounded"

    def __post_init__(self) -> None:
        for number in self.attributes:
            require_integer("attributes", number, 1)
        for name in ("channels", "previous_channels", "hidden", "embedding"):
            require_integer(name, getattr(self, name), 1)
        require_number("dropout", self.dropout, 0.0, 1.0, high_open=True)
        require_number("attribute_dropout", self.attribute_dropout, 0.0, 1.0)
        require_choice("output", self.output, OUTPUTS)

    @classmethod
    def faithful(cls, attributes: Sequence[int], channels: int = 3) -> FitRecConfig:
        """Return the paper's variant: SELU output, no ``unknown`` dropout."""
        return cls(tuple(attributes), channels, channels + 1, attribute_dropout=0.0, output="selu")


@dataclass(frozen=True, eq=False)
class Batch:
    """Padded sequences of B workouts.

    Attributes:
        channels: (B, T, N) the sessions.
        previous_channels: (B, T', N') the previous ones.
        previous_target: (B, T', 1) their heart rate in the network's unit.
        previous_length: (B,) their true lengths, 0 where there was none.
        attributes: (B, m) rows of the embeddings.
        target: (B, T) the heart rate in the network's unit.
        weight: (B, T) weight of each step in the loss; 0 where padded or not measured.
    """

    channels: Tensor
    previous_channels: Tensor
    previous_target: Tensor
    previous_length: Tensor
    attributes: Tensor
    target: Tensor
    weight: Tensor


class FitRecNetwork(nn.Module):
    """The FitRec network; its parts can be called apart, so that a history is encoded once."""

    def __init__(self, config: FitRecConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden
        self.embeddings = AttributeEmbeddings(
            config.attributes, config.embedding, config.attribute_dropout
        )
        self.context_lstm = nn.LSTM(config.previous_channels, hidden, batch_first=True)
        self.target_lstm = nn.LSTM(1, hidden, batch_first=True)
        self.context_projection = nn.Linear(2 * hidden, hidden)
        width = config.channels + hidden + config.embedding * len(config.attributes)
        self.trunk_lstm = nn.LSTM(
            width, hidden, num_layers=2, dropout=config.dropout, batch_first=True
        )
        self.trunk_dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(hidden, 1)

    def forward(self, batch: Batch) -> Tensor:
        """Return the predicted target (B, T) in the network's unit."""
        steps = batch.channels.shape[1]
        encoded = self.encode_history(batch.previous_channels, batch.previous_target)
        context = align_context(encoded, batch.previous_length, steps)
        return self.trunk(batch.channels, context, self.embed(batch.attributes))

    def embed(self, attributes: Tensor) -> Tensor:
        """Return the embeddings (B, m * 5) of attributes (B, m), some hidden in training."""
        embedded: Tensor = self.embeddings(attributes)
        return embedded

    def encode_history(self, previous_channels: Tensor, previous_target: Tensor) -> Tensor:
        """Return e_t (B, T', 64) of previous workouts (B, T', N') and heart rates (B, T', 1)."""
        context, _ = self.context_lstm(previous_channels)
        target, _ = self.target_lstm(previous_target)
        projected: Tensor = self.context_projection(torch.cat([context, target], dim=2))
        return nn.functional.selu(projected)

    def trunk(self, channels: Tensor, context: Tensor, static: Tensor) -> Tensor:
        """Return the prediction (B, T) from channels, aligned context and embeddings."""
        repeated = static.unsqueeze(1).expand(-1, channels.shape[1], -1)
        hidden, _ = self.trunk_lstm(torch.cat([channels, context, repeated], dim=2))
        raw: Tensor = self.output(self.trunk_dropout(hidden)).squeeze(2)
        if self.config.output == "selu":
            return nn.functional.selu(raw)
        bpm = LOWEST_BPM + (HIGHEST_BPM - LOWEST_BPM) * torch.sigmoid(raw)
        return (bpm - HEART_RATE_CENTRE_BPM) / HEART_RATE_SCALE_BPM


def align_context(encoded: Tensor, lengths: Tensor, steps: int) -> Tensor:
    """Return the context (B, steps, 64) beside a session of ``steps`` steps.

    Where the previous workout was shorter, its last value is held; where there was none, the
    context is zero.

    Args:
        encoded: (B, T', 64) from ``FitRecNetwork.encode_history``.
        lengths: (B,) true lengths of the previous workouts, 0 for none.
        steps: T of the session.
    """
    last = (lengths - 1).clamp(min=0)
    index = torch.minimum(torch.arange(steps).unsqueeze(0), last.unsqueeze(1))
    aligned = encoded.gather(1, index.unsqueeze(2).expand(-1, -1, encoded.shape[2]))
    return aligned * (lengths > 0).to(aligned.dtype)[:, None, None]

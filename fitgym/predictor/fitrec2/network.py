"""FitRec, second edition, in torch: the paper's network around an expected heart rate.

The parts are the paper's (see ``fitgym.predictor.fitrec.network``): context LSTMs over the previous
workout z and its heart rate y', static embeddings, a two-layer LSTM as trunk. Ours is what stands
for the person and what the output means:

    static      e_a = MLP(attributes with known/unknown flags), E(sport), E(gender)
    expected    p_t = share of the reserve from ``fitgym.predictor.exertion``, also an input
    z_t         carries how far the previous workout lay from its expected share, too
    share       s_t = soft_min(p_t + 0.4 f_t tanh(W h_t + b), ceiling)
    output      HR_t = rest + (maximum - rest) s_t

``f_t`` is one, but where maximum and VDOT are told it fades to zero as p_t nears one: whatever
moves a heart at moderate effort, at the effort of a race it beats near its maximum.

Nothing at step t depends on a later step of the session, so a prefix is predicted as in the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fitgym.common.validation import require_integer, require_number
from fitgym.logs.workout import GENDERS
from fitgym.predictor.attributes import NAMES
from fitgym.predictor.channels import (
    CHANNELS,
    HEART_RATE_CENTRE_BPM,
    HEART_RATE_SCALE_BPM,
    PREVIOUS_CHANNELS,
    SPORTS,
)
from fitgym.predictor.exertion import (
    BEND,
    RESTING_UPTAKE,
    STANDING_SHARE,
    THRESHOLD_SHARE,
    drift_factor,
    onset_share,
    slow_rise,
)
from fitgym.predictor.fitrec.network import align_context

# What the attributes are scaled by: centre and spread of adults, in the order of ``NAMES``.
CENTRES = (60.0, 185.0, 45.0, 40.0, 170.0, 35.0)
SPREADS = (10.0, 12.0, 12.0, 15.0, 20.0, 10.0)
# How far the network may move the expected share.
DEVIATION = 0.4
# A maximum that was not told may lie above the one expected, by this share of the reserve.
MARGIN = 0.25
CEILING_SOFTNESS = 0.02
# Per share short of one: deviations are whole up to three quarters of the reserve.
FADE = 4.0
MAXIMUM, VDOT = NAMES.index("maximum_bpm"), NAMES.index("vdot")
SHARE_CENTRE, SHARE_SCALE = 0.6, 0.2


@dataclass(frozen=True)
class Fitrec2Config:
    """The shape of a network of the second edition.

    Attributes:
        hidden: Width of each LSTM and of the context.
        embedding: Width of the embeddings of sport and gender.
        body: Width of the attributes' embedding.
        dropout: Share of the trunk's outputs dropped in training, after each layer.
        category_dropout: Share of sports and genders read as ``unknown`` in training.
    """

    hidden: int = 32
    embedding: int = 5
    body: int = 8
    dropout: float = 0.2
    category_dropout: float = 0.1

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("hidden", "embedding", "body"):
            require_integer(name, getattr(self, name), 1)
        require_number("dropout", self.dropout, 0.0, 1.0, high_open=True)
        require_number("category_dropout", self.category_dropout, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Fitrec2Batch:
    """Padded sequences of B workouts.

    Attributes:
        channels: (B, T, N) the sessions, in the order of ``CHANNELS``.
        uptake: (B, T) lagged oxygen uptake of ``exertion.lagged_uptake``.
        previous_channels: (B, T', N') the previous ones.
        previous_uptake: (B, T') their lagged uptake.
        previous_target: (B, T') their heart rate in the network's unit.
        previous_length: (B,) their true lengths, 0 where there was none.
        categories: (B, 2) rows of sport and gender.
        attributes: (B, A) attributes, NaN where unknown.
        references: (B, 3) resting heart rate, maximum and VDOT to expect.
        target: (B, T) the heart rate in the network's unit.
        weight: (B, T) weight of each step in the loss; 0 where padded or not measured.
    """

    channels: Tensor
    uptake: Tensor
    previous_channels: Tensor
    previous_uptake: Tensor
    previous_target: Tensor
    previous_length: Tensor
    categories: Tensor
    attributes: Tensor
    references: Tensor
    target: Tensor
    weight: Tensor


class Fitrec2Network(nn.Module):
    """The network; its parts can be called apart, so that a history is encoded once."""

    centres: Tensor
    spreads: Tensor

    def __init__(self, config: Fitrec2Config) -> None:
        """Make a network whose first answer is the expected heart rate."""
        super().__init__()
        self.config = config
        hidden = config.hidden
        self.sports = nn.Embedding(len(SPORTS), config.embedding)
        self.genders = nn.Embedding(len(GENDERS), config.embedding)
        for table in (self.sports, self.genders):
            nn.init.normal_(table.weight, std=0.01)
        self.body = nn.Sequential(
            nn.Linear(2 * len(NAMES), 2 * config.body),
            nn.SELU(),
            nn.Linear(2 * config.body, config.body),
        )
        self.context_lstm = nn.LSTM(len(PREVIOUS_CHANNELS) + 2, hidden, batch_first=True)
        self.target_lstm = nn.LSTM(1, hidden, batch_first=True)
        self.context_projection = nn.Linear(2 * hidden, hidden)
        width = len(CHANNELS) + 1 + hidden + 2 * config.embedding + config.body
        self.trunk_lstm = nn.LSTM(
            width, hidden, num_layers=2, dropout=config.dropout, batch_first=True
        )
        self.trunk_dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(hidden, 1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        self.register_buffer("centres", torch.tensor(CENTRES), persistent=False)
        self.register_buffer("spreads", torch.tensor(SPREADS), persistent=False)

    def forward(self, batch: Fitrec2Batch) -> Tensor:
        """Return the predicted heart rate (B, T) in the network's unit."""
        encoded = self.encode_history(
            batch.previous_channels,
            batch.previous_uptake,
            batch.previous_target,
            batch.previous_length,
            batch.references,
        )
        steps = batch.channels.shape[1]
        context = align_context(encoded, batch.previous_length, steps)
        static = self.embed(batch.categories, batch.attributes)
        return self.trunk(
            batch.channels, batch.uptake, context, static, batch.references, batch.attributes
        )

    def embed(self, categories: Tensor, attributes: Tensor) -> Tensor:
        """Return the static input (B, S) of categories (B, 2) and attributes (B, A)."""
        if self.training and self.config.category_dropout > 0.0:
            hidden = torch.rand(categories.shape) < self.config.category_dropout
            categories = categories.masked_fill(hidden, 0)
        flags = (~torch.isnan(attributes)).to(attributes.dtype)
        scaled = torch.nan_to_num((attributes - self.centres) / self.spreads)
        body = self.body(torch.cat([scaled, flags], dim=1))
        return torch.cat(
            [self.sports(categories[:, 0]), self.genders(categories[:, 1]), body], dim=1
        )

    def encode_history(
        self,
        channels: Tensor,
        uptake: Tensor,
        target: Tensor,
        lengths: Tensor,
        references: Tensor,
    ) -> Tensor:
        """Return e_t (B, T', H) of previous workouts, read with what is known of the person.

        Args:
            channels: (B, T', N') of ``channels.previous_channels``.
            uptake: (B, T') their lagged uptake.
            target: (B, T') their heart rate in the network's unit.
            lengths: (B,) their true lengths.
            references: (B, 3) resting heart rate, maximum and VDOT.
        """
        beyond = measured_share(target, references) - expected_share(uptake, references)
        here = torch.arange(uptake.shape[1]).unsqueeze(0) < lengths.unsqueeze(1)
        beyond = (beyond * here) / SHARE_SCALE
        mean = beyond.sum(dim=1) / lengths.clamp(min=1)
        extra = torch.stack([beyond, mean.unsqueeze(1).expand_as(beyond)], dim=2)
        context, _ = self.context_lstm(torch.cat([channels, extra], dim=2))
        heart, _ = self.target_lstm(target.unsqueeze(2))
        projected: Tensor = self.context_projection(torch.cat([context, heart], dim=2))
        return nn.functional.selu(projected)

    def trunk(
        self,
        channels: Tensor,
        uptake: Tensor,
        context: Tensor,
        static: Tensor,
        references: Tensor,
        attributes: Tensor,
    ) -> Tensor:
        """Return the prediction (B, T) in the network's unit."""
        told = ~torch.isnan(attributes[:, [MAXIMUM, VDOT]])
        expected = expected_share(uptake, references)
        repeated = static.unsqueeze(1).expand(-1, channels.shape[1], -1)
        scaled = ((expected - SHARE_CENTRE) / SHARE_SCALE).unsqueeze(2)
        hidden, _ = self.trunk_lstm(torch.cat([channels, scaled, context, repeated], dim=2))
        raw = self.output(self.trunk_dropout(hidden)).squeeze(2)
        fade = (FADE * (1.0 - expected)).clamp(max=1.0)
        fade = torch.where(told.all(dim=1, keepdim=True), fade, torch.ones_like(fade))
        share = expected + DEVIATION * fade * torch.tanh(raw)
        ceiling = 1.0 + MARGIN * (~told[:, :1]).to(share.dtype)
        softness = CEILING_SOFTNESS
        share = share - softness * nn.functional.softplus((share - ceiling) / softness)
        resting, maximum = references[:, :1], references[:, 1:2]
        bpm: Tensor = resting + (maximum - resting) * share
        return (bpm - HEART_RATE_CENTRE_BPM) / HEART_RATE_SCALE_BPM


def expected_share(uptake: Tensor, references: Tensor) -> Tensor:
    """Return ``exertion.expected_share`` (B, T) of lagged uptakes (B, T), in torch."""
    steps = uptake.shape[1]
    onset = torch.from_numpy(onset_share(steps)).to(uptake.dtype)
    drift = torch.from_numpy(drift_factor(steps)).to(uptake.dtype)
    slow = torch.from_numpy(slow_rise(steps)).to(uptake.dtype)
    effort = onset + (1.0 - STANDING_SHARE) * uptake / (references[:, 2:3] - RESTING_UPTAKE)
    share = effort * drift + slow * torch.relu(effort - THRESHOLD_SHARE)
    return share - BEND * nn.functional.softplus((share - 1.0) / BEND)


def measured_share(target: Tensor, references: Tensor) -> Tensor:
    """Return heart rates (B, T) in the network's unit as shares of the reserve."""
    bpm = target * HEART_RATE_SCALE_BPM + HEART_RATE_CENTRE_BPM
    resting, maximum = references[:, :1], references[:, 1:2]
    return (bpm - resting) / (maximum - resting)

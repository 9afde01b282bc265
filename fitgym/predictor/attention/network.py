"""FitRec-Attn: the heart rate ten seconds ahead, by an encoder and a decoder with attention.

Source: Ni, Muhlstein, McAuley, "Modeling heart rate and activity data for personalized fitness
recommendation", WWW 2019, written from its equations. A window holds T = 10 steps of 10 seconds;
the heart rate y_1..y_9 has been seen and y_10 is predicted.

    inputs              u_t = [x_t; e_t; e_{a_1}; ...; e_{a_m}],  K features
                        e_t = SELU(W_e [h1_t; h2_t] + b_e), 32, of the previous workout's window
    input attention     s_t^k = v_s^T (W_s [h_{t-1}; u^k] + b_s),  alpha_t = softmax_k(s_t)
    encoder             h_t = LSTM_e(alpha_t * u_t, h_{t-1})
    temporal attention  l_{i,t} = v_l^T (W_l [d_{t-1}; h_i] + b_l),  beta_t = softmax_i(l_t)
                        c_t = sum_i beta_{i,t} h_i
    decoder             d_t = LSTM_d([y_{t-1}; c_t], d_{t-1}),  t = 2..10
    output              y^_10 = W_AT [d_10; c_10] + b_AT

u^k = (u_1^k, ..., u_T^k) is the k-th feature over the window. The decoder starts at t = 2, the
first step with a heart rate before it.

The scores are affine, so what they owe to the states h_{t-1} and d_{t-1} is the same for every
competitor and cancels in the softmax: alpha_t and beta_t are constant over t. This holds for the
published equations as they stand; the state's weights are kept, and have a gradient of zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from fitgym.common.validation import require_integer, require_number
from fitgym.predictor.channels import CHANNELS, SPORTS
from fitgym.predictor.embeddings import AttributeEmbeddings

# Ours: changes of heart rate in units of 2.5 bpm (a tenth of the network's unit), about the
# standard deviation of a ten-second change.
CHANGE_SCALE = 0.1


@dataclass(frozen=True)
class AttentionConfig:
    """The shape of a FitRec-Attn network.

    Attributes:
        attributes: Number of values of each static attribute (user, sport, gender), row 0 of each
            being ``unknown``.
        channels: N, channels of a workout (the days since the previous one come on top in z_t).
        window: T, steps of a window, the last of which is predicted.
        hidden: Width of each LSTM and of the attention.
        context: Width of e_t.
        embedding: Width of each attribute's embedding.
        attribute_dropout: Share of the attributes read as ``unknown`` in training, so that row
            serves people never seen (ours).
        residual: Show the decoder (y_t - y_9) and predict y_10 - y_9, both in units of
            ``CHANGE_SCALE``, rather than the heart rate itself (ours: what happens within ten
            seconds is small beside the range of heart rates, and much the same at any level).
        planned: Whether the channels of step 10 are known beforehand, as in the paper, where the
            route is planned; if not, those of step 9 are held (ours), and the prediction uses
            nothing but the past.
    """

    attributes: tuple[int, ...] = (1, len(SPORTS), 3)
    channels: int = len(CHANNELS)
    window: int = 10
    hidden: int = 64
    context: int = 32
    embedding: int = 5
    attribute_dropout: float = 0.15
    residual: bool = True
    planned: bool = False

    def __post_init__(self) -> None:
        for number in self.attributes:
            require_integer("attributes", number, 1)
        for name in ("channels", "hidden", "context", "embedding"):
            require_integer(name, getattr(self, name), 1)
        require_integer("window", self.window, 3)
        require_number("attribute_dropout", self.attribute_dropout, 0.0, 1.0)
        for name in ("residual", "planned"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be a bool, got {getattr(self, name)!r}")

    @property
    def features(self) -> int:
        """K, the number of features the input attention weighs."""
        return self.channels + self.context + self.embedding * len(self.attributes)


@dataclass(frozen=True, eq=False)
class AttentionWindows:
    """A batch of B windows of T steps, in the network's units.

    Attributes:
        channels: (B, T, N) the workouts.
        previous_channels: (B, T, N + 1) the same steps of the previous workouts, its last step
            held where it was shorter; days since in the last channel.
        previous_target: (B, T, 1) their heart rate.
        has_previous: (B,) 1 where there was a previous workout, else 0.
        attributes: (B, m) rows of the embeddings.
        seen: (B, T - 1) the heart rate y_1..y_{T-1}.
    """

    channels: Tensor
    previous_channels: Tensor
    previous_target: Tensor
    has_previous: Tensor
    attributes: Tensor
    seen: Tensor


class AttentionOutput(NamedTuple):
    """What the network says about B windows.

    Attributes:
        prediction: (B,) y^_T in the network's unit.
        feature_weights: (B, T, K) alpha_t, each row summing to one.
        moment_weights: (B, T - 1, T) beta_t for t = 2..T, each row summing to one.
    """

    prediction: Tensor
    feature_weights: Tensor
    moment_weights: Tensor


class AttentionScore(nn.Module):
    """The attention score v^T (W [state; item] + b) of items against a state."""

    def __init__(self, state: int, item: int, width: int) -> None:
        super().__init__()
        self.state = state
        self.affine = nn.Linear(state + item, width)
        self.direction = nn.Linear(width, 1, bias=False)

    def of_items(self, items: Tensor) -> Tensor:
        """Return what the scores owe to items (B, n, item), and the constant: (B, n)."""
        item_weight = self.direction.weight @ self.affine.weight[:, self.state :]
        constant = self.direction.weight @ self.affine.bias
        return (items @ item_weight.T).squeeze(2) + constant

    def of_state(self, state: Tensor) -> Tensor:
        """Return what the scores owe to states (B, state): (B, 1)."""
        state_weight = self.direction.weight @ self.affine.weight[:, : self.state]
        return state @ state_weight.T


class FitRecAttention(nn.Module):
    """The FitRec-Attn network."""

    def __init__(self, config: AttentionConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden
        self.embeddings = AttributeEmbeddings(
            config.attributes, config.embedding, config.attribute_dropout
        )
        self.context_lstm = nn.LSTM(config.channels + 1, hidden, batch_first=True)
        self.target_lstm = nn.LSTM(1, hidden, batch_first=True)
        self.context_projection = nn.Linear(2 * hidden, config.context)
        self.feature_score = AttentionScore(hidden, config.window, hidden)
        self.encoder = nn.LSTMCell(config.features, hidden)
        self.moment_score = AttentionScore(hidden, hidden, hidden)
        self.decoder = nn.LSTMCell(1 + hidden, hidden)
        self.output = nn.Linear(2 * hidden, 1)

    def forward(self, windows: AttentionWindows) -> AttentionOutput:
        """Predict the last heart rate of each window, and say what was attended to."""
        encoded, feature_weights = self.encode(self.inputs(windows))
        if not self.config.residual:
            prediction, moment_weights = self.decode(encoded, windows.seen)
            return AttentionOutput(prediction, feature_weights, moment_weights)
        last = windows.seen[:, -1:]
        change, moment_weights = self.decode(encoded, (windows.seen - last) / CHANGE_SCALE)
        prediction = last.squeeze(1) + CHANGE_SCALE * change
        return AttentionOutput(prediction, feature_weights, moment_weights)

    def inputs(self, windows: AttentionWindows) -> Tensor:
        """Return u_t (B, T, K)."""
        channels = windows.channels
        if not self.config.planned:
            channels = torch.cat([channels[:, :-1], channels[:, -2:-1]], dim=1)
        context = self.encode_history(windows)
        static = self.embed(windows.attributes).unsqueeze(1).expand(-1, channels.shape[1], -1)
        return torch.cat([channels, context, static], dim=2)

    def encode_history(self, windows: AttentionWindows) -> Tensor:
        """Return e_t (B, T, 32), zero where there was no previous workout."""
        context, _ = self.context_lstm(windows.previous_channels)
        target, _ = self.target_lstm(windows.previous_target)
        projected: Tensor = self.context_projection(torch.cat([context, target], dim=2))
        return nn.functional.selu(projected) * windows.has_previous[:, None, None]

    def embed(self, attributes: Tensor) -> Tensor:
        """Return the embeddings (B, m * 5) of attributes (B, m), some hidden in training."""
        embedded: Tensor = self.embeddings(attributes)
        return embedded

    def encode(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the encoder's states h (B, T, 64) and alpha (B, T, K) from u (B, T, K)."""
        hidden = cell = inputs.new_zeros(len(inputs), self.config.hidden)
        item_scores = self.feature_score.of_items(inputs.transpose(1, 2))
        states, weights = [], []
        for step in inputs.unbind(dim=1):
            weight = torch.softmax(self.feature_score.of_state(hidden) + item_scores, dim=1)
            hidden, cell = self.encoder(weight * step, (hidden, cell))
            states.append(hidden)
            weights.append(weight)
        return torch.stack(states, dim=1), torch.stack(weights, dim=1)

    def decode(self, encoded: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output (B,) and beta (B, T - 1, T) from h (B, T, 64) and y (B, T - 1)."""
        hidden = cell = context = encoded.new_zeros(len(encoded), self.config.hidden)
        item_scores = self.moment_score.of_items(encoded)
        weights = []
        for heart_rate in seen.unbind(dim=1):
            weight = torch.softmax(self.moment_score.of_state(hidden) + item_scores, dim=1)
            context = torch.einsum("bi,bih->bh", weight, encoded)
            step = torch.cat([heart_rate.unsqueeze(1), context], dim=1)
            hidden, cell = self.decoder(step, (hidden, cell))
            weights.append(weight)
        raw: Tensor = self.output(torch.cat([hidden, context], dim=1)).squeeze(1)
        return raw, torch.stack(weights, dim=1)

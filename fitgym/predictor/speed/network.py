"""FitRec with speed as its target: the second edition's network with the two ends exchanged.

The layers are those of ``fitgym.predictor.fitrec2.network``: context LSTMs over the previous
workout, embeddings of sport, gender and body, a two-layer LSTM as trunk. What was predicted is read
and what was read is predicted:

    share     s_t = (HR_t - rest) / (maximum - rest)
    uptake    q_t = (s_t - standing) / (1 - standing) (VDOT - 3.5), the oxygen that s_t stands for
    input     [q_t, climb rate, altitude, has altitude, time; s_t; e_t; e_a]
    output    v_t = 3 softplus(W h_t + b), in m/s

Nothing at step t depends on a later step, nor on the speed of any step of the session.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fitgym.predictor.channels import SPEED_CENTRE_M_S, SPEED_SCALE_M_S
from fitgym.predictor.exertion import RESTING_UPTAKE, STANDING_SHARE
from fitgym.predictor.fitrec.network import align_context
from fitgym.predictor.fitrec2.network import (
    SHARE_CENTRE,
    SHARE_SCALE,
    Fitrec2Batch,
    Fitrec2Network,
    measured_share,
)

# What the implied uptake is scaled by, in ml/kg/min: round numbers for running (ours).
UPTAKE_CENTRE, UPTAKE_SCALE = 25.0, 10.0
# Speed in m/s for each unit of the output, which is never negative.
OUTPUT_M_S = 3.0


class SpeedNetwork(Fitrec2Network):
    """Predicts the speed of workouts from their heart rate; makes no use of the speed itself."""

    def forward(self, batch: Fitrec2Batch) -> Tensor:
        """Return the predicted speed (B, T) in units of ``channels``: (m/s - 3) / 1.5."""
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
        share = measured_share(batch.target, batch.references)
        vdot = batch.references[:, 2:3]
        uptake = (share - STANDING_SHARE) / (1.0 - STANDING_SHARE) * (vdot - RESTING_UPTAKE)
        read = torch.cat(
            [
                ((uptake - UPTAKE_CENTRE) / UPTAKE_SCALE).unsqueeze(2),
                batch.channels[:, :, 1:],
                ((share - SHARE_CENTRE) / SHARE_SCALE).unsqueeze(2),
                context,
                static.unsqueeze(1).expand(-1, steps, -1),
            ],
            dim=2,
        )
        hidden, _ = self.trunk_lstm(read)
        raw = self.output(self.trunk_dropout(hidden)).squeeze(2)
        speed: Tensor = OUTPUT_M_S * nn.functional.softplus(raw)
        return (speed - SPEED_CENTRE_M_S) / SPEED_SCALE_M_S


def speed_target(batch: Fitrec2Batch) -> Tensor:
    """Return the recorded speed (B, T) in the unit of ``SpeedNetwork.forward``."""
    return batch.channels[:, :, 0]

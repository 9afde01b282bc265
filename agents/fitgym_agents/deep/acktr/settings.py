"""Settings of ACKTR."""

from __future__ import annotations

from dataclasses import dataclass

from fitgym_agents.deep.settings import NetworkConfiguration
from fitgym_agents.settings import count, positive, share


@dataclass(frozen=True, kw_only=True)
class ACKTRConfiguration(NetworkConfiguration):
    """A2C by natural gradients, with Kronecker-factored curvature (Wu et al. 2017).

    Attributes:
        learning_rate: ``eta_max``, the longest step in natural gradients at the start; it falls
            linearly to zero.
        steps: Steps per environment between updates, through which gradients pass.
        advantage_decay: ``lambda`` of generalised advantage estimation.
        entropy_bonus: Weight of the entropy; higher explores longer.
        trust_region: ``delta``: how far a step may move the policy's predictions, nats.
        critic_trust_region: The same for the value, taken as the mean of a normal distribution.
        damping: Added to the curvature; higher makes steps more like plain gradients.
        factor_decay: Share of the old in the running average of the curvature's factors.
        decomposition_interval: Updates between eigendecompositions of the factors.
        momentum: Share of the old in the running average of steps.
    """

    # Longer than the 0.25 of the literature, so that the trust region decides until late.
    learning_rate: float = positive(3.0)
    steps: int = count(16)
    advantage_decay: float = share(0.95)
    entropy_bonus: float = share(0.003)
    trust_region: float = positive(3e-3)
    critic_trust_region: float = positive(3e-2)
    damping: float = positive(1e-2)
    factor_decay: float = share(0.99)
    decomposition_interval: int = count(10)
    momentum: float = share(0.9)

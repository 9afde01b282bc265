"""Settings of the learners that act by the hybrid network or one of its ablations."""

from __future__ import annotations

from dataclasses import dataclass

from fitgym_agents.settings import Configuration, choice, count, require_hidden_layers

# Kinds of network and activations that ``fitgym_agents.deep.networks`` builds.
NETWORKS = ("hybrid", "mlp", "lstm")
ACTIVATIONS = ("relu", "tanh", "sigmoid")


@dataclass(frozen=True, kw_only=True)
class NetworkConfiguration(Configuration):
    """Settings that A3C, ACKTR, DRQN and GAIL share; see ``fitgym_agents.deep.networks``.

    Attributes:
        network: ``"hybrid"``, LSTM and fully connected layers; ``"mlp"``, without the LSTM; or
            ``"lstm"``, without the fully connected layers.
        memory_size: Units of the LSTM.
        activation: Of the fully connected layers: ``"relu"``, ``"tanh"`` or ``"sigmoid"``.
    """

    network: str = choice("hybrid", NETWORKS)
    memory_size: int = count(64)
    activation: str = choice("tanh", ACTIVATIONS)

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        require_hidden_layers(self.network, self.hidden_sizes)

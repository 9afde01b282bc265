"""Settings of the learners, one frozen dataclass each; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from fitgym.common.validation import require_choice, require_integer, require_number

__all__ = [
    "A2CConfiguration",
    "A3CConfiguration",
    "ACKTRConfiguration",
    "Configuration",
    "DQNConfiguration",
    "DRQNConfiguration",
    "GAILConfiguration",
    "HistoryConfiguration",
    "NetworkConfiguration",
    "PPOConfiguration",
    "RecurrentPPOConfiguration",
    "require_settings",
]

# Kinds of network and activations; fitgym_agents.deep.networks builds them.
NETWORKS = ("hybrid", "mlp", "lstm")
ACTIVATIONS = ("relu", "tanh", "sigmoid")
# Of torch.optim; fitgym_agents.deep.a3c.a3c makes them.
OPTIMISERS = ("adam", "rmsprop")

# Settings that are shares or probabilities; every other number only has to be positive.
_SHARES = (
    "discount",
    "advantage_decay",
    "trace_decay",
    "clip_range",
    "exploration_share",
    "final_exploration",
    "entropy_bonus",
    "momentum",
    "factor_decay",
    "entropy_penalty",
)

# Counts that may be 0; every other one is at least 1.
_MAY_BE_ZERO = ("workers",)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What all algorithms share.

    Attributes:
        environments: Seasons lived through at once. More of them make better use of a core,
            since the learner's fixed cost per step is shared.
        learning_rate: Step size of the optimiser at the start; it falls linearly to zero.
        discount: ``gamma`` in [0, 1]. A season's return is the plain sum of its rewards and the
            days left are observed, so 1 would be exact. But then the value of a state is mostly
            the sum of rewards that no plan can change, and errors in it drown what plans do
            change: tried with PPO and certain adherence, 1 stayed far below the best fixed plan,
            which 0.998 and 0.99 beat. With 0.99 the reward of the last of 90 days still counts
            0.41 on the first.
        hidden_sizes: Units of the fully connected layers, for policy and value each.
    """

    environments: int = 64
    learning_rate: float = 1e-3
    discount: float = 0.99
    hidden_sizes: tuple[int, ...] = (64, 64)

    def __post_init__(self) -> None:
        """Check every field; a list becomes a tuple, and numpy's numbers Python's, for JSON."""
        if not isinstance(self.hidden_sizes, list | tuple):
            raise TypeError(f"hidden_sizes must be a list of sizes, got {self.hidden_sizes!r}")
        sizes = [
            require_integer(f"hidden_sizes[{i}]", s, 1) for i, s in enumerate(self.hidden_sizes)
        ]
        object.__setattr__(self, "hidden_sizes", tuple(sizes))
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _SHARES:
                value = require_number(field.name, value, 0, 1)
            elif isinstance(field.default, float):
                value = require_number(field.name, value, 0, low_open=True)
            elif isinstance(field.default, int):
                value = require_integer(field.name, value, 0 if field.name in _MAY_BE_ZERO else 1)
            object.__setattr__(self, field.name, value)

    @classmethod
    def from_mapping(cls, changes: Mapping[str, Any]) -> Self:
        """Return the defaults with some of them changed.

        Raises:
            ValueError: If a key is unknown or a value out of range.
            TypeError: If a value has the wrong type.
        """
        allowed = {field.name for field in fields(cls)}
        unknown = sorted(set(changes) - allowed)
        if unknown:
            raise ValueError(
                f"{cls.__name__} has unknown keys {unknown}; allowed are "
                f"{', '.join(sorted(allowed))}"
            )
        return cls(**changes)


@dataclass(frozen=True, kw_only=True)
class NetworkConfiguration(Configuration):
    """What the learners share that act by the paper's network; see ``fitgym_agents.deep.networks``.

    Attributes:
        network: ``"hybrid"``, LSTM and fully connected layers; ``"mlp"``, without the LSTM; or
            ``"lstm"``, without the fully connected layers.
        memory_size: Units of the LSTM.
        activation: Of the fully connected layers: ``"relu"``, ``"tanh"`` or ``"sigmoid"``.
    """

    network: str = "hybrid"
    memory_size: int = 64
    activation: str = "tanh"

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        require_choice("network", self.network, NETWORKS)
        require_choice("activation", self.activation, ACTIVATIONS)
        _require_hidden_sizes(self)


@dataclass(frozen=True, kw_only=True)
class HistoryConfiguration(Configuration):
    """What the algorithms of SB3 share that have no memory of their own.

    Attributes:
        network: ``"mlp"``, which sees the day; or ``"hybrid"``, the paper's network, LSTM and
            fully connected layers, run over a history of days.
        history: Days that ``"hybrid"`` sees, this one included.
        memory_size: Units of the LSTM of ``"hybrid"``.
    """

    network: str = "mlp"
    history: int = 8
    memory_size: int = 64

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        require_choice("network", self.network, ("mlp", "hybrid"))
        _require_hidden_sizes(self)


@dataclass(frozen=True, kw_only=True)
class PPOConfiguration(HistoryConfiguration):
    """Proximal policy optimisation (Schulman et al. 2017).

    Attributes:
        steps: Days per environment between updates.
        minibatch: Transitions per gradient step; large, since the learner's time goes by steps.
        epochs: Passes over the collected days.
        advantage_decay: ``lambda`` of generalised advantage estimation.
        clip_range: How far the probability ratio may move before its gradient is cut.
        entropy_bonus: Weight of the entropy; higher explores longer.
    """

    # In the FitRec environments a smaller one, such as 1e-3, leaves policies of few steps broad,
    # between easy and hard days, so that always acting on the likeliest plan falls behind what was
    # trained.
    learning_rate: float = 3e-3
    steps: int = 32
    minibatch: int = 1024
    epochs: int = 6
    advantage_decay: float = 0.95
    clip_range: float = 0.2
    entropy_bonus: float = 0.003


@dataclass(frozen=True, kw_only=True)
class RecurrentPPOConfiguration(Configuration):
    """PPO with a memory: a layer of long short-term memory before policy and value.

    A batch is one whole season of every environment: sequences begin where seasons begin, and
    gradients pass through all of them.

    Attributes:
        memory_size: Units of the LSTM.
        epochs: Passes over the collected seasons, one gradient step each.
        advantage_decay: ``lambda`` of generalised advantage estimation.
        clip_range: How far the probability ratio may move before its gradient is cut.
        entropy_bonus: Weight of the entropy; higher explores longer.
    """

    # Few gradient steps, since each takes a whole season day by day; so they are long.
    learning_rate: float = 6e-3
    memory_size: int = 64
    epochs: int = 4
    advantage_decay: float = 0.95
    clip_range: float = 0.2
    entropy_bonus: float = 0.003


@dataclass(frozen=True, kw_only=True)
class A2CConfiguration(HistoryConfiguration):
    """Advantage actor-critic, the synchronous form of A3C (Mnih et al. 2016).

    Attributes:
        steps: Days per environment between updates.
        advantage_decay: ``lambda`` of generalised advantage estimation; 1 is Mnih et al.'s.
        entropy_bonus: Weight of the entropy; higher explores longer.
    """

    learning_rate: float = 2e-3
    steps: int = 8
    advantage_decay: float = 0.95
    entropy_bonus: float = 0.003


@dataclass(frozen=True, kw_only=True)
class A3CConfiguration(NetworkConfiguration):
    """Asynchronous advantage actor-critic (Mnih et al. 2016) by the paper's network.

    The paper's own settings are not known; these are ours. ``fitgym benchmark search a3c``
    looks for better ones.

    Attributes:
        environments: Seasons that each worker lives through at once.
        workers: Processes that learn at the same time; 0 for two workers that take turns in this
            process, which gives the same weights every time.
        steps: ``t_max``, days between updates; a season's end ends them, too.
        advantage_decay: ``lambda`` of generalised advantage estimation; 1 is Mnih et al.'s.
        entropy_bonus: Weight of the entropy at the start; it falls linearly to zero, so that the
            policy ends up near to its likeliest plan.
        gradient_norm: Longer gradients are cut to this norm, those of actor and critic each.
        optimiser: ``"adam"``, or ``"rmsprop"`` as in Mnih et al.; its moments are shared.
    """

    # For millions of steps, tried by hand with few seeds. Many updates teach more than long ones:
    # 32 people for 30 days did better than 64 for as long or for 90, and than either for 15 at
    # half the rate. ReLU learns as well as tanh, and a window takes a tenth less time. In fewer
    # than two million steps the likeliest plan may still be the best fixed one, though drawing
    # from the policy earns far more.
    activation: str = "relu"
    environments: int = 32
    learning_rate: float = 3e-3
    workers: int = 2
    steps: int = 30
    advantage_decay: float = 0.95
    entropy_bonus: float = 0.01
    gradient_norm: float = 0.5
    optimiser: str = "adam"

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        require_choice("optimiser", self.optimiser, OPTIMISERS)


@dataclass(frozen=True, kw_only=True)
class ACKTRConfiguration(NetworkConfiguration):
    """A2C by natural gradients, with Kronecker-factored curvature (Wu et al. 2017).

    Attributes:
        learning_rate: ``eta_max``, the longest step in natural gradients at the start; it falls
            linearly to zero.
        steps: Days per environment between updates, through which gradients pass.
        advantage_decay: ``lambda`` of generalised advantage estimation.
        entropy_bonus: Weight of the entropy; higher explores longer.
        trust_region: ``delta``: how far a step may move the policy's predictions, nats.
        critic_trust_region: The same for the value, taken as the mean of a normal distribution.
        damping: Added to the curvature; higher makes steps more like plain gradients.
        factor_decay: Share of the old in the running average of the curvature's factors.
        decomposition_interval: Updates between eigen-decompositions of the factors.
        momentum: Share of the old in the running average of steps.
    """

    # Longer than in the literature (0.25), so that the trust region decides until late in
    # learning; with 0.25 retention learns more slowly.
    learning_rate: float = 3.0
    steps: int = 16
    advantage_decay: float = 0.95
    entropy_bonus: float = 0.003
    trust_region: float = 3e-3
    critic_trust_region: float = 3e-2
    damping: float = 1e-2
    factor_decay: float = 0.99
    decomposition_interval: int = 10
    momentum: float = 0.9


@dataclass(frozen=True, kw_only=True)
class DQNConfiguration(HistoryConfiguration):
    """Deep Q-learning (Mnih et al. 2015).

    Attributes:
        buffer_size: Transitions remembered.
        learning_starts: Transitions seen before the first update.
        minibatch: Transitions per gradient step.
        gradient_steps: Gradient steps after each day of all environments.
        target_update: Transitions between copies of the network into the target network.
        exploration_share: Share of learning over which random actions become rare.
        final_exploration: Share of random actions from then on.
    """

    # Shorter than the others': values are learnt from each other a day at a time, and their
    # errors add up over the horizon. In replay, acquisition, it takes this to beat the easiest
    # plan every day; with 0.99 DQN fell short of it.
    discount: float = 0.97
    buffer_size: int = 100_000
    learning_starts: int = 5_000
    minibatch: int = 512
    gradient_steps: int = 2
    target_update: int = 2_000
    exploration_share: float = 0.3
    final_exploration: float = 0.05


@dataclass(frozen=True, kw_only=True)
class GAILConfiguration(NetworkConfiguration):
    """Generative adversarial imitation learning (Ho & Ermon 2016).

    A batch is one whole season of every environment.

    Attributes:
        demonstrations: Path of the expert's recorded seasons; None to record the best expert known.
        expert_episodes: How many of the expert's seasons are shown, the first of the file's.
        minibatch_seasons: Seasons per gradient step of policy and value.
        epochs: Passes over the collected seasons.
        advantage_decay: ``lambda`` of generalised advantage estimation.
        clip_range: How far the probability ratio may move before its gradient is cut.
        entropy_penalty: Weight of the entropy, which is taken off; higher makes the policy mix
            plans less.
        discriminator_rate: Step size of the discriminator.
        discriminator_minibatch: Days of the policy, and as many of the expert, per gradient step
            of the discriminator.
        discriminator_epochs: Passes of the discriminator over the collected days.
        gradient_penalty: Weight of the penalty on the discriminator's slope; higher gives a
            smoother reward.
    """

    # Half the others': more updates for as many days.
    environments: int = 32
    learning_rate: float = 3e-3
    demonstrations: str | None = None
    expert_episodes: int = 100
    minibatch_seasons: int = 16
    epochs: int = 4
    advantage_decay: float = 0.95
    clip_range: float = 0.2
    # Imitating an expert that sees the motivation, which the policy does not, makes for a mixture
    # of plans, of which the likeliest alone may be worth little. The expert does not mix. Without
    # a penalty the likeliest plans earn a tenth less than drawn ones, with this as much; with 0.1
    # both earn less.
    entropy_penalty: float = 0.03
    discriminator_rate: float = 3e-3
    discriminator_minibatch: int = 512
    discriminator_epochs: int = 1
    gradient_penalty: float = 0.1

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        if not (self.demonstrations is None or isinstance(self.demonstrations, str)):
            raise TypeError(
                f"demonstrations must be the path of a file or None, got {self.demonstrations!r}"
            )


@dataclass(frozen=True, kw_only=True)
class DRQNConfiguration(NetworkConfiguration):
    """Deep recurrent Q-learning (Hausknecht and Stone 2015; Kapturowski et al. 2019).

    Attributes:
        replay_seasons: Whole seasons remembered.
        learning_starts: Seasons remembered before the first update.
        gradient_steps: Gradient steps after each season of all environments.
        stretches: Stretches of days per gradient step, each of another draw of season and day.
        stretch_days: Days of a stretch that are learnt from.
        burn_in: Days before a stretch that are read without gradient.
        trace_decay: ``lambda`` of Peng's Q(lambda); 0 is Q-learning of one step.
        target_update: Gradient steps between copies of the network into the target network.
        exploration_share: Share of learning over which random plans become rare.
        final_exploration: Share of random plans from then on.
    """

    replay_seasons: int = 2_000
    learning_starts: int = 64
    gradient_steps: int = 50
    stretches: int = 64
    stretch_days: int = 30
    burn_in: int = 10
    # A day's plan shows in the rewards of weeks, and values learnt from each other a day at a time
    # are late to tell: learning is much slower with 0, and a little slower with 0.7.
    trace_decay: float = 0.9
    target_update: int = 50
    exploration_share: float = 0.3
    final_exploration: float = 0.05

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        for name in ("environments", "learning_starts"):
            if getattr(self, name) > self.replay_seasons:
                raise ValueError(
                    f"{name} must be at most replay_seasons={self.replay_seasons}, "
                    f"got {getattr(self, name)}"
                )


def require_settings(name: str, settings: Any, settings_class: type[Any]) -> Any:
    """Return ``settings``, or the defaults if it is None.

    Args:
        name: What to call the agent in messages.
        settings: What its constructor was given.
        settings_class: What it has to be.

    Raises:
        TypeError: If it is something else.
    """
    if settings is None:
        return settings_class()
    if not isinstance(settings, settings_class):
        raise TypeError(
            f"settings of {name} must be a {settings_class.__name__}, got {settings!r} of type "
            f"{type(settings).__name__}"
        )
    return settings


def _require_hidden_sizes(settings: NetworkConfiguration | HistoryConfiguration) -> None:
    """Refuse a hybrid network without fully connected layers, which would be another one."""
    if settings.network == "hybrid" and not settings.hidden_sizes:
        raise ValueError("hidden_sizes must not be empty with network='hybrid', got ()")

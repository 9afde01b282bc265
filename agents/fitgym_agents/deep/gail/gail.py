"""Generative adversarial imitation learning (Ho & Ermon 2016), the policy with a memory.

The discriminator tells the expert's days, of what was observed and which plan was pushed, from
the policy's, and the policy is rewarded for days that look like the expert's. It never learns
from the environment's own reward, which only the learning curve shows. The days left of the
season are among the numbers observed, so the discriminator sees them.

Signs: here ``D(s, a)`` is the probability that a day is the **expert's**, so the discriminator's
output, the logit of D, is positive for the expert. (Ho & Ermon's D is the policy's probability,
ours is one less theirs.) The reward is that logit, ``log D - log(1 - D)``, the logarithm of how
much more often the expert is found there than the policy. Seasons all last the same number of
days, so no sign of a reward makes for longer or shorter lives, and the choice is free. Ho &
Ermon's ``-log(1 - D)`` is flat where the policy is far from the expert, and ``log D`` where it is
near; the logit is flat nowhere, and its mean under the policy is, at the best discriminator, minus
the Kullback-Leibler divergence from the policy's days to the expert's.

Only whole seasons are compared, the policy's and the expert's: a batch is one season of every
environment. With parts of seasons, days early in the season would be more common on one side
than on the other and tell the two apart whatever was pushed.

The policy is improved by the clipped steps of proximal policy optimisation (Schulman et al. 2017)
in place of Ho & Ermon's trust region, with generalised advantages from a critic of its own;
gradients pass through whole seasons.

The expert may see what the policy does not, the motivation above all. Where days that look alike
to the policy are treated differently, it would learn to draw as often as the expert does either.
Ho & Ermon add an entropy bonus; here a small penalty makes it decide, since the experts plan and
do not draw, and since agents are evaluated by their likeliest plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fitgym.common.validation import require_integer
from fitgym_agents.agent import Progress
from fitgym_agents.deep.gail.demonstrations import Demonstrations, expert_for, record
from fitgym_agents.deep.learner import Learner, part
from fitgym_agents.deep.networks import HybridNetwork, entropies, forbid
from fitgym_agents.deep.returns import generalised_advantages, n_step_returns
from fitgym_agents.deep.rollout import Collector, Window
from fitgym_agents.environments import EnvironmentFactory, make_vector_env
from fitgym_agents.settings import GAILConfiguration

__all__ = [
    "GAIL",
    "clipped_objective",
    "discriminator_loss",
    "imitation_rewards",
    "require_whole_seasons",
    "slope_penalty",
    "standardised",
]

# Largest norm of a gradient (ours; that of Stable-Baselines3's PPO).
_LARGEST_GRADIENT = 0.5


class GAIL(Learner[GAILConfiguration]):
    """Imitates an expert's recorded seasons, with the paper's hybrid network as policy."""

    name = "GAIL"
    settings_class = GAILConfiguration

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        """Make untrained networks; see ``Learner``. Demonstrations are read at the first need."""
        super().__init__(*arguments, **keywords)
        self._policy_weights = [
            *self.networks["actor"].parameters(),
            *self.networks["critic"].parameters(),
        ]
        self._optimisers = {
            "policy_optimiser": torch.optim.Adam(self._policy_weights),
            "discriminator_optimiser": torch.optim.Adam(
                self.networks["discriminator"].parameters(), lr=self.settings.discriminator_rate
            ),
        }
        self._expert: Tensor | None = None

    def _make_networks(self, inputs: int, actions: int) -> dict[str, nn.Module]:
        return {
            **self.make_actor_critic(inputs, actions),
            "discriminator": HybridNetwork(
                inputs + actions,
                1,
                network="mlp",
                hidden_sizes=self.settings.hidden_sizes,
                activation=self.settings.activation,
            ),
        }

    def learn(self, total_timesteps: int, *, progress: Progress | None = None) -> Self:
        """Learn for some more environment steps; see ``Learner.learn``.

        The step size of the policy falls linearly to zero.

        Without a file of demonstrations the environment is solved first, which can take a minute;
        the solution is kept on disk.

        Raises:
            FileNotFoundError: If there is no file of demonstrations where there should be.
            ValueError: If the demonstrations are not of this environment, or too few, or there
                is no file of them and no expert known.
        """
        require_integer("total_timesteps", total_timesteps, 1)
        torch.set_num_threads(1)
        if self._expert is None:
            shown = self._demonstrations()
            self._expert = self._days(
                self.normalisation.observations(shown.observations),
                torch.from_numpy(shown.actions),
            )
        environments = make_vector_env(self.env_id, self.settings.environments, self.env_kwargs)
        collector = Collector(environments, self.normalisation, self.mask, self.training_seed())
        generator = torch.Generator().manual_seed(self.training_seed(1))
        start = self.timesteps
        goal = start + total_timesteps
        while self.timesteps < goal:
            for group in self._optimisers["policy_optimiser"].param_groups:
                group["lr"] = self.settings.learning_rate * (1.0 - self.timesteps / goal)
            window = collector.collect(self.actor, self.days)
            require_whole_seasons(window)
            days = self._days(window.observations[:-1], window.actions)
            self._improve_discriminator(days, generator)
            self._improve_policy(window, self._rewards(days, window.ended), generator)
            self.timesteps += window.actions.numel()
            self.learning_curve.append((self.timesteps, float(np.mean(window.finished_returns))))
            if progress is not None:
                progress(self.timesteps - start)
        environments.close()
        return self

    def discriminate(self, observations: NDArray[Any], actions: NDArray[Any]) -> NDArray[Any]:
        """Return D, how probable it is that the days are the expert's rather than the policy's.

        Args:
            observations: As the environment gives them, (..., I).
            actions: Plans pushed, (...).
        """
        scaled = self.normalisation.observations(observations)
        days = self._days(scaled, torch.from_numpy(np.asarray(actions)))
        with torch.no_grad():
            logits = self._logits(days)
        return torch.sigmoid(logits).reshape(actions.shape).numpy()

    def _demonstrations(self) -> Demonstrations:
        path, episodes = self.settings.demonstrations, self.settings.expert_episodes
        if path is None:
            expert = expert_for(self.env_id, self.env_kwargs)
            return record(expert, self.env_id, env_kwargs=self.env_kwargs, episodes=episodes)
        shown = Demonstrations.load(path)
        environment: Any = EnvironmentFactory(self.env_id, self.env_kwargs)().unwrapped
        try:
            shown.require_suitable(environment)
            return shown.first(episodes)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def _days(self, observations: Tensor, actions: Tensor) -> Tensor:
        """Return what the discriminator sees, (days, I + actions): observations and plans."""
        plans = functional.one_hot(actions, self.mask.numel()).to(observations.dtype)
        return torch.cat([observations, plans], -1).flatten(0, -2)

    def _logits(self, days: Tensor) -> Tensor:
        logits: Tensor = self.networks["discriminator"](days)[0]
        return logits[..., 0]

    def _rewards(self, days: Tensor, ended: Tensor) -> Tensor:
        with torch.no_grad():
            rewards = imitation_rewards(self._logits(days)).reshape(ended.shape)
        return standardised(rewards, ended, self.settings.discount)

    def _improve_discriminator(self, days: Tensor, generator: torch.Generator) -> None:
        """Take gradient steps with as many days of the expert as there are of the policy."""
        assert self._expert is not None
        optimiser = self._optimisers["discriminator_optimiser"]
        for _ in range(self.settings.discriminator_epochs):
            size = self.settings.discriminator_minibatch
            for rows in _minibatches(len(days), size, generator):
                drawn = torch.randint(len(self._expert), (len(rows),), generator=generator)
                expert, policy = self._expert[drawn], days[rows]
                share = torch.rand((len(rows), 1), generator=generator)
                between = torch.lerp(policy, expert, share).requires_grad_()
                loss = discriminator_loss(self._logits(expert), self._logits(policy))
                loss = loss + self.settings.gradient_penalty * slope_penalty(
                    self._logits(between), between
                )
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()

    def _improve_policy(self, window: Window, rewards: Tensor, generator: torch.Generator) -> None:
        """Take clipped gradient steps of actor and critic on whole seasons."""
        settings = self.settings
        optimiser = self._optimisers["policy_optimiser"]
        critic = self.networks["critic"]
        observations = window.observations[:-1]
        with torch.no_grad():
            old_logs = self._log_probabilities(observations)
            old_logs = old_logs.gather(-1, window.actions[..., None])[..., 0]
            values = critic(observations)[0][..., 0]
        advantages = generalised_advantages(
            rewards,
            window.ended,
            values,
            torch.zeros_like(values[0]),
            settings.discount,
            settings.advantage_decay,
        )
        returns = advantages + values
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        for _ in range(settings.epochs):
            for people in _minibatches(rewards.shape[1], settings.minibatch_seasons, generator):
                logs = self._log_probabilities(observations[:, people])
                chosen = logs.gather(-1, window.actions[:, people, None])[..., 0]
                objective = clipped_objective(
                    chosen - old_logs[:, people], advantages[:, people], settings.clip_range
                )
                errors = critic(observations[:, people])[0][..., 0] - returns[:, people]
                loss = (
                    0.5 * errors.square().mean()
                    - objective
                    + settings.entropy_penalty * entropies(logs).mean()
                )
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self._policy_weights, _LARGEST_GRADIENT)
                optimiser.step()

    def _log_probabilities(self, observations: Tensor) -> Tensor:
        """Return the policy's of every plan on every day of whole seasons, (T, N, actions)."""
        logits, _ = self.actor(observations)
        return torch.log_softmax(forbid(logits, self.mask), -1)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return weights, normalisation and the state of the optimisers."""
        arrays = super().tensors()
        for name, optimiser in self._optimisers.items():
            for index, state in optimiser.state_dict()["state"].items():
                for key, value in state.items():
                    arrays[f"{name}.{index}.{key}"] = torch.as_tensor(value).numpy()
        return arrays

    def _restore(self, tensors: dict[str, NDArray[Any]]) -> None:
        for name, optimiser in self._optimisers.items():
            content = optimiser.state_dict()
            for path, value in part(tensors, name).items():
                index, key = path.split(".")
                content["state"].setdefault(int(index), {})[key] = torch.from_numpy(value)
            optimiser.load_state_dict(content)


def discriminator_loss(expert_logits: Tensor, policy_logits: Tensor) -> Tensor:
    """Return ``-E_expert[log D] - E_policy[log(1 - D)]``, D the probability of the expert.

    For distributions p of the expert's days and q of the policy's it is least at
    ``D = p / (p + q)`` (Goodfellow et al. 2014, proposition 1).

    Args:
        expert_logits: Logits of D on days of the expert.
        policy_logits: Logits of D on days of the policy.
    """
    of_expert = functional.softplus(-expert_logits).mean()
    return of_expert + functional.softplus(policy_logits).mean()


def imitation_rewards(logits: Tensor) -> Tensor:
    """Return ``log D - log(1 - D)``: high where the expert is more often found than the policy.

    Args:
        logits: Of D, the probability of the expert.
    """
    return logits


def slope_penalty(logits: Tensor, days: Tensor) -> Tensor:
    """Return the mean squared norm of the slope of the logits (days,) by the days (days, inputs).

    Without such a penalty, the discriminator tells few demonstrations from all else by their
    smallest differences, and its rewards are noise (Mescheder et al. 2018 on when adversarial
    training converges).
    """
    (slopes,) = torch.autograd.grad(logits.sum(), days, create_graph=True)
    return slopes.square().sum(-1).mean()


def standardised(rewards: Tensor, ended: Tensor, discount: float) -> Tensor:
    """Return rewards of whole seasons, centred, and scaled so that discounted returns vary by 1.

    All seasons are of the same length, so that no policy gains or loses by the centring; the
    critic's task is of the same size however far the discriminator has come.

    Args:
        rewards: (T, N).
        ended: (T, N) of bool.
        discount: ``gamma``.
    """
    centred = rewards - rewards.mean()
    returns = n_step_returns(centred, ended, torch.zeros_like(rewards[0]), discount)
    return centred / returns.std().clamp_min(1e-8)


def clipped_objective(log_ratios: Tensor, advantages: Tensor, clip_range: float) -> Tensor:
    """Return what the policy's step makes larger (Schulman et al. 2017, equation 7).

    Args:
        log_ratios: Log-probability of what was done, less that when it was done.
        advantages: Of the same shape.
        clip_range: ``epsilon``.
    """
    ratios = log_ratios.exp()
    clipped = ratios.clamp(1.0 - clip_range, 1.0 + clip_range)
    return torch.minimum(ratios * advantages, clipped * advantages).mean()


def require_whole_seasons(window: Window) -> None:
    """Check that everybody in the window lives through one season, from its first day to its last.

    Raises:
        ValueError: If somebody does not.
    """
    starting, ended = window.starting[:-1], window.ended
    first, last = torch.zeros_like(ended), torch.zeros_like(ended)
    first[0] = last[-1] = True
    if not (torch.equal(starting, first) and torch.equal(ended, last)):
        raise ValueError(
            "GAIL compares whole seasons: every season must start on the first day of the window "
            f"and end on its last, got {int(starting[0].sum())} that start there and "
            f"{int(ended[-1].sum())} that end there, of {ended.shape[1]} in {len(ended)} days"
        )


def _minibatches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the numbers from 0 to ``count`` in random order, ``size`` at a time."""
    yield from torch.split(torch.randperm(count, generator=generator), size)

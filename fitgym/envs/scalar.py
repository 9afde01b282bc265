"""The environment class behind every registered id, for one person."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from fitgym.adherence import CustomAdherence, Situation, make_adherence
from fitgym.envs import kernel, render
from fitgym.envs.spaces import observation_space
from fitgym.individual import Individual, load_individual
from fitgym.validation import require_choice, require_integer, require_number

__all__ = ["FitnessFatigueEnv"]

Observation = NDArray[np.float32]


class FitnessFatigueEnv(gym.Env[Observation, np.int64]):
    """Exercise recommendation to one person as a finite-horizon Markov decision process.

    ## Description
    Every day a service pushes one of ten exercise plans, or none, to a person. What the person
    really does builds fitness and fatigue, and performance is their weighted difference. The
    service is to make the season's performance high with plans that are carried out. Fang, Lee
    and Wang 2022 (arXiv 2204.00961) define the process in two stages: in **acquisition** the
    stocks add up, in **retention** they compound.

    | id | stage | adherence | reward |
    |---|---|---|---|
    | `fitgym/AcquisitionReplay-v0` | acquisition | replay of a runner's log | the paper's |
    | `fitgym/RetentionReplay-v0` | retention | replay of a runner's log | the paper's |

    Under **replay** adherence, the paper's protocol, what happens is read from the log: a plan
    changes the reward of its day and nothing else. That is a contextual bandit, not a control
    problem, and its exact optimum is the best plan of each day (see `fitgym.solver`). Under
    **certain** adherence every plan is done exactly.

    ## Action Space
    `Discrete(11)`: 0 is no plan; 1 to 10 are the individual's plans from the easiest to the
    hardest, by default 1.8, 7, 12.2, 17.4, 22.6, 27.8, 33, 38.2, 43.4 and 48.6 TRIMP points.

    ## Observation Space
    `Box` of six float32 numbers in natural units:

    | index | observation | symbol | min | max | unit |
    |---|---|---|---|---|---|
    | 0 | intensity of the last session | x_{t-1} | 0 | hardest session or plan | points |
    | 1 | base level | B_t | 1 | larger of B_0 and the hardest session | points |
    | 2 | fitness | F_{t-1} | 0 | derived, see `fitgym.envs.spaces` | points if sigma = 1 |
    | 3 | fatigue | G_{t-1} | 0 | derived, see `fitgym.envs.spaces` | points if sigma = 1 |
    | 4 | the last plan's target, 0 for none | a_{t-1} | 0 | hardest plan | points |
    | 5 | share of days left | (T - t) / T | 0 | 1 | - |

    ## Rewards
    `r_t = (p_t - p_0) + mu 1{plan given and met} - rho max(a_t - x_t, 0)`, performance in VDOT.
    Without a plan neither `mu` nor `rho` counts. A plan is met if `x_t >= a_t`. With
    `utility="planned"`, the paper's reading, the performance predicted for the plan stands in
    place of the realised one on days with a plan. `info["reward_terms"]` holds the three terms.

    ## Starting State
    The individual's `B_0`, `F_0`, `G_0`, with `x` and `a` zero. Under replay, a window of `days`
    consecutive sessions is drawn from the log, and the stocks are those accumulated from the
    start of the log to the start of the window.

    ## Episode End
    The last of `days` days terminates the episode. It is never truncated: the horizon is part of
    the problem, and the days left are observed.

    ## Arguments
    - `stage`: `"acquisition"` or `"retention"`.
    - `individual`: name of a shipped individual, path of a JSON file, or a mapping of the same
      content; an `Individual` is accepted too, though such a specification is no plain text.
    - `adherence`: `"certain"`, `"replay"` or `"package.module:Class"` (see `fitgym.adherence`).
    - `days`: length `T` of an episode, 1 to 3650.
    - `completion_bonus`: `mu` >= 0, reward of a plan met.
    - `shortfall_penalty`: `rho` >= 0, per point planned and not done.
    - `utility`: `"realised"` or `"planned"`.
    - `forbidden_plans`: actions that may not be taken; `info["action_mask"]` shows the others.
    - `log_part`: rows that replay takes its windows from: `"all"`, `"train"` (the first 80 %) or
      `"test"`.
    - `render_mode`: `"ansi"` (one line a day), `"rgb_array"` (a picture of the season so far);
      `"human"` works through Gymnasium's `HumanRendering`.

    `info` holds, after a step: `plan`, `plan_trimp`, `done_trimp`, `completion` (0 without a
    plan), `met`, `base_level`, `fitness`, `fatigue`, `performance`, `reward_terms` and
    `action_mask`; after a reset those of them that describe the person, and the mask.

    ## Version History
    - v0: initial version.

    ## References
    - J. Fang, V. C. S. Lee, H. Wang: Dynamic physical activity recommendation on personalised
      mobile health information service. arXiv 2204.00961, 2022.
    - G. Roels: High-performance practice processes. Management Science 66(4), 2020.
    """

    observation_space: spaces.Box  # type: ignore[assignment]
    action_space: spaces.Discrete
    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(
        self,
        stage: str = "acquisition",
        individual: str | os.PathLike[str] | Mapping[str, Any] | Individual = "recreational-runner",
        adherence: str = "certain",
        days: int = 90,
        completion_bonus: float = 1.0,
        shortfall_penalty: float = 0.05,
        utility: str = "realised",
        forbidden_plans: Sequence[int] = (),
        log_part: str = "all",
        render_mode: str | None = None,
    ) -> None:
        """Build the environment; see the class for the arguments.

        Raises:
            ValueError: If an argument is out of range.
            TypeError: If an argument has the wrong type.
        """
        self.stage = require_choice("stage", stage, ("acquisition", "retention"))
        self.individual = load_individual(individual)
        self.days = require_integer("days", days, 1, 3650)
        require_choice("utility", utility, ("realised", "planned"))
        if render_mode is not None:
            require_choice("render_mode", render_mode, self.metadata["render_modes"])
        self.render_mode = render_mode
        self.adherence = make_adherence(adherence, self.individual, log_part)
        self.parameters = self.individual.stage(stage)

        retention = stage == "retention"
        self.person = kernel.pack_person(
            self.parameters,
            retention=retention,
            days=self.days,
            completion_bonus=require_number("completion_bonus", completion_bonus, 0),
            shortfall_penalty=require_number("shortfall_penalty", shortfall_penalty, 0),
            planned_utility=utility == "planned",
        )
        self._starts = kernel.starting_states(
            self.parameters,
            self.person,
            self.adherence.sessions_trimp,
            self.adherence.start_rows(self.days),
        )
        self._state = np.zeros(1, dtype=kernel.STATE)
        self._outcome = np.zeros(1, dtype=kernel.OUTCOME)
        self._running = False
        self._history: list[dict[str, Any]] = []

        self._targets = (0.0, *self.individual.plans_trimp)
        self._action_mask = np.ones(len(self._targets), dtype=np.int8)
        for plan in forbidden_plans:
            self._action_mask[require_integer("forbidden_plans", plan, 0, 10)] = 0
        if not self._action_mask.any():
            raise ValueError("forbidden_plans must leave at least one of the actions 0 to 10")
        self.action_space = spaces.Discrete(len(self._targets))
        self.observation_space = observation_space(
            self.parameters,
            retention=retention,
            largest_plan_trimp=self.individual.plans_trimp[-1],
            largest_session_trimp=self.adherence.largest_session_trimp,
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: Seed of the environment's generator; None goes on with the present one.
            options: None or empty; there are none.

        Raises:
            ValueError: If ``options`` has any key.
        """
        super().reset(seed=seed)
        if options:
            raise ValueError(f"options has unknown keys {sorted(options)}; there are none")
        key = self.np_random.integers(0, 2**64, dtype=np.uint64)
        kernel.begin(self._state, 0, self._starts, key)
        if isinstance(self.adherence, CustomAdherence):
            self._generator = np.random.default_rng(int(key))
        self._running = True
        self._history.clear()
        state = self._state[0]
        info = {
            "base_level": float(state["base_level"]),
            "fitness": float(state["fitness"]),
            "fatigue": float(state["fatigue"]),
            "performance": kernel.performance_of(self._state, 0, self.person),
            "action_mask": self._action_mask.copy(),
        }
        if self.render_mode is not None:
            self._history.append(info)
        return self._observe(), info

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Push a plan and live through the day.

        Args:
            action: 0 for no plan, 1 to 10 for a plan.

        Returns:
            Observation, reward, terminated (on the last day), truncated (never) and info.

        Raises:
            ResetNeeded: If no episode is running.
            ValueError: If the action is not one of the allowed ones.
            TypeError: If the action is not an integer.
        """
        if not self._running:
            raise ResetNeeded(
                "step was called with no episode running: call reset() first, and again after a "
                "step has returned terminated=True"
            )
        plan = require_integer("action", action, 0, len(self._targets) - 1)
        if not self._action_mask[plan]:
            allowed = np.flatnonzero(self._action_mask).tolist()
            raise ValueError(f"action must be one of {allowed}, got {plan}: the plan is forbidden")
        terminated = self._advance(self._state, self._outcome, self._targets[plan])
        (
            reward,
            performance_term,
            completion_term,
            shortfall_term,
            plan_trimp,
            done_trimp,
            completion,
            met,
            base_level,
            fitness,
            fatigue,
            performance,
        ) = self._outcome.view(np.float64).tolist()
        info = {
            "plan": plan,
            "plan_trimp": plan_trimp,
            "done_trimp": done_trimp,
            "completion": completion,
            "met": met > 0.0,
            "base_level": base_level,
            "fitness": fitness,
            "fatigue": fatigue,
            "performance": performance,
            "reward_terms": {
                "performance": performance_term,
                "completion": completion_term,
                "shortfall": shortfall_term,
            },
            "action_mask": self._action_mask.copy(),
        }
        if self.render_mode is not None:
            self._history.append(info)
        self._running = not terminated
        return self._observe(), reward, terminated, False, info

    @property
    def action_mask(self) -> NDArray[np.int8]:
        """1 for the actions that may be taken and 0 for the forbidden ones, (11,); a copy."""
        return self._action_mask.copy()

    @property
    def running(self) -> bool:
        """Whether an episode is running, so that ``step`` may be called."""
        return self._running

    def preview_reward(self, action: int) -> float:
        """Return the reward that ``action`` would earn today, without taking it.

        It reads the noise of the day, so it is foresight: for references and tests, not for
        agents that are to be compared.

        Raises:
            ResetNeeded: If no episode is running.
            NotImplementedError: If the adherence is not a built-in one.
        """
        if not self._running:
            raise ResetNeeded("preview_reward was called with no episode running: call reset()")
        if isinstance(self.adherence, CustomAdherence):
            raise NotImplementedError("a custom adherence cannot be previewed")
        plan = require_integer("action", action, 0, len(self._targets) - 1)
        outcome = np.zeros_like(self._outcome)
        self._advance(self._state.copy(), outcome, self._targets[plan])
        return float(outcome["reward"][0])

    def render(self) -> Any:
        """Return the season so far: a line a day, or a picture (H, W, 3) of uint8.

        Raises:
            ResetNeeded: If no episode was started.
        """
        if self.render_mode is None:
            gym.logger.warn(
                "render was called without a render_mode: give one to gym.make, for example "
                f'gym.make("{self.spec.id if self.spec else "..."}", render_mode="rgb_array")'
            )
            return None
        if not self._history:
            raise ResetNeeded("render was called before reset()")
        if self.render_mode == "ansi":
            return render.text(self._history)
        title = f"{self.individual.name}, {self.stage}"
        return render.picture(self._history, days=self.days, title=title)

    def _advance(
        self, state: NDArray[np.void], outcome: NDArray[np.void], plan_trimp: float
    ) -> bool:
        """Move ``state`` on by a day, fill in ``outcome`` and return whether it was the last."""
        if isinstance(self.adherence, CustomAdherence):
            now = state[0]
            response = self.adherence.respond(
                Situation(
                    day=int(now["day"]),
                    plan_trimp=plan_trimp,
                    intensity=float(now["intensity"]),
                    base_level=float(now["base_level"]),
                    fitness=float(now["fitness"]),
                    fatigue=float(now["fatigue"]),
                    generator=self._generator,
                )
            )
            return kernel.step_with_response(
                state,
                outcome,
                self.person,
                0,
                plan_trimp,
                require_number(
                    "the adherence's intensity",
                    response.intensity,
                    0,
                    self.adherence.largest_session_trimp,
                ),
                bool(response.met) and plan_trimp > 0,
            )
        return kernel.step(
            state,
            outcome,
            self.person,
            0,
            plan_trimp,
            self.adherence.code,
            self.adherence.sessions_trimp,
        )

    def _observe(self) -> Observation:
        observation = np.empty(6, dtype=np.float32)
        kernel.observe(self._state, 0, self.days, observation[None])
        return observation

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

from fitgym.adherence import CustomAdherence, Situation
from fitgym.adherence.fitrec import FitRecAdherence, SessionTrace
from fitgym.common.validation import require_choice, require_number
from fitgym.envs import kernel, render
from fitgym.envs.records import OUTCOME, STATE
from fitgym.envs.task import OBSERVATIONS, Task
from fitgym.people.individual import Individual, load_individual
from fitgym.people.population import Population

__all__ = ["FitnessFatigueEnv"]

Observation = NDArray[np.float32]


class FitnessFatigueEnv(gym.Env[Observation, Any]):
    """Exercise recommendation to one person as a finite-horizon Markov decision process.

    ## Description
    Every day a service pushes one of ten exercise plans, or none, to a person. What the person
    really does builds fitness and fatigue, and performance is their weighted difference. The
    service is to make the season's performance high with plans that are carried out. Fang, Lee
    and Wang 2022 (arXiv 2204.00961) define the process in two stages: in **acquisition** the
    stocks add up, in **retention** they compound. `docs/model.md` has every equation.

    | id | stage | adherence | plans | reward |
    |---|---|---|---|---|
    | `fitgym/Acquisition-v0` | acquisition | FitRec | ten | realised, mu = 1, rho = 0.05 |
    | `fitgym/Retention-v0` | retention | FitRec | ten | realised, mu = 1, rho = 0.05 |
    | `fitgym/AcquisitionContinuous-v0` | acquisition | FitRec | any | the same |
    | `fitgym/RetentionContinuous-v0` | retention | FitRec | any | the same |
    | `fitgym/AcquisitionReplay-v0` | acquisition | replay | ten | planned, mu = 60, rho = 2 |
    | `fitgym/RetentionReplay-v0` | retention | replay | ten | planned, mu = 60, rho = 2 |

    Under **FitRec** adherence a pretrained network predicts the heart rate of the session asked
    for, after the last session really done. The person stops when the internal load so far
    exceeds what is tolerated that day, which depends on base level, fatigue, noise and a hidden
    motivation; failure lowers motivation, success raises it. Without a plan the person may train
    by habit. The network's answers stand in a table, so a step never calls torch. Under
    **replay** adherence, the paper's protocol, what happens is read from the log: a plan changes
    the reward of its day and nothing else. That is a contextual bandit, not a control problem,
    and its exact optimum is the best plan of each day (see `fitgym.planning.one_step`). Under
    **certain** adherence every plan is done exactly.

    ## Action Space
    `Discrete(11)`: 0 is no plan; 1 to 10 are the individual's plans from the easiest to the
    hardest, by default 1.8, 7, 12.2, 17.4, 22.6, 27.8, 33, 38.2, 43.4 and 48.6 TRIMP points.
    Continuous: `Box(-1, 1, (1,))`, read as 0 to the hardest plan in points; below half the
    easiest plan there is no plan. Between two plans the load is interpolated between theirs at
    equal share of the session, which is an approximation.

    ## Observation Space
    `Box` of float32 numbers in natural units. With `observation="state"`:

    | index | observation | symbol | min | max | unit |
    |---|---|---|---|---|---|
    | 0 | intensity of the last day | x_{t-1} | 0 | hardest session or plan | points |
    | 1 | base level | B_t | 1 | larger of B_0 and the hardest session | points |
    | 2 | fitness | F_{t-1} | 0 | derived, see `fitgym.envs.spaces` | points if sigma = 1 |
    | 3 | fatigue | G_{t-1} | 0 | derived, see `fitgym.envs.spaces` | points if sigma = 1 |
    | 4 | the last plan's target, 0 for none | a_{t-1} | 0 | hardest plan | points |
    | 5 | share of days left | (T - t) / T | 0 | 1 | - |

    `observation="full"` adds the motivation m_t, derived bounds. `observation="wearable"` is what
    a watch sees, and no Markov state:

    | index | observation | min | max | unit |
    |---|---|---|---|---|
    | 0 | intensity of the last day | 0 | hardest session or plan | points |
    | 1 | its completion, 0 without a plan | 0 | 1 | - |
    | 2 | mean heart rate of the last session | 0 | 220 | bpm |
    | 3 | internal load of the last session | 0 | longest plan at maximum heart rate | - |
    | 4 | days since that session | 0 | T + 1 | days |
    | 5 | share of days left | 0 | 1 | - |

    ## Rewards
    `r_t = (p_t - p_0) + mu 1{plan given and met} - rho max(a_t - x_t, 0)`, performance in VDOT.
    Without a plan neither `mu` nor `rho` counts. A plan is met if it was completed, in replay if
    `x_t >= a_t`. With `utility="planned"`, the paper's reading, the performance predicted for the
    plan stands in place of the realised one on days with a plan. `info["reward_terms"]` holds the
    three terms; they sum to the reward.

    ## Starting State
    The individual's `B_0`, `F_0`, `G_0`, no last session, and a motivation drawn around zero.
    Under replay, a window of `days` consecutive sessions is drawn from the log, and the stocks
    are those accumulated from the start of the log to the start of the window.

    ## Episode End
    The last of `days` days terminates the episode. It is never truncated: the horizon is part of
    the problem, and the days left are observed.

    ## Arguments
    - `stage`: `"acquisition"` or `"retention"`.
    - `individual`: name of a shipped individual, path of a JSON file, or a mapping of the same
      content; `"population"` draws somebody new at every reset; an `Individual` is accepted too,
      though such a specification is no plain text.
    - `adherence`: `"fitrec"`, `"replay"`, `"certain"` or `"package.module:Class"` (see
      `fitgym.adherence`).
    - `predictor`: `"fitrec"`, or `"ode"` for a physiological equation, under FitRec adherence.
    - `days`: length `T` of an episode, 1 to 3650.
    - `completion_bonus`: `mu` >= 0, reward of a plan met.
    - `shortfall_penalty`: `rho` >= 0, per point planned and not done.
    - `utility`: `"realised"` or `"planned"`.
    - `observation`: `"state"`, `"full"` or `"wearable"`; the last two need FitRec adherence.
    - `continuous`: whether plans are continuous.
    - `forbidden_plans`: actions that may not be taken; `info["action_mask"]` shows the others.
    - `log_part`: rows that replay takes its windows from: `"all"`, `"train"` (the first 80 %) or
      `"test"`.
    - `render_mode`: `"ansi"` (one line a day), `"rgb_array"` (a picture of the season so far and
      of the last session's heart rate); `"human"` works through Gymnasium's `HumanRendering`.

    `reset(options={"individual": ...})` changes the person for one episode.

    `info` holds, after a step: `plan`, `plan_trimp`, `done_trimp`, `completion` (0 without a
    plan), `met`, `base_level`, `fitness`, `fatigue`, `performance`, `reward_terms` and
    `action_mask`; after a reset those of them that describe the person, and the mask. FitRec
    adherence adds `motivation` and, on days with a session, `mean_heart_rate` and
    `internal_load`. With continuous plans there are no `plan` and `action_mask`.

    ## Version History
    - v0: initial version.

    ## References
    - J. Fang, V. C. S. Lee, H. Wang: Dynamic physical activity recommendation on personalised
      mobile health information service. arXiv 2204.00961, 2022.
    - J. Ni, L. Muhlstein, J. McAuley: Modeling heart rate and activity data for personalized
      fitness recommendation. WWW 2019.
    - G. Roels: High-performance practice processes. Management Science 66(4), 2020.
    """

    observation_space: spaces.Box  # type: ignore[assignment]
    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(
        self,
        stage: str = "acquisition",
        individual: str | os.PathLike[str] | Mapping[str, Any] | Individual = "recreational-runner",
        adherence: str = "fitrec",
        predictor: str = "fitrec",
        days: int = 90,
        completion_bonus: float = 1.0,
        shortfall_penalty: float = 0.05,
        utility: str = "realised",
        observation: str = "state",
        continuous: bool = False,
        forbidden_plans: Sequence[int] = (),
        log_part: str = "all",
        render_mode: str | None = None,
    ) -> None:
        """Build the environment; see the class for the arguments.

        Raises:
            ValueError: If an argument is out of range.
            TypeError: If an argument has the wrong type.
        """
        self.task = Task(
            stage=stage,
            adherence=adherence,
            predictor=predictor,
            days=days,
            completion_bonus=completion_bonus,
            shortfall_penalty=shortfall_penalty,
            utility=utility,
            observation=observation,
            continuous=continuous,
            forbidden_plans=forbidden_plans,
            log_part=log_part,
        )
        if render_mode is not None:
            require_choice("render_mode", render_mode, self.metadata["render_modes"])
        self.render_mode = render_mode
        self.population = Population() if individual == "population" else None
        self._default_individual = (
            self.population.typical() if self.population else load_individual(individual)
        )
        people = self.population.extremes() if self.population else (self._default_individual,)
        self._meet(self._default_individual)
        self.observation_space = self.task.observation_space(self.task.everybody(people))
        self.action_space = self.task.action_space()
        self._action_mask = self.task.action_mask()

        self._state = np.zeros(1, dtype=STATE)
        self._outcome = np.zeros(1, dtype=OUTCOME)
        self._running = False
        self._history: list[dict[str, Any]] = []
        self._trace: SessionTrace | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: Seed of the environment's generator; None goes on with the present one.
            options: May hold ``individual``, in any form that the constructor takes: the person
                of this episode alone.

        Raises:
            ValueError: If ``options`` has any other key, or the individual does not fit into the
                observation space.
        """
        super().reset(seed=seed)
        unknown = sorted(set(options or {}) - {"individual"})
        if unknown:
            raise ValueError(f"options has unknown keys {unknown}; allowed is 'individual'")
        # The key is drawn before the person, so that an episode's noise does not depend on who.
        key = self.np_random.integers(0, 2**64, dtype=np.uint64)
        if options and "individual" in options:
            individual = load_individual(options["individual"])
            self.task.require_room(individual, self.observation_space)
        elif self.population is not None:
            individual = self.population.draw(self.np_random)
        else:
            individual = self._default_individual
        if individual is not self.individual:
            self._meet(individual)
        kernel.begin(self._state, self.person, 0, self._starts, key)
        if isinstance(self.adherence, CustomAdherence):
            self._generator = np.random.default_rng(int(key))
        self._running = True
        self._history.clear()
        self._trace = None
        state = self._state[0]
        info: dict[str, Any] = {
            "base_level": float(state["base_level"]),
            "fitness": float(state["fitness"]),
            "fatigue": float(state["fatigue"]),
            "performance": kernel.performance_of(self._state, 0, self.person),
        }
        if self.adherence.has_motivation:
            info["motivation"] = float(state["motivation"])
        if not self.task.continuous:
            info["action_mask"] = self._action_mask.copy()
        if self.render_mode is not None:
            self._history.append(info)
        return self._observe(), info

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Push a plan and live through the day.

        Args:
            action: 0 for no plan, 1 to 10 for a plan; with continuous plans an array (1,) in
                [-1, 1].

        Returns:
            Observation, reward, terminated (on the last day), truncated (never) and info.

        Raises:
            ResetNeeded: If no episode is running.
            ValueError: If the action is not one of the allowed ones.
            TypeError: If the action has the wrong type.
        """
        if not self._running:
            raise ResetNeeded(
                "step was called with no episode running: call reset() first, and again after a "
                "step has returned terminated=True"
            )
        asked_trimp = self.task.target_trimp(action, self._targets, self._action_mask)
        if self.render_mode is not None:
            history, days_since = self._state[["history", "days_since"]][0].item()
        terminated = self._advance(self._state, self._outcome, asked_trimp)
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
            motivation,
            mean_heart_rate,
            internal_load,
        ) = self._outcome.view(np.float64).tolist()
        info: dict[str, Any] = {
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
        }
        if self.adherence.has_motivation:
            info["motivation"] = motivation
        if self.adherence.has_heart_rate and done_trimp > 0.0:
            info["mean_heart_rate"] = mean_heart_rate
            info["internal_load"] = internal_load
        if not self.task.continuous:
            info["plan"] = int(action)
            info["action_mask"] = self._action_mask.copy()
        if self.render_mode is not None:
            self._history.append(info)
            if isinstance(self.adherence, FitRecAdherence) and done_trimp > 0.0:
                self._trace = self.adherence.last_session(
                    history, days_since, plan_trimp, done_trimp
                )
        self._running = not terminated
        return self._observe(), reward, terminated, False, info

    @property
    def stage(self) -> str:
        """``"acquisition"`` or ``"retention"``."""
        return self.task.stage

    @property
    def days(self) -> int:
        """``T``, length of an episode."""
        return self.task.days

    @property
    def action_mask(self) -> NDArray[np.int8]:
        """1 for the actions that may be taken and 0 for the forbidden ones, (11,); a copy."""
        return self._action_mask.copy()

    @property
    def running(self) -> bool:
        """Whether an episode is running, so that ``step`` may be called."""
        return self._running

    @property
    def state(self) -> NDArray[np.void]:
        """What an episode carries along, hidden motivation included, dtype ``STATE`` (1,); a copy.

        For privileged references and tests, not for agents that are to be compared.
        """
        return self._state.copy()

    def preview_reward(self, action: Any) -> float:
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
        asked_trimp = self.task.target_trimp(action, self._targets, self._action_mask)
        outcome = np.zeros_like(self._outcome)
        self._advance(self._state.copy(), outcome, asked_trimp)
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
        title = f"{self.individual.name}, {self.task.stage}"
        return render.picture(self._history, self._trace, days=self.task.days, title=title)

    def _meet(self, individual: Individual) -> None:
        """Make ``individual`` the person of the episodes to come."""
        person = self.task.meet(individual)
        self.individual = individual
        self.adherence = person.adherence
        self.parameters = person.parameters
        self.person = person.record
        self._starts = person.starts
        self._targets = person.targets_trimp

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
            self.adherence.tables,
        )

    def _observe(self) -> Observation:
        kind, width = OBSERVATIONS[self.task.observation]
        observation = np.empty((1, width), dtype=np.float32)
        kernel.observe(self._state, 0, self.task.days, kind, observation)
        return observation.reshape(width)

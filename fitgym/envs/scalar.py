"""The scalar environment: one person, one step at a time."""

from __future__ import annotations

import copy
from typing import Any, Self, Unpack

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from numpy.typing import NDArray

from fitgym.adherence import Adherence
from fitgym.common.validation import require_integer
from fitgym.envs import kernel
from fitgym.envs.actions import read_action, read_continuous_action
from fitgym.envs.context import complete
from fitgym.envs.cost import CostMeter
from fitgym.envs.custom import respond
from fitgym.envs.infos import NO_PLAN, single_info, vector_rewards
from fitgym.envs.records import OUTCOME, STATE
from fitgym.envs.render import EpisodeRenderer
from fitgym.envs.setting import RENDER_FPS, RENDER_MODES, IndividualLike, Setting
from fitgym.envs.task import OBSERVATIONS, TaskArguments
from fitgym.model.noise import split_mix
from fitgym.people.individual import Individual, StageParameters

Observation = NDArray[np.float32]

# Which of the environments of a batch of one.
_ONLY = np.ones(1, dtype=np.bool_)


class FitnessFatigueEnv(Setting, gym.Env[Observation, Any]):
    """Exercise recommendation to one person as a finite-horizon Markov decision process.

    ## Description
    Every step is a day, on which a service pushes one of ten exercise plans, or none, to a person.
    What the person really does builds fitness and fatigue, and performance is their weighted
    difference. The service is to make performance high over the episode with plans that are carried
    out. Fang, Lee
    and Wang 2022 (arXiv 2204.00961) define the process in two stages: in **acquisition** the
    stocks add up, in **retention** they compound. `docs/model.md` has every equation.

    | id | stage | adherence | plans | reward |
    |---|---|---|---|---|
    | `fitgym/Acquisition-v1` | acquisition | FitRec, v1 | ten | realised, mu = 0.3, rho = 0.02 |
    | `fitgym/Retention-v1` | retention | FitRec, v1 | ten | realised, mu = 0.25, rho = 0.02 |
    | `fitgym/AcquisitionContinuous-v1` | acquisition | FitRec, v1 | any | as with ten plans |
    | `fitgym/RetentionContinuous-v1` | retention | FitRec, v1 | any | as with ten plans |
    | `fitgym/Acquisition-v0` | acquisition | FitRec | ten | realised, mu = 1, rho = 0.05 |
    | `fitgym/Retention-v0` | retention | FitRec | ten | realised, mu = 1, rho = 0.05 |
    | `fitgym/AcquisitionContinuous-v0` | acquisition | FitRec | any | the same |
    | `fitgym/RetentionContinuous-v0` | retention | FitRec | any | the same |
    | `fitgym/AcquisitionReplay-v0` | acquisition | replay | ten | planned, mu = 60, rho = 2 |
    | `fitgym/RetentionReplay-v0` | retention | replay | ten | planned, mu = 60, rho = 2 |

    Under **FitRec** adherence a pretrained network predicts the heart rate of the session asked
    for. The person stops when the internal load so far exceeds what is tolerated that day, which
    depends on base level, fatigue, noise and a hidden motivation; failure lowers motivation,
    success raises it. Without a plan the person may train by habit. In version 1 the network is
    told resting and maximum heart rate, gender, today's VDOT and the last session, a heart beats
    differently from day to day and from person to person, and tolerance does not know the heart:
    who a person is and how fit today decides what is managed. In version 0 it is told the last
    session alone, and tolerance is in terms of the person's own prediction, so that the heart
    decides nothing. The network's answers stand in a table, so a step never calls torch. Under
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

    `observation="full"` adds the motivation m_t, derived bounds. `observation="person"` adds to
    the state what a service knows, so that one policy can serve everyone:

    | index | observation | min | max | unit |
    |---|---|---|---|---|
    | 6 | yesterday's reward, 0 after a reset | derived | derived | - |
    | 7 | yesterday's mean heart rate, 0 without a session | 0 | 230, in v0 220 | bpm |
    | 8 | yesterday's internal load per point done, 0 without a session | 0 | 1000 | 1/point |
    | 9 | VDOT as the service estimates it | 15 | 90 | VDOT |
    | 10 | resting heart rate | 30 | 110 | bpm |
    | 11 | maximum heart rate | 120 | 230 | bpm |
    | 12 | gender: 0 male, 1 female, 0.5 unknown | 0 | 1 | - |
    | 13 | probability of a session on a day without a service | 0 | 1 | - |
    | 14 | median of those sessions | 0 | 2000 | points |

    `observation="wearable"` is what a watch sees, and no Markov state:

    | index | observation | min | max | unit |
    |---|---|---|---|---|
    | 0 | intensity of the last day | 0 | hardest session or plan | points |
    | 1 | its completion, 0 without a plan | 0 | 1 | - |
    | 2 | mean heart rate of the last session | 0 | 230, in v0 220 | bpm |
    | 3 | internal load of the last session | 0 | derived from the longest plan | - |
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
    - `individual`: name of a shipped individual, path of a JSON file, a mapping of the same
      content, or an `Individual`; `"population"` draws another one at every reset,
      `"population:train"`, `"population:validation"` and `"population:test"` one of the people
      of a fixed split (`fitgym.people.splits`).
    - `adherence`: `"fitrec2"` (version 1), `"fitrec"` (version 0), `"replay"`, `"certain"` or
      `"package.module:Class"` (see `fitgym.adherence`).
    - `predictor`: of heart rate, under FitRec adherence; None for the model's own. Version 1 has
      `"fitrec2"`, `"equation"` (what the network corrects, alone), `"stranger"` (the network
      told no attribute) and `"linear"` (a straight line from speed), version 0
      `"fitrec"` and `"ode"` (a physiological equation).
    - `days`: length `T` of an episode, 1 to 3650.
    - `completion_bonus`: `mu` in [0, 1e6], reward of a plan met.
    - `shortfall_penalty`: `rho` in [0, 1e6], per point planned and not done.
    - `utility`: `"realised"` or `"planned"`.
    - `observation`: `"state"`, `"full"`, `"wearable"` or `"person"`; all but the first need FitRec
      adherence.
    - `continuous`: whether plans are continuous.
    - `forbidden_plans`: actions that may not be taken; `info["action_mask"]` and `action_masks()`
      show the others.
    - `forbidden`: what a forbidden action does: with `"error"` it raises one, with `"nearest"` the
      hardest allowed plan that is easier is pushed, no plan included, or the easiest allowed one
      where there is none; `info["asked_plan"]` then holds the action.
    - `log_part`: rows that replay takes its windows from: `"all"`, `"train"` (the first 80 %) or
      `"test"`.
    - `uptake`, `habituation`, `burden`: under FitRec adherence, how a push acts beyond what it asks
      for (`fitgym.envs.effects`): the probability in [0, 1] that it is taken up at all, by how much
      the log of that falls with each recent push (0 to 10), and the motivation that a push costs
      (0 to 1). By default every plan is taken up and costs nothing. The count of recent pushes is
      not observed.
    - `effect`: `"heartsteps"` or `"pearl"` sets the three to what lets a simulated trial return a
      published effect; None for the three.
    - `reward`: `"scalar"`, or `"vector"` for an array (3,) of its terms performance, completion and
      shortfall, whose sum it is: the form of MO-Gymnasium, with `reward_space` and `reward_dim`.
    - `cost`: whether infos tell the `cost` of each day, for agents that have to keep a limit
      (`docs/cost.md`). Keeping four weeks of everybody's load makes steps slower.
    - `render_mode`: `"ansi"` (one line a day), `"rgb_array"` (a picture of the episode so far and
      of the last session's heart rate); `"human"` works through Gymnasium's `HumanRendering`.

    `reset(options={"individual": ...})` changes the person for one episode. The observation space
    is that of the individual, or the population, that the environment was made with: a person who
    can reach more is refused. One runner's space rarely holds another's; the population's holds
    most.

    ## Info
    The same keys with the same types after every reset and step: `plan` and `action_mask` (not with
    continuous plans), `asked_plan` (with `forbidden="nearest"`), `plan_trimp`, `done_trimp`,
    `completion` (0 without a plan), `met`, `base_level`, `fitness`, `fatigue`, `performance`,
    `reward_terms`, under FitRec adherence `motivation`, `mean_heart_rate` and `internal_load` (both
    0 on days without a session), and with `cost=True` `cost`: by how much the acute:chronic
    workload ratio of this episode's days exceeds 1.3. After a reset there was no day yet: plans are
    -1, `met` is False, `cost` is 0, and what a day brings is NaN.

    ## Copies
    An episode's noise depends on a key that is drawn at its reset, so a plain copy has the same
    future: whoever plans by simulating on such copies knows what will happen. `branch(seed)`
    returns a copy in the same state with another future; assigning a copy another `np_random` does
    the same to it.

    ## Version History
    - v1 (fitgym 0.2.0): adherence by a heart that is known (`docs/model.md`), runners of its own
      (`novice-runner`, `club-runner`, `competitive-runner`, `logged-runner`, and another
      population), effects as large as those of training studies, and a completion bonus at which
      the best fixed plan by return is the best by VDOT. Replay stays at v0.
    - v0 (fitgym 0.1.0): initial version; unchanged to the bit since.

    ## References
    - J. Fang, V. C. S. Lee, H. Wang: Dynamic physical activity recommendation on personalised
      mobile health information service. arXiv 2204.00961, 2022.
    - J. Ni, L. Muhlstein, J. McAuley: Modeling heart rate and activity data for personalized
      fitness recommendation. WWW 2019.
    - G. Roels: High-performance practice processes. Management Science 66(4), 2020.
    """

    observation_space: spaces.Box  # type: ignore[assignment]
    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": RENDER_FPS}  # noqa: RUF012

    def __init__(
        self,
        *,
        individual: IndividualLike = "recreational-runner",
        render_mode: str | None = None,
        **task: Unpack[TaskArguments],
    ) -> None:
        """Build the environment; see the class for the arguments.

        Raises:
            ValueError: If an argument is out of range.
            TypeError: If an argument is unknown or has the wrong type.
        """
        super().__init__(individual, render_mode, task)
        self.observation_space = self._box
        self.action_space = self.task.action_space()
        self._person = self._usual
        self._pushed_plans: list[int] = self._pushed.tolist()
        self._state = np.zeros(1, dtype=STATE)
        self._outcome = np.zeros(1, dtype=OUTCOME)
        self._cost_meter = CostMeter(1) if self.task.cost else None
        self._running = False
        self._renderer = EpisodeRenderer(render_mode, self.task) if render_mode else None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: Seed of the environment's generator; None goes on with the present one.
            options: May hold ``individual``, in any form that the constructor takes: the person
                of this episode alone.

        Raises:
            ValueError: If the seed is negative, ``options`` has any other key, or the individual
                does not fit into the observation space.
            TypeError: If the seed is no integer.
        """
        # Everything is checked before the generator is seeded.
        if seed is not None:
            seed = require_integer("seed", seed, 0)
        individual = self._other_individual(options)
        person = None if individual is None else self.task.prepare(individual)
        super().reset(seed=seed)
        # The key is drawn before the person, so that an episode's noise does not depend on who.
        key = self._next_key()
        if person is None:
            person = self._usual
            if self.population is not None:
                person = self.task.prepare(self.population.draw(self.np_random))
        self._person = person
        kernel.begin_batch(
            self._state, self._outcome, person.record, _ONLY, person.starts, np.array([key])
        )
        if self._cost_meter is not None:
            self._cost_meter.begin(_ONLY)
        self._begin_noise(key)
        self._running = True
        if self._renderer is not None:
            self._renderer.begin(self._outcome[0], person)
        return self._observe(), self._info(NO_PLAN, NO_PLAN)

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Push a plan and take a step.

        Args:
            action: 0 for no plan, 1 to 10 for a plan; with continuous plans an array (1,) in
                [-1, 1].

        Returns:
            Observation, reward (a number, or with vector rewards an array (3,)), terminated (on the
            last day), truncated (never) and info.

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
        plan, plan_trimp = self._read(action)
        before = self._state.copy() if self._renderer else None
        terminated = self._advance(self._state, self._outcome, plan_trimp)
        if self._cost_meter is not None:
            self._cost_meter.add(self._state, _ONLY)
        if self._renderer is not None and before is not None:
            self._renderer.add(self._outcome[0], plan, before[0])
        self._running = not terminated
        asked = plan if self.task.continuous else int(action)
        reward: Any = float(self._outcome["reward"][0])
        if self.task.reward == "vector":
            reward = vector_rewards(self._outcome, self._state["day"])[0]
        return self._observe(), reward, terminated, False, self._info(plan, asked)

    def branch(self, seed: int | None = None) -> Self:
        """Return a copy in the same state with another future, for planning by simulation.

        A plain copy has the noise that the original is going to have: a search over plain copies
        knows the future, and earns what no policy can. Under replay the sessions to come are those
        of the log in a branch, too.

        Args:
            seed: Seed of the copy's generator, for the steps and episodes to come; None for a
                random one.

        Raises:
            ValueError: If the seed is negative.
            TypeError: If the seed is no integer.
        """
        if seed is not None:
            seed = require_integer("seed", seed, 0)
        twin = copy.deepcopy(self)
        twin.np_random, twin._np_random_seed = seeding.np_random(seed)
        return twin

    @property
    def np_random(self) -> np.random.Generator:
        """The environment's generator.

        Assigning another in the middle of an episode draws the noise of the steps to come anew.
        """
        return super().np_random

    @np_random.setter
    def np_random(self, generator: np.random.Generator) -> None:
        self._np_random, self._np_random_seed = generator, -1
        if self._running:
            # Mixed, for the generator may be seeded as the episode's own was.
            key = split_mix(self._next_key(), 0)
            self._state["key"] = key
            self._begin_noise(key)

    @property
    def individual(self) -> Individual:
        """Who lives through the episode."""
        return self._person.individual

    @property
    def adherence(self) -> Adherence:
        """The individual's adherence model."""
        return self._person.adherence

    @property
    def parameters(self) -> StageParameters:
        """The individual's parameters of the task's stage."""
        return self._person.parameters

    @property
    def person(self) -> NDArray[np.void]:
        """What the compiled step knows of the individual, dtype ``PERSON`` (1,)."""
        return self._person.record

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

    def action_masks(self) -> NDArray[np.bool_]:
        """Return which actions may be taken, (11,), as sb3-contrib's ``MaskablePPO`` asks."""
        return self._action_mask.astype(np.bool_)

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
        if not self.adherence.compiled:
            raise NotImplementedError("a custom adherence cannot be previewed")
        outcome = np.zeros_like(self._outcome)
        self._advance(self._state.copy(), outcome, self._read(action)[1])
        return float(outcome["reward"][0])

    def render(self) -> Any:
        """Return the episode so far: a line a day, or a picture (H, W, 3) of uint8.

        Raises:
            ResetNeeded: If no episode was started.
        """
        return self._renderer.render() if self._has_render_mode() and self._renderer else None

    def _next_key(self) -> np.uint64:
        """Draw a key, on which all noise of the steps to come depends."""
        return self.np_random.integers(0, 2**64, dtype=np.uint64)

    def _begin_noise(self, key: np.uint64) -> None:
        """Give an adherence model in Python its random numbers of the steps to come."""
        if not self.adherence.compiled:
            self._noise = np.random.default_rng(int(key))

    def _read(self, action: Any) -> tuple[int, float]:
        """Return number, ``NO_PLAN`` with continuous plans, and points of the plan pushed."""
        targets = self._person.targets_trimp
        if self.task.continuous:
            return NO_PLAN, read_continuous_action(action, targets)
        return read_action(action, self._pushed_plans, targets)

    def _advance(
        self, state: NDArray[np.void], outcome: NDArray[np.void], plan_trimp: float
    ) -> bool:
        """Take a step from ``state``, fill in ``outcome``, return whether the episode is over."""
        person, adherence = self._person.record, self._person.adherence
        if adherence.compiled:
            return kernel.step(
                state, outcome, person, 0, plan_trimp, adherence.code, adherence.tables
            )
        response = respond(adherence, state[0], plan_trimp, self._noise)
        return kernel.step_with_response(
            state, outcome, person, 0, plan_trimp, response.intensity, response.met
        )

    def _info(self, plan: int, asked: int) -> dict[str, Any]:
        """Return what the last step, or the reset, brought.

        Args:
            plan: Number of the plan that was pushed.
            asked: Number of the plan that was asked for.
        """
        info = single_info(self._outcome, self._info_numbers)
        if self._cost_meter is not None:
            info["cost"] = self._cost_meter.costs.item()
        if not self.task.continuous:
            info["plan"] = plan
            info["action_mask"] = self._action_mask.copy()
            if self.task.forbidden == "nearest":
                info["asked_plan"] = asked
        return info

    def _observe(self) -> Observation:
        kind, width = OBSERVATIONS[self.task.observation]
        observation = np.empty((1, width), dtype=np.float32)
        kernel.observe(self._state, 0, self.task.days, kind, observation)
        if self.task.observation == "person":
            complete(observation, self._outcome, self._person.context[None])
        return observation.reshape(width)

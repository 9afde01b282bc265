from __future__ import annotations

import numpy as np
import pytest
import torch

from fitgym.logs.workout import Workout
from fitgym.predictor.datasets import Vocabulary
from fitgym.predictor.fitrec.network import FitRecConfig, FitRecNetwork
from fitgym.predictor.simulator.workouts import SimulatorConfig, simulate_workouts

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def workouts() -> list[Workout]:
    """Return short simulated workouts, three of each of ten people."""
    return simulate_workouts(SimulatorConfig(people=10, workouts=3, longest_steps=48, seed=3))


@pytest.fixture(scope="session")
def model() -> FitRecNetwork:
    """Return an untrained network whose every weight matters."""
    torch.manual_seed(0)
    network = FitRecNetwork(FitRecConfig(attributes=Vocabulary().sizes))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network.eval()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)

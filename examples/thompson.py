"""Thompson sampling (Agrawal and Goyal 2013): the plan that is best under a drawn linear model."""

import numpy as np
from linucb import LinUCB, features_of


class Thompson(LinUCB):
    """Draws each plan's model from its posterior and pushes the plan that is best under it."""

    name = "Thompson sampling"

    def __init__(self, deviation=5.0):
        super().__init__()
        self.deviation = deviation

    def explore(self, features, generator):
        means, inverse = self.models()
        noise = generator.normal(size=(len(features), *means.shape))
        spread = np.einsum("aij,naj->nai", np.linalg.cholesky(inverse), noise)
        drawn = means + self.deviation * spread
        return np.einsum("nai,ni->na", drawn, features).argmax(axis=1)

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        if deterministic:
            return super().predict(observation, state, episode_start)
        # The state is the generator, so that every evaluation draws the same.
        generator = np.random.default_rng(0) if state is None else state
        return self.explore(features_of(observation), generator), generator

    def configuration(self):
        return {"deviation": self.deviation}

"""Gymnasium environments for personalised exercise recommendation.

Importing the package registers every environment and loads nothing heavy: the compiled kernel,
the figures and the predictor come with the first environment or command that needs them.
"""

from fitgym.envs.registration import register_environments

__version__ = "0.2.0"

register_environments()

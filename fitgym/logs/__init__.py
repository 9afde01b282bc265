"""Readers of training logs and recorded workouts; all return the same records."""

from fitgym.logs.training_log import TrainingLog, load_marathon_log, read_training_log

__all__ = ["TrainingLog", "load_marathon_log", "read_training_log"]

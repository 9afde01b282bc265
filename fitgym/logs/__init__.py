"""Training logs: what a runner did, read from files and from the data shipped here."""

from fitgym.logs.training_log import TrainingLog, load_marathon_log, read_training_log

__all__ = ["TrainingLog", "load_marathon_log", "read_training_log"]

"""From somebody's training history to an individual, with intervals and today's state."""

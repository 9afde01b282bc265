"""How fast environments and learners are, as ratios taken in one run."""

"""Deep recurrent Q-learning (Hausknecht and Stone 2015)."""

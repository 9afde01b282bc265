"""The equations of people, without state: fitness, fatigue, VDOT, TRIMP, plans, noise."""

"""Agents that do not learn: rules, fixed plans, planners."""

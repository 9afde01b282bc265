"""Agents that learn while they serve, on people who live one season each, and who serve them."""

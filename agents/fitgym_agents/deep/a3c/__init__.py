"""Recurrent A3C (Mnih et al. 2016, Fang et al. 2022)."""

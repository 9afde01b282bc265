"""Recurrent ACKTR (Wu et al. 2017)."""

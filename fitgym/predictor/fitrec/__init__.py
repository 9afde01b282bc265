"""The FitRec network: training, weights, inference."""

"""FitRec-Attn, the network that forecasts ten seconds ahead."""

"""Heart-rate prediction: FitRec, the physiological simulator, training and inference.

``fitgym.predictor.sessions`` holds the records and the interface that every predictor of heart rate
follows; ``inference`` loads the trained network, ``ode`` is the physiological equation behind the
same interface. Only the modules that compute with the network import torch.
"""

"""Planning with the model: dynamic programming, belief about motivation, reference scores."""

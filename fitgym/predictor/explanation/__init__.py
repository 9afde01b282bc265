"""What the heart-rate predictors go by: importance of inputs, attention, partial responses."""

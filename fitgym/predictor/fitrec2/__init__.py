"""FitRec, second edition: what is known of the body, on top of expected physiology."""

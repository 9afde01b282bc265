"""What each benchmark runs."""

"""A season in the browser: one page in which the environment's own compiled step runs."""

"""Virtual people's training histories: what a log and a watch would hold of them."""

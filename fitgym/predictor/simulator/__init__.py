"""Virtual people and their recorded workouts, to pre-train the network on."""

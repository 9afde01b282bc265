"""The environments: one compiled step, and the classes that give it to Gymnasium."""

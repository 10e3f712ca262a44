"""The parts of a deployment, in the order in which they build on each other."""

"""The parts of an environment, one module each; `deployment.PARTS` has them in the order in which they build."""

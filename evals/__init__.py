"""Evaluation: suites, scorers, the runner and its reports, with people's decisions as the ground truth.

The runner and the first suites come with the agents step.
"""

"""Decides what to ask and what may be said: graph, planner, verification, threads."""

"""One module per family of scores; each registers what it computes.

Door: `tools.scores.registry`.
"""

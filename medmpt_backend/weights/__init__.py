"""Weights as files: reading safely, importing the released ones, publishing, parity.

Door: `medmpt_backend.weights.checkpoint`.
"""

"""Reports measured as claims: what a text says of each finding, with polarity and side.

Door: `medmpt_backend.evaluation.text.claims`.
"""

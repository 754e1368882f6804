"""Running the model: input, encoding once, questions asked cheaply, decoding, explanation, domain.

Door: `medmpt_backend.inference.engine.MedMPTEngine`.
"""

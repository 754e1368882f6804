"""The MedMPT network: configuration, encoders, decoder, medication heads, and what they share.

Door: `medmpt_backend.model.network.MedMPT`.
"""

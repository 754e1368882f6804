"""Slots for real models beside MedMPT: one contract, adapters to published packages, none of them required.

Door: `medmpt_backend.slots.registry.slots`. Contract: `medmpt_backend.slots.contract.FindingModel`.
"""

"""CT tools: measurements without a model, findings and similar cases with one.

Door: `tools.imaging.quantify` and `tools.imaging.model_tools`.
"""

"""What the CT tools hold beside their evidence: measurements, and what the model said. Door: `.measured`, `.model`."""

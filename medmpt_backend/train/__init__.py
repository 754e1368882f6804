"""Training of MedMPT: objectives, data, loop."""

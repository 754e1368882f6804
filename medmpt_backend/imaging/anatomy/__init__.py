"""Lungs, airway and the question whether a volume is a chest, from voxels alone."""

"""CT volumes, quantitative CT and the MedMPT model: torch, voxels and weights."""

"""What belongs to a lesion: ground glass beside solid parts, the air of cavities, shares of voxels; and what beside the lungs is none."""

"""What belongs to a lesion: ground glass beside solid parts, the air of cavities, and shares of voxels."""

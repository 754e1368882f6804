"""What belongs to a lesion: ground glass beside solid parts, and shares of voxels."""

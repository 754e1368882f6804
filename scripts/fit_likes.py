"""Write the vectors of the examples of `tools/data/bedside/likes*.toml` beside them: `python scripts/fit_likes.py`."""

from pathlib import Path

import numpy as np

from tools.bedside.likeness import digest, make_vectors

if __name__ == "__main__":
    directions, vectors = make_vectors()
    np.savez_compressed(Path("tools/data/bedside/likes.npz"), directions=directions, vectors=vectors, digest=np.array(digest()))

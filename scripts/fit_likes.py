"""Write the vectors of the examples of `tools/data/bedside/likes.toml` beside it: `python scripts/fit_likes.py`."""

from pathlib import Path

import numpy as np

from tools.bedside.likeness import digest, make_vectors

if __name__ == "__main__":
    np.savez_compressed(Path("tools/data/bedside/likes.npz"), vectors=make_vectors(), digest=np.array(digest()))

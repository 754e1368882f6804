from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.index.guideline_index import GuidelineIndex


@pytest.fixture(scope="session")
def cache_dir(pytestconfig: pytest.Config) -> Path:
    """One index for every worker and every run: embedding the corpus takes most of a minute."""
    return pytestconfig.cache.mkdir("medmpt")


@pytest.fixture(scope="session")
def index(cache_dir: Path) -> Iterator[GuidelineIndex]:
    opened = GuidelineIndex.open(cache_dir)
    yield opened
    opened.close()

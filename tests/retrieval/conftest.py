from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.search import GuidelineIndex


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def index(cache_dir: Path) -> Iterator[GuidelineIndex]:
    opened = GuidelineIndex.open(cache_dir)
    yield opened
    opened.close()

import pytest
import torch


@pytest.fixture(autouse=True)
def _restore_the_random_state():
    with torch.random.fork_rng(devices=[]):
        yield

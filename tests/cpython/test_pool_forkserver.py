"""CPython's tests of Pool with the start method `forkserver`."""

import adopt
import pytest

try:
    adopt.adopt_pool_tests(globals(), "forkserver")
except adopt.NotShippedError as reason:
    pytest.skip(str(reason), allow_module_level=True)

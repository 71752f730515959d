"""CPython's tests of Pool with the start method `fork`."""

import adopt
import pytest

try:
    adopt.adopt_pool_tests(globals(), "fork")
except adopt.NotShippedError as reason:
    pytest.skip(str(reason), allow_module_level=True)

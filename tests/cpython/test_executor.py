"""CPython's tests of ProcessPoolExecutor and Future."""

import adopt
import pytest

try:
    adopt.adopt_executor_tests(globals())
except adopt.NotShippedError as reason:
    pytest.skip(str(reason), allow_module_level=True)

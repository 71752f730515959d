"""What a caller may ask for: the checks of parameters, and of the platform.

Types of exceptions are those of the standard library's executor in Python 3.14; each message names the value that was
given and what would be right.
"""

from __future__ import annotations

import decimal
import multiprocessing
import operator
import re
import reprlib
import sys
from collections.abc import Callable, Iterable
from typing import Any

START_METHODS = ("fork", "forkserver", "spawn")


def check_platform() -> None:
    """Refuses a platform that the engine is not made for.

    Raises:
        ImportError: Not Linux, not 64 bit, not CPython, or a free-threaded build.
    """
    if sys.implementation.name != "cpython":
        raise ImportError(f"hardwork needs CPython, not {sys.implementation.name}")
    if sys.platform != "linux":
        raise ImportError(f"hardwork needs Linux, not {sys.platform}")
    if sys.maxsize <= 2**32:
        raise ImportError("hardwork needs a 64-bit Python, and this one is 32-bit")
    if "t" in sys.abiflags:
        raise ImportError("hardwork needs a Python with the GIL, and this one is a free-threaded build")


def cpu_count() -> int:
    """Counts the CPUs that this process may really use.

    That is the smaller of its CPU affinity and of the CPU quota of its control group (v1 or v2, rounded up).

    Returns:
        The number of CPUs, at least 1.
    """
    from hardwork import _engine

    return _engine.usable_cpus()


def check_workers(max_workers: int | None) -> int:
    """Checks the number of workers.

    Args:
        max_workers: How many worker processes; None means as many as `cpu_count` says.

    Returns:
        The number of workers, at least 1.

    Raises:
        TypeError: It is not an integer.
        ValueError: It is less than 1.
    """
    if max_workers is None:
        return cpu_count()
    workers = _integer(max_workers, "max_workers must be a positive integer or None")
    if workers <= 0:
        raise ValueError(f"max_workers must be greater than 0, not {workers}")
    return workers


def check_context(mp_context: Any, max_tasks_per_child: object, name: str = "mp_context") -> tuple[Any, str]:
    """Settles the multiprocessing context.

    Args:
        mp_context: A context, the `multiprocessing` module, or None for the interpreter's own default (``spawn`` if
            max_tasks_per_child is given, as in the standard library).
        max_tasks_per_child: As given to the constructor, not checked here.
        name: What the parameter is called.

    Returns:
        The context and the name of its start method.

    Raises:
        TypeError: It is not a context.
        ValueError: Its start method is none of fork, forkserver and spawn.
    """
    if mp_context is None:
        mp_context = multiprocessing.get_context(None if max_tasks_per_child is None else "spawn")
    if not callable(getattr(mp_context, "get_start_method", None)):
        raise TypeError(
            f"{name} must be a multiprocessing context such as multiprocessing.get_context('spawn'), "
            f"not {_describe(mp_context)}"
        )
    method = mp_context.get_start_method(allow_none=False)
    if method not in START_METHODS:
        raise ValueError(f"{name} must use one of the start methods {', '.join(START_METHODS)}, not {method!r}")
    return mp_context, method


def check_initializer(
    initializer: Callable[..., object] | None, initargs: Iterable[Any]
) -> tuple[Callable[..., object] | None, tuple[Any, ...]]:
    """Checks the initializer and its arguments.

    Args:
        initializer: Called in each worker before its first task; None for nothing.
        initargs: Its positional arguments.

    Returns:
        The initializer, and the arguments as a tuple.

    Raises:
        TypeError: The initializer is not callable, or initargs is not iterable.
    """
    if initializer is not None and not callable(initializer):
        raise TypeError(f"initializer must be a callable or None, not {_describe(initializer)}")
    try:
        return initializer, tuple(initargs)
    except TypeError:
        raise TypeError(f"initargs must be a tuple of arguments, not {_describe(initargs)}") from None


def check_tasks_per_child(max_tasks_per_child: int | None, start_method: str) -> int:
    """Checks after how many tasks a worker is replaced.

    Args:
        max_tasks_per_child: The number of tasks; None for no limit.
        start_method: The context's start method. The standard library excludes ``fork`` here, and so do we.

    Returns:
        The number of tasks, 0 for no limit.

    Raises:
        TypeError: It is not an integer.
        ValueError: It is less than 1, or the start method is fork.
    """
    if max_tasks_per_child is None:
        return 0
    if not isinstance(max_tasks_per_child, int):
        raise TypeError(f"max_tasks_per_child must be an integer or None, not {_describe(max_tasks_per_child)}")
    if max_tasks_per_child <= 0:
        raise ValueError(f"max_tasks_per_child must be >= 1, not {max_tasks_per_child}")
    if start_method == "fork":
        raise ValueError(
            f"max_tasks_per_child={max_tasks_per_child} is incompatible with the 'fork' multiprocessing start method; "
            "supply an mp_context of 'forkserver' or 'spawn'"
        )
    return max_tasks_per_child


def check_processes(processes: int | None) -> int:
    """Checks the number of a Pool's workers.

    Args:
        processes: How many worker processes; None means as many as `cpu_count` says.

    Returns:
        The number of workers, at least 1.

    Raises:
        TypeError: It is not an integer.
        ValueError: It is less than 1.
    """
    if processes is None:
        return cpu_count()
    number = _integer(processes, "processes must be a positive integer or None")
    if number < 1:
        raise ValueError(f"Number of processes must be at least 1, not {number}")
    return number


def check_maxtasksperchild(maxtasksperchild: int | None) -> int | None:
    """Checks after how many tasks a worker of a Pool is replaced.

    Args:
        maxtasksperchild: The number of tasks; None for no limit.

    Returns:
        The same.

    Raises:
        ValueError: It is not an integer, or less than 1 (one type for both, as in the standard library).
    """
    if maxtasksperchild is None or (isinstance(maxtasksperchild, int) and maxtasksperchild > 0):
        return maxtasksperchild
    raise ValueError(f"maxtasksperchild must be a positive int or None, not {_describe(maxtasksperchild)}")


_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_UNITS |= {"ki": 1024, "mi": 1024**2, "gi": 1024**3, "ti": 1024**4}
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?i?)b?\s*", re.IGNORECASE)


def check_memory(max_memory_per_worker: int | str | None) -> int:
    """Checks how much memory a worker may have.

    Args:
        max_memory_per_worker: Bytes, as a number or as text with a unit: ``"500MB"``, ``"1.5 GiB"``, ``"200 kB"``.
            None for no limit.

    Returns:
        Bytes; 0 for no limit.

    Raises:
        TypeError: It is neither an integer nor text.
        ValueError: It is less than 1, too large, or cannot be read.
    """
    if max_memory_per_worker is None:
        return 0
    right = "max_memory_per_worker must be a number of bytes, or text such as '500MB' or '2GiB'"
    if isinstance(max_memory_per_worker, str):
        match = _SIZE.fullmatch(max_memory_per_worker)
        if match is None or match[2].lower() not in _UNITS:
            raise ValueError(f"{right}, not {_describe(max_memory_per_worker)}")
        size = int(decimal.Decimal(match[1]) * _UNITS[match[2].lower()])
    else:
        size = _integer(max_memory_per_worker, right)
    if not 1 <= size < 2**62:
        raise ValueError(f"max_memory_per_worker must be 1 byte or more, and less than 2**62, not {size}")
    return size


def check_function(fn: object, name: str = "fn") -> None:
    """Checks the function of a `map`.

    Args:
        fn: What shall be called for each item.
        name: What the parameter is called.

    Raises:
        TypeError: It is not callable.
    """
    if not callable(fn):
        raise TypeError(f"{name} must be a callable, not {_describe(fn)}")


def check_chunksize(chunksize: int | None) -> None:
    """Checks the hint how many items of a `map` travel together.

    Args:
        chunksize: The number of items; None leaves it to the pool.

    Raises:
        TypeError: It is not an integer.
        ValueError: It is less than 1.
    """
    if chunksize is not None and _integer(chunksize, "chunksize must be an integer >= 1 or None") < 1:
        raise ValueError(f"chunksize must be >= 1, not {chunksize}")


def check_buffersize(buffersize: int | None) -> None:
    """Checks how many items of a `map` may be under way.

    Args:
        buffersize: The number of items; None takes the whole input at the call.

    Raises:
        TypeError: It is not an integer.
        ValueError: It is less than 1.
    """
    if buffersize is None:
        return
    if not isinstance(buffersize, int):
        raise TypeError(f"buffersize must be an integer or None, not {_describe(buffersize)}")
    if buffersize < 1:
        raise ValueError(f"buffersize must be None or > 0, not {buffersize}")


def _integer(value: object, right: str) -> int:
    try:
        return operator.index(value)  # type: ignore[arg-type]  # the very question asked here
    except TypeError:
        raise TypeError(f"{right}, not {_describe(value)}") from None


def _describe(value: object) -> str:
    return f"{reprlib.repr(value)} ({type(value).__name__})"


OPTIONS = ("timeout", "retries", "grace")
# The engine counts nanoseconds in 64 bits; nobody waits for centuries.
_LONGEST = 1e9


def check_unknown(unknown: dict[str, Any]) -> None:
    """Refuses options that there are not.

    Args:
        unknown: What was given by names that are not options.

    Raises:
        TypeError: There is one.
    """
    if unknown:
        raise TypeError(f"there is no option {next(iter(unknown))!r}; there are: {', '.join(OPTIONS)}")


def check_limits(timeout: float | None, retries: int, grace: float) -> tuple[int, int, int]:
    """Checks what `options` was given.

    Args:
        timeout: Seconds that a task may run; None for no limit.
        retries: How many times a task is run again.
        grace: Seconds that a task has to end.

    Returns:
        Timeout (0 for none) and grace in nanoseconds, and retries.

    Raises:
        TypeError: One has the wrong type.
        ValueError: One is out of range.
    """
    limit = 0
    if timeout is not None:
        seconds = _seconds(timeout, "timeout must be a number of seconds or None")
        if not 0 < seconds <= _LONGEST:
            raise ValueError(f"timeout must be greater than 0, and at most {_LONGEST:.0f} seconds, not {timeout!r}")
        limit = max(int(seconds * 1e9), 1)
    times = _integer(retries, "retries must be an integer")
    if not 0 <= times < 2**32:
        raise ValueError(f"retries must be 0 or more, not {retries!r}")
    seconds = _seconds(grace, "grace must be a number of seconds")
    if not 0 <= seconds <= _LONGEST:
        raise ValueError(f"grace must be 0 or more, and at most {_LONGEST:.0f} seconds, not {grace!r}")
    return limit, int(seconds * 1e9), times


def _seconds(value: Any, wanted: str) -> float:
    if isinstance(value, bool) or not hasattr(type(value), "__float__"):
        raise TypeError(f"{wanted}, not {value!r} ({type(value).__name__})")
    return float(value)

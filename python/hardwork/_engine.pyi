"""The C extension over the C++ engine (python/src)."""

import concurrent.futures
import multiprocessing.pool
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, final, type_check_only

from typing_extensions import disjoint_base

_P = ParamSpec("_P")
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)

__version__: str

# What becomes of the work that is there: `how` of _core_shutdown.
SHUTDOWN_FINISH: int
SHUTDOWN_CANCEL_WAITING: int
SHUTDOWN_CANCEL: int
SHUTDOWN_TERMINATE: int

@type_check_only
class WorkerSourcePy(Protocol):
    """How workers come into being. An OSError from a method is passed on as its errno."""

    @property
    def uses_template(self) -> bool: ...
    def start_template(self, channel_fd: int) -> int: ...
    def start_worker(self, lane_fd: int, input_fd: int, parent_fd: int, program_fd: int) -> int: ...

@disjoint_base
class Future(concurrent.futures.Future[_T]):
    def stop(self) -> bool: ...

# What tasks of a pool may use up. Of an executor it is for submit, of a Pool for apply_async.
@final
class Limits:
    def __new__(cls, core: Core, timeout_ns: int, grace_ns: int, retries: int, /) -> Limits: ...
    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]: ...
    def apply_async(
        self,
        func: Callable[..., _T],
        args: Iterable[Any] = (),
        kwds: Mapping[str, Any] = {},
        callback: Callable[[_T], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult[_T]: ...

@final
class MapIterator(Generic[_T_co]):
    def __iter__(self) -> Iterator[_T_co]: ...
    def __next__(self) -> _T_co: ...
    def close(self) -> None: ...
    def set_timeout(self, seconds: float | None, /) -> None: ...

@final
class AsyncResult(multiprocessing.pool.ApplyResult[_T]):
    @property
    def _job(self) -> int: ...
    def stop(self) -> bool: ...

@final
class IMapIterator(multiprocessing.pool.IMapIterator[_T]):
    def next(self, timeout: float | None = None) -> _T: ...
    def __next__(self) -> _T: ...  # type: ignore[override]  # that of the original takes a timeout
    # False if there was no room for all of the source's items yet: at most `buffer` may be there unread.
    def _feed(self, source: Iterator[Any], in_batches: bool, may_wait: bool, buffer: int, /) -> bool: ...
    # False if the function travels with each item, so that a range cannot travel as numbers.
    def _feed_range(self, start: int, step: int, count: int, /) -> bool: ...

@disjoint_base
class Core:
    def _core_start(
        self,
        source: WorkerSourcePy,
        workers: int,
        max_tasks_per_worker: int,
        on_demand: bool,
        by_name: bool,
        is_pool: bool,
        stop_signal: int,
        max_memory_per_worker: int,  # bytes, 0 for no limit
        /,
    ) -> None: ...
    # True from the first _core_start that succeeds on, also after a shutdown.
    def _core_started(self) -> bool: ...
    def _core_shutdown(self, wait: bool, how: int, /) -> None: ...  # one of SHUTDOWN_*
    # After _core_shutdown: whether all workers have ended, waited for at most so many seconds.
    def _core_wait_stopped(self, timeout: float | None, /) -> bool: ...
    # Whether this thread is the pool's own, which runs callbacks, and must not wait for the pool.
    def _core_announces(self) -> bool: ...
    def _core_end_workers(self, how: int, grace: float, /) -> None: ...
    def _core_end_now(self, how: int, grace: float, /) -> None: ...
    def _core_signal_workers(self, signum: int, /) -> None: ...
    def _core_outstanding(self) -> int: ...
    def _core_broken(self) -> bool: ...
    # The exit code of a dead worker, or its negative signal; None if it lives, or if that is not known (yet).
    def _core_exit_status(self, pid: int, /) -> int | None: ...
    # The process ids of workers that have ended, the newest first; some thousand at most.
    def _core_ended_workers(self) -> list[int]: ...
    # The counts of hardwork.PoolStats by their names; deaths as (cause, value, count).
    def _core_stats(self) -> dict[str, Any]: ...
    # The living by their process ids; False for one that is being born, whose number is not known yet.
    def _core_workers(self) -> list[tuple[int, bool]]: ...

class ExecutorCore(Core):
    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]: ...
    def _core_map_range(
        self, fn: Callable[..., _T], start: int, step: int, count: int, limits: Limits | None, /
    ) -> MapIterator[_T]: ...
    # Each item is the call's only argument if single, else the tuple of its arguments.
    def _core_map_items(
        self, fn: Callable[..., _T], items: list[Any], single: bool, limits: Limits | None, /
    ) -> MapIterator[_T]: ...

class PoolCore(Core):
    def apply_async(
        self,
        func: Callable[..., _T],
        args: Iterable[Any] = (),
        kwds: Mapping[str, Any] = {},
        callback: Callable[[_T], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult[_T]: ...
    # most_in_row: how many items a worker may have in a row, 0 for as many as is good.
    def _core_map_range(
        self,
        func: Callable[..., _T],
        start: int,
        step: int,
        count: int,
        most_in_row: int,
        callback: Callable[[list[_T]], object] | None,
        error_callback: Callable[[BaseException], object] | None,
        limits: Limits | None,
        /,
    ) -> AsyncResult[list[_T]]: ...
    def _core_map_items(
        self,
        func: Callable[..., _T],
        items: list[Any],
        star: bool,
        most_in_row: int,
        callback: Callable[[list[_T]], object] | None,
        error_callback: Callable[[BaseException], object] | None,
        limits: Limits | None,
        /,
    ) -> AsyncResult[list[_T]]: ...
    def _core_imap(
        self, func: Callable[..., _T], most_in_row: int, ordered: bool, workers: int, limits: Limits | None, /
    ) -> IMapIterator[_T]: ...
    def _core_results(self) -> list[AsyncResult[Any]]: ...

def serve_template(
    channel_fd: int, fork: Callable[[], int], worker_main: Callable[[int, int, int, int], int]
) -> int: ...

# initialize: makes ready for tasks; returns what makes the exception of a result that cannot be encoded, from the
# refusal and the result, or None.
def run_worker(
    lane_fd: int,
    input_fd: int,
    parent_fd: int,
    program_fd: int,
    initialize: Callable[[], Callable[[BaseException, object], BaseException] | None],
) -> int: ...
def pause_parent_watch() -> None: ...
def resume_parent_watch() -> None: ...
def wait_all_stopped() -> None: ...
def end_all_now(grace: float, /) -> None: ...
def terminate_pools() -> None: ...
def usable_cpus() -> int: ...

# A worker's handler of the stop signal.
def raise_if_stopped(signum: int, frame: object, /) -> None: ...

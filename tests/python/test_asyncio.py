"""With asyncio: run_in_executor and wrap_future."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from helpers import Gate, divide_by, double, wait_at


def test_run_in_executor(executor: Any) -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        return list(await asyncio.gather(*(loop.run_in_executor(executor, double, number) for number in range(200))))

    assert asyncio.run(main()) == [2 * number for number in range(200)]


def test_wrap_future(executor: Any) -> None:
    async def main() -> int:
        return int(await asyncio.wrap_future(executor.submit(double, 21)))

    assert asyncio.run(main()) == 42


def test_wrap_future_that_is_done(executor: Any) -> None:
    future = executor.submit(double, 21)
    future.result()

    async def main() -> int:
        return int(await asyncio.wrap_future(future))

    assert asyncio.run(main()) == 42


def test_exceptions(executor: Any) -> None:
    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(executor, divide_by, 0)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())


def test_the_loop_goes_on_meanwhile(executor: Any, gate: Gate) -> None:
    async def main() -> tuple[int, str]:
        task = asyncio.get_running_loop().run_in_executor(executor, wait_at, gate, "value")
        turns = 0
        while turns < 10 or not gate.entered():
            await asyncio.sleep(0.001)
            turns += 1
        assert not task.done()
        gate.open()
        return turns, await task

    turns, value = asyncio.run(main())
    assert turns >= 10
    assert value == "value"


def test_cancelling_what_waits_cancels_the_task(executor: Any, gate: Gate) -> None:
    futures = [executor.submit(wait_at, gate) for _ in range(20)]

    async def main() -> None:
        wrapped = asyncio.wrap_future(futures[-1])
        wrapped.cancel()
        with pytest.raises(asyncio.CancelledError):
            await wrapped
        await asyncio.sleep(0)

    asyncio.run(main())
    assert futures[-1].cancelled()


def test_a_timeout_of_asyncio(executor: Any, gate: Gate) -> None:
    async def main() -> None:
        task = asyncio.get_running_loop().run_in_executor(executor, wait_at, gate)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(task, 0.1)

    asyncio.run(main())
    gate.open()
    assert executor.submit(double, 1).result() == 2


def test_as_the_default_executor(executor_class: Any) -> None:
    # asyncio insists on threads there.
    async def main() -> None:
        with executor_class(1) as pool, pytest.raises(TypeError):
            asyncio.get_running_loop().set_default_executor(pool)

    asyncio.run(main())

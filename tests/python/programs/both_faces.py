"""Both faces at work with what is in `__main__`: functions, a class, an exception, a global that an initializer sets.

Its arguments are start methods. It is run in every way there is to run a program, and must say the same in each.
"""

import multiprocessing
import sys

import hardwork

offset = 0


class Point:
    def __init__(self, x):
        self.x = x


class TroubleError(Exception):
    pass


def set_offset(value):
    global offset
    offset = value


def double(number):
    return 2 * number


def moved(point):
    return Point(point.x + offset)


def fail(number):
    raise TroubleError(number)


def use_executor(context):
    with hardwork.ProcessPoolExecutor(2, context, set_offset, (10,)) as executor:
        numbers = [executor.submit(double, 4).result(), sum(executor.map(double, range(1000)))]
        point = executor.submit(moved, Point(1)).result()
        points = list(executor.map(moved, [Point(2), Point(3)]))
        error = executor.submit(fail, 5).exception()
        closure = executor.submit(lambda: offset + numbers[0]).result()
    assert type(point) is Point
    assert type(error) is TroubleError
    return [*numbers, point.x, [point.x for point in points], error.args, closure]


def use_pool(context):
    with hardwork.Pool(2, set_offset, (10,), context=context) as pool:
        numbers = [pool.apply(double, (4,)), sum(pool.map(double, range(1000)))]
        point = pool.apply_async(moved, (Point(1),)).get()
        points = list(pool.imap(moved, [Point(2), Point(3)]))
        try:
            pool.starmap(fail, [(5,)])
        except TroubleError as trouble:
            error = trouble
        closure = pool.apply(lambda: offset + numbers[0])
    assert type(point) is Point
    return [*numbers, point.x, [point.x for point in points], error.args, closure]


def use_both(method):
    context = multiprocessing.get_context(method)
    print(method, use_executor(context), use_pool(context))


if __name__ == "__main__":
    multiprocessing.freeze_support()
    for method in sys.argv[1:]:
        use_both(method)

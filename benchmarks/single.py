# What a program without threads pays for having them compiled in.


def while_loop(n):
    i = 0
    while i < n:
        i += 1


def for_loop(n):
    for i in range(n):
        pass


def identity(x):
    return x


def function_call(n):
    for i in range(n):
        identity(i)


class Object:
    def method(self):
        return self


def method_call(n):
    thing = Object()
    for i in range(n):
        thing.method()


def allocation(n):
    for i in range(n):
        [i]


def exception(n):
    for i in range(n):
        try:
            raise ValueError
        except ValueError:
            pass


measure("while loop", while_loop, 5000)
measure("for loop", for_loop, 5000)
measure("function call", function_call, 3000)
measure("method call", method_call, 3000)
measure("allocation", allocation, 3000)
measure("exception", exception, 1000)
measure("gc.collect()", collect, 20)
report("recursion depth", "calls", depth(), 1)

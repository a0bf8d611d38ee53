"""As much of CPython's unittest on a board as its tests of threads use."""

import re
import sys


class SkipTest(Exception):
    pass


def skip(reason):
    def decorate(test):
        if isinstance(test, type):
            test._skipped = reason
            return test

        def skipped(*args, **kwargs):
            raise SkipTest(reason)

        return skipped

    return decorate


def skipIf(condition, reason):
    return skip(reason) if condition else lambda test: test


def skipUnless(condition, reason):
    return skipIf(not condition, reason)


class _Raises:
    def __init__(self, case, expected, pattern=None):
        self._case = case
        self._expected = expected
        self._pattern = pattern

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            self._case.fail("%r not raised" % (self._expected,))
        if not issubclass(kind, self._expected):
            return False
        self.exception = error
        if self._pattern is not None:
            self._case.assertRegex(str(error), self._pattern)
        return True


class _SubTest:
    def __init__(self, parameters):
        self._parameters = parameters

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None:
            print("in subTest", self._parameters)
        return False


class TestCase:
    _skipped = None
    failureException = AssertionError

    def __init__(self, name):
        self._name = name
        self._cleanups = []

    def setUp(self):
        pass

    def tearDown(self):
        pass

    def run(self):
        """Run one test. Raises what the test raises."""
        if self._skipped:
            raise SkipTest(self._skipped)
        try:
            self.setUp()
            self._test_and_tear_down()
        finally:
            self.doCleanups()

    def _test_and_tear_down(self):
        try:
            getattr(self, self._name)()
        except BaseException as error:
            try:
                self.tearDown()
            except Exception as later:
                print("tearDown:", later)
            raise error
        self.tearDown()

    def addCleanup(self, function, *args, **kwargs):
        self._cleanups.append((function, args, kwargs))

    def doCleanups(self):
        while self._cleanups:
            function, args, kwargs = self._cleanups.pop()
            function(*args, **kwargs)

    def skipTest(self, reason):
        raise SkipTest(reason)

    def subTest(self, *message, **parameters):
        return _SubTest(message or parameters)

    def fail(self, message=None):
        raise AssertionError(message)

    def _check(self, holds, told, message):
        if not holds:
            self.fail(told if message is None else "%s : %s" % (told, message))

    def assertTrue(self, value, msg=None):
        self._check(value, "%r is not true" % (value,), msg)

    def assertFalse(self, value, msg=None):
        self._check(not value, "%r is not false" % (value,), msg)

    def assertEqual(self, first, second, msg=None):
        self._check(first == second, "%r != %r" % (first, second), msg)

    assertListEqual = assertEqual

    def assertNotEqual(self, first, second, msg=None):
        self._check(first != second, "%r == %r" % (first, second), msg)

    def assertAlmostEqual(self, first, second, places=7, msg=None):
        self._check(round(first - second, places) == 0, "%r != %r" % (first, second), msg)

    def assertCountEqual(self, first, second, msg=None):
        self.assertEqual(sorted(first), sorted(second), msg)

    def assertIs(self, first, second, msg=None):
        self._check(first is second, "%r is not %r" % (first, second), msg)

    def assertIsNot(self, first, second, msg=None):
        self._check(first is not second, "unexpectedly identical: %r" % (first,), msg)

    def assertIsNone(self, value, msg=None):
        self._check(value is None, "%r is not None" % (value,), msg)

    def assertIsNotNone(self, value, msg=None):
        self._check(value is not None, "unexpectedly None", msg)

    def assertIn(self, member, container, msg=None):
        self._check(member in container, "%r not found in %r" % (member, container), msg)

    def assertNotIn(self, member, container, msg=None):
        self._check(
            member not in container, "%r unexpectedly found in %r" % (member, container), msg
        )

    def assertIsInstance(self, value, kind, msg=None):
        self._check(isinstance(value, kind), "%r is not an instance of %r" % (value, kind), msg)

    def assertLess(self, first, second, msg=None):
        self._check(first < second, "%r not less than %r" % (first, second), msg)

    def assertLessEqual(self, first, second, msg=None):
        self._check(first <= second, "%r not less than or equal to %r" % (first, second), msg)

    def assertGreater(self, first, second, msg=None):
        self._check(first > second, "%r not greater than %r" % (first, second), msg)

    def assertGreaterEqual(self, first, second, msg=None):
        self._check(first >= second, "%r not greater than or equal to %r" % (first, second), msg)

    def assertRegex(self, text, pattern, msg=None):
        found = re.search(pattern, text)
        self._check(found, "Regex didn't match: %r not found in %r" % (pattern, text), msg)

    def assertRaises(self, expected, function=None, *args, **kwargs):
        return self._raises(_Raises(self, expected), function, args, kwargs)

    def assertRaisesRegex(self, expected, pattern, function=None, *args, **kwargs):
        return self._raises(_Raises(self, expected, pattern), function, args, kwargs)

    def _raises(self, context, function, args, kwargs):
        if function is None:
            return context
        with context:
            function(*args, **kwargs)
        return None

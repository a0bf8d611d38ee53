# A pool of two threads computes. The main program takes the results as they come.

from concurrent.futures import ThreadPoolExecutor, as_completed


def primes(first, last):
    return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(first, last))


with ThreadPoolExecutor(2) as pool:
    work = {pool.submit(primes, n, n + 200): n for n in range(2, 1002, 200)}
    total = 0
    for future in as_completed(work):
        first = work[future]
        total += future.result()
        print("%d primes from %d on" % (future.result(), first))
print("%d primes below 1002" % total)

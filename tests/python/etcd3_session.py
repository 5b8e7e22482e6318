"""What a python program does with etcd: run against one node, step by step as told on standard input."""

import sys
import threading

import etcd3


def say(*words):
    print(*words, flush=True)


def main():
    host, port = sys.argv[1].split(":")
    client = etcd3.client(host=host, port=int(port), timeout=10)
    steps = {
        "write": write,
        "transact": transact,
        "lease": lease,
        "watch": watch,
        "lock": lock,
        "status": status,
    }
    for line in sys.stdin:
        name, *words = line.split()
        try:
            steps[name](client, *words)
            say("done", name)
        except Exception as error:  # The conversation goes on, and the test sees what went wrong.
            say("failed", name, type(error).__name__, error)


def write(client, prefix, count):
    """Writes keys one after the other, retrying what found no leader, and reads them all back."""
    for number in range(int(count)):
        key = f"{prefix}/{number}"
        for _ in range(100):
            try:
                client.put(key, str(number))
                break
            except (etcd3.exceptions.ConnectionFailedError, etcd3.exceptions.ConnectionTimeoutError):
                continue
        else:
            raise RuntimeError(f"{key} was never taken")
    found = {meta.key.decode(): value.decode() for value, meta in client.get_prefix(f"{prefix}/")}
    missing = [n for n in range(int(count)) if found.get(f"{prefix}/{n}") != str(n)]
    assert not missing, f"missing {missing}"
    value, meta = client.get(f"{prefix}/0")
    assert value == b"0" and meta.version >= 1


def transact(client, key):
    tx = client.transactions
    client.put(key, "1")
    for expected, wanted in ((True, b"2"), (False, b"other")):
        succeeded, responses = client.transaction(
            compare=[tx.value(key) == "1", tx.version(key) > 0],
            success=[tx.put(key, "2"), tx.get(key)],
            failure=[tx.put(key, "other"), tx.get(key)],
        )
        assert succeeded is expected, succeeded
        value, _ = responses[1][0]
        assert value == wanted, value
    assert client.replace(key, "other", "third")
    assert not client.replace(key, "other", "fourth")
    assert client.put_if_not_exists(f"{key}/new", "x")
    assert not client.put_if_not_exists(f"{key}/new", "y")
    assert client.delete(f"{key}/new")


def lease(client, key):
    granted = client.lease(60)
    client.put(key, "bound", lease=granted)
    assert 0 < granted.remaining_ttl <= 60
    assert granted.granted_ttl == 60
    assert granted.keys == [key.encode()], granted.keys
    assert [r.TTL for r in granted.refresh()] == [60]
    granted.revoke()
    assert client.get(key)[0] is None


def watch(client, prefix, count):
    """Tells of events as they come, until so many were seen; says when it listens."""
    events, cancel = client.watch_prefix(f"{prefix}/")

    def listen():
        for _ in range(int(count)):
            event = next(events)
            say("event", event.key.decode(), event.value.decode())
        cancel()
        say("watched", prefix)

    threading.Thread(target=listen, daemon=True).start()


def lock(client, name):
    with client.lock(name, ttl=20) as held:
        assert held.is_acquired()
        rival = client.lock(name, ttl=20)
        assert not rival.acquire(timeout=0)
    assert client.lock(name, ttl=20).acquire(timeout=5)


def status(client):
    seen = client.status()
    names = sorted(member.name for member in client.members)
    say("members", ",".join(names), "leader", seen.leader.name)


main()

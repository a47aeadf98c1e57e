"""Freed memory stays with the process where the system can be asked for it, and nothing breaks elsewhere."""

import sys

from coopgym.algorithms import memory


def test_elsewhere_than_on_linux_nothing_is_asked(monkeypatch):
    memory.keep_freed_memory.cache_clear()
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: 1 / 0)
    assert memory.keep_freed_memory() is False
    memory.keep_freed_memory.cache_clear()


def test_a_system_without_that_allocator_is_left_alone(monkeypatch):
    memory.keep_freed_memory.cache_clear()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: object())
    assert memory.keep_freed_memory() is False
    memory.keep_freed_memory.cache_clear()

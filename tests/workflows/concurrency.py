"""Concurrency groups as GitHub keeps them, since act has none.

One run of a group at a time; one waits, and an older one that waited is cancelled. `queue: max` lets a hundred wait,
and then it is the newest that is cancelled.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from .workflow_file import Concurrency

MOST_PENDING = 100  # with queue: max


@dataclass
class _Group:
    running: int | None = None
    pending: list[int] = field(default_factory=list)


class Groups:
    """Who runs and who waits, by group name. Runs are known by their id."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self._cancelled: set[int] = set()
        self._changed = threading.Condition()

    def enter(self, concurrency: Concurrency, run_id: int) -> bool:
        """Wait for the turn of this run; False when there is no place for it, or a newer run took its place."""
        with self._changed:
            group = self._groups.setdefault(concurrency.group, _Group())
            group.pending.append(run_id)
            if concurrency.cancel_in_progress and group.running is not None:
                self._cancelled.add(group.running)
            if concurrency.keep_all_pending and len(group.pending) > MOST_PENDING:
                self._cancelled.add(group.pending.pop())
            elif not concurrency.keep_all_pending and len(group.pending) > 1:
                self._cancelled.add(group.pending.pop(0))
            self._changed.notify_all()
            self._changed.wait_for(lambda: run_id in self._cancelled or self._is_next(group, run_id))
            if run_id in self._cancelled:
                return False
            group.running = group.pending.pop(0)
            return True

    def leave(self, concurrency: Concurrency) -> None:
        """The group's running run is done."""
        with self._changed:
            self._groups[concurrency.group].running = None
            self._changed.notify_all()

    def is_cancelled(self, run_id: int) -> bool:
        """Whether a running run must stop for a newer one."""
        with self._changed:
            return run_id in self._cancelled

    def waiting(self, group: str) -> int:
        """How many runs wait in a group; lets a test see that one is queued."""
        with self._changed:
            return len(self._groups.get(group, _Group()).pending)

    @staticmethod
    def _is_next(group: _Group, run_id: int) -> bool:
        return group.running is None and group.pending[:1] == [run_id]

"""Do file work as an environment's own user, so that its links lead us nowhere it may not go."""

import ctypes
import os
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
_libc = ctypes.CDLL(None, use_errno=True)


def as_user(uid: int, act: Callable[[], Result]) -> Result:
    """Run ``act`` in a thread whose file access is ``uid``'s; as we are when we are not root.

    ``setfsuid`` is a matter of one thread, and takes root's rights over files away with it.
    """
    if os.geteuid() != 0:
        return act()
    result: list[Result] = []
    failure: list[BaseException] = []

    def body() -> None:
        try:
            _become(uid)
            result.append(act())
        except BaseException as why:
            failure.append(why)

    thread = threading.Thread(target=body, name=f"files of {uid}")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


def _become(uid: int) -> None:
    _libc.setfsgid(uid)
    _libc.setfsuid(uid)
    if _libc.setfsuid(-1) != uid:  # it answers with the one before, and changes nothing
        raise PermissionError(f"This process may not act as user {uid}.")

"""Lists, a page at a time."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field

Item = TypeVar("Item")
Limit = Annotated[int, Field(ge=1, le=500)]


class Page(BaseModel, Generic[Item]):
    """Some of a list; ``next`` is the cursor of what follows, None at the end."""

    items: list[Item]
    next: str | None = None
